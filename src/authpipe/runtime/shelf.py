"""The workers of one user pool and the runs that wait for one."""

from __future__ import annotations

import os
from collections import deque

from authpipe.runtime.exchange import Exchange
from authpipe.runtime.process import Worker, WorkerState
from authpipe.settings import RuntimeSettings

#: another worker is started when every one has been at the same run of a short plan for longer, seconds
_PATIENCE_SECONDS = 0.02
_CORES = os.cpu_count() or 1


class Shelf:
    """Hands waiting runs to workers of one user pool; knows when it wants more of them."""

    def __init__(self, pool_id: str, settings: RuntimeSettings) -> None:
        self.pool_id = pool_id
        self._settings = settings
        self.workers: list[Worker] = []
        self.waiting: deque[Exchange] = deque()

    @property
    def starting(self) -> int:
        """Workers that have not booted yet."""
        return sum(worker.state is WorkerState.STARTING for worker in self.workers)

    def offer(self, exchange: Exchange) -> bool:
        """Send the run to a worker that has room; whether one had."""
        worker = self._best_worker(exchange)
        if worker is None:
            return False
        worker.exchange(exchange)
        return True

    def dispatch(self) -> None:
        """Send what waits as far as there is room, oldest first."""
        waiting = self.waiting
        while waiting and (waiting[0].done.done() or self.offer(waiting[0])):
            waiting.popleft()

    def _best_worker(self, exchange: Exchange) -> Worker | None:
        """An idle worker of the run's generation, else the one with the shortest pipe that has room."""
        best, shortest = None, 1_000_000
        for worker in self.workers:
            depth = len(worker.in_flight)
            if depth < shortest and depth < self._room(worker, exchange):
                best, shortest = worker, depth
                if depth == 0:
                    break
        return best

    def _room(self, worker: Worker, exchange: Exchange) -> int:
        """How many runs may lie at the worker if this one is among them."""
        program = exchange.program
        if worker.retiring or worker.generation != program.generation or worker.state is WorkerState.SETTLING:
            return 0
        if worker.state is WorkerState.STARTING:
            return 1
        if program.runs_per_worker > 1:
            return program.runs_per_worker
        # Nothing is ever sent behind a plan that is not short, so only the last in the pipe can be one.
        if not program.is_short or (worker.in_flight and not worker.in_flight[-1].program.is_short):
            return 1
        return 1 + self._settings.queue_ahead

    def wants_more(self, now: float) -> bool:
        """Whether another worker should be started for what waits."""
        if not self.waiting or self._is_full():
            return False
        oldest = self.waiting[0]
        live = [worker for worker in self.workers if worker.generation == oldest.program.generation]
        starting = sum(worker.state is WorkerState.STARTING for worker in live)
        if not oldest.program.is_short:
            return starting < len(self.waiting)
        return len(live) < _CORES or (starting == 0 and all(_is_stuck(worker, now) for worker in live))

    def _is_full(self) -> bool:
        return len(self.workers) >= self._settings.workers_per_pool

    def idle(self) -> Worker | None:
        """The worker that has been idle longest."""
        idle = [worker for worker in self.workers if worker.state is WorkerState.IDLE and not worker.retiring]
        return min(idle, key=lambda worker: worker.idle_since, default=None)

    def retire_stale(self, generation: int) -> None:
        """End idle workers of other generations; busy ones end after their runs."""
        for worker in self.workers:
            if worker.generation != generation:
                worker.retiring = True
                if not worker.in_flight and worker.state is not WorkerState.SETTLING:
                    worker.kill()


def _is_stuck(worker: Worker, now: float) -> bool:
    """Whether a worker has been at one run so long that those behind it deserve another worker."""
    busy = worker.in_flight[0] if worker.in_flight else None
    return worker.state is WorkerState.SETTLING or (busy is not None and now - busy.sent_at > _PATIENCE_SECONDS)
