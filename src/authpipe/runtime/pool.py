"""The worker pool: a worker for every run, within quotas, fairly, and a replacement for every one lost."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections import deque

from authpipe.errors import AuthpipeError, Overloaded
from authpipe.model import CompileReport, Outcome
from authpipe.runtime import deno
from authpipe.runtime.exchange import Ended, Exchange
from authpipe.runtime.hostcalls import HostCallHandlers
from authpipe.runtime.process import Worker, WorkerState
from authpipe.runtime.program import PipelineResult, PipelineRun
from authpipe.runtime.shelf import Shelf
from authpipe.runtime.spawner import Spawner
from authpipe.runtime.traversal import Traversal
from authpipe.settings import LimitSettings, RuntimeSettings

_TICK_SECONDS = 0.02
_BOOT_SECONDS = 30.0
#: disposable workers (compile checks, debug runs) alive at once
_DISPOSABLE = 4
_CORES = os.cpu_count() or 1


class CannotStart(AuthpipeError):
    """The engine does not run on this machine."""

    code = "cannot_start"


class WorkerPool:
    """The set of worker processes of this server."""

    def __init__(self, settings: RuntimeSettings, limits: LimitSettings, handlers: HostCallHandlers) -> None:
        self._settings, self._limits, self._handlers = settings, limits, handlers
        self._spawner = Spawner()
        self._shelves: dict[str, Shelf] = {}
        #: shelves of disposable workers, outside any user pool's quota
        self._private: set[Shelf] = set()
        self._spares: dict[bool, deque[Worker]] = {False: deque(), True: deque()}
        self._workers: set[Worker] = set()
        self._engines: dict[bool, deno.Engine] = {}
        self._numbers = itertools.count(1)
        self._disposable = asyncio.Semaphore(_DISPOSABLE)
        self._ticker: asyncio.TimerHandle | None = None
        self._stopping = False
        self._active = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def start(self) -> None:
        """Measure the engine and make the spares ready."""
        await self._prepare(jit=False)
        self._fill_spares()
        self._tick()

    async def stop(self, drain_seconds: float = 0.0) -> None:
        """Refuse new runs, let present ones finish for `drain_seconds`, then end every process."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                await self._quiet.wait()
        if self._ticker is not None:
            self._ticker.cancel()
        workers = list(self._workers)
        for worker in workers:
            worker.kill(Outcome.CANCELLED, "the server is shutting down")
        await asyncio.gather(*(worker.buried.wait() for worker in workers))
        self._spawner.stop()

    async def run(self, run: PipelineRun) -> PipelineResult:
        """Run a program once. Raises `Overloaded` when it could not be started; nothing was done then."""
        shelf = self._shelves.get(run.program.pool_id)
        if shelf is None:
            shelf = self._shelves[run.program.pool_id] = Shelf(run.program.pool_id, self._settings)
        return await self._traverse(run, shelf)

    async def run_once(self, run: PipelineRun) -> PipelineResult:
        """As `run`, on a fresh worker that is destroyed afterwards."""
        async with self._disposable:
            shelf = Shelf(run.program.pool_id, self._settings)
            self._private.add(shelf)
            try:
                return await self._traverse(run, shelf)
            finally:
                self._private.discard(shelf)
                for worker in shelf.workers:
                    worker.kill()

    async def check(self, source: str) -> CompileReport:
        """Whether a source compiles, found out by a fresh worker that is destroyed afterwards."""
        async with self._disposable:
            worker = self._new_worker(jit=False)
            try:
                return await worker.check(source)
            except TimeoutError:
                return CompileReport(error="the source could not be checked in time")
            finally:
                worker.kill()

    def drain(self, pool_id: str, generation: int) -> None:
        """Let no worker of the user pool from before `generation` take another run."""
        shelf = self._shelves.get(pool_id)
        if shelf is not None:
            shelf.retire_stale(generation)

    def is_ready(self) -> bool:
        """Whether runs are taken."""
        return self._ticker is not None and not self._stopping

    def stats(self) -> dict[str, int]:
        """Workers by state, and runs waiting for one."""
        counts = dict.fromkeys((state.value for state in WorkerState if state is not WorkerState.DEAD), 0)
        for worker in self._workers:
            if worker.state is not WorkerState.DEAD:
                counts[worker.state.value] += 1
        return counts | {"waiting": sum(len(shelf.waiting) for shelf in self._all_shelves())}

    async def _traverse(self, run: PipelineRun, shelf: Shelf) -> PipelineResult:
        if self._stopping:
            raise Overloaded("The server is shutting down.")
        if run.program.jit not in self._engines:
            await self._prepare(jit=run.program.jit)
        allowed = run.deadline or run.program.time_allowed + self._limits.run_slack_seconds
        traversal = Traversal(run, asyncio.get_running_loop().time() + allowed)
        self._active += 1
        self._quiet.clear()
        try:
            while not traversal.finished:
                exchange = traversal.next_exchange(next(self._numbers), self._limits)
                self._submit(shelf, exchange, resumed=traversal.has_started)
                traversal.take(exchange, await self._ending(exchange, traversal))
        finally:
            self._active -= 1
            if not self._active:
                self._quiet.set()
        return traversal.result()

    async def _ending(self, exchange: Exchange, traversal: Traversal) -> Ended:
        try:
            return await exchange.done
        except Overloaded:
            # Once a function has run, "nothing was done" would be untrue.
            if not traversal.has_started:
                raise
            exchange.death = (Outcome.INTERNAL_ERROR, "no worker was free to go on with")
            return Ended.BYSTANDER

    def _submit(self, shelf: Shelf, exchange: Exchange, *, resumed: bool) -> None:
        now = exchange.sent_at = asyncio.get_running_loop().time()
        if not shelf.waiting and shelf.offer(exchange):
            self._hurry()
            return
        if len(shelf.waiting) >= self._settings.queue_per_pool and not resumed:
            raise Overloaded
        if resumed:
            shelf.waiting.appendleft(exchange)
        else:
            shelf.waiting.append(exchange)
        self._feed(shelf, now)
        self._hurry()

    def _feed(self, shelf: Shelf, now: float) -> None:
        """Start what workers the shelf wants and may have, then send what can be sent."""
        while shelf.wants_more(now) and (worker := self._obtain(shelf)) is not None:
            worker.assign(shelf.pool_id, shelf.waiting[0].program.generation)
            shelf.workers.append(worker)
            shelf.dispatch()
        shelf.dispatch()

    def _obtain(self, shelf: Shelf) -> Worker | None:
        """A blank worker: a spare at once, else a new one where the limits allow."""
        jit = shelf.waiting[0].program.jit
        spares = self._spares[jit]
        while spares:
            worker = spares.popleft()
            if not worker.retiring:
                asyncio.get_running_loop().call_soon(self._fill_spares)
                return worker
        if self._booting() >= max(2, _CORES):
            return None
        if len(self._workers) >= self._settings.maximum and not self._evict(shelf):
            return None
        return self._new_worker(jit=jit)

    def _booting(self) -> int:
        return sum(worker.state is WorkerState.STARTING and not worker.retiring for worker in self._workers)

    def _evict(self, hungry: Shelf) -> bool:
        """Make room for a shelf: the longest idle worker of any other goes, or one of a far richer shelf retires."""
        idle = [worker for shelf in self._shelves.values() if shelf is not hungry and (worker := shelf.idle())]
        if idle:
            min(idle, key=lambda worker: worker.idle_since).kill()
            return True
        richest = max(self._shelves.values(), key=lambda shelf: len(shelf.workers), default=None)
        richer = richest is not None and len(richest.workers) > len(hungry.workers) + 1
        if richest is not None and richer and not any(worker.retiring for worker in richest.workers):
            richest.workers[0].retiring = True
        return False

    def _new_worker(self, *, jit: bool) -> Worker:
        engine = self._engines[jit]
        child = self._spawner.spawn(engine.argv, deno.WORKER_ENVIRONMENT, engine.lockdown)
        worker = Worker(
            child, settings=self._settings, handlers=self._handlers, on_free=self._freed, on_dead=self._buried
        )
        worker.jit = jit
        self._workers.add(worker)
        return worker

    def _fill_spares(self) -> None:
        if self._stopping or any(shelf.waiting for shelf in self._shelves.values()):
            return
        wanted = {False: self._settings.spares, True: 1 if True in self._engines else 0}
        for jit, spares in self._spares.items():
            while len(spares) < wanted[jit] and len(self._workers) < self._settings.maximum:
                spares.append(self._new_worker(jit=jit))

    def _freed(self, worker: Worker) -> None:
        if worker.pool_id is None:
            return
        if worker.retiring and not worker.in_flight and worker.state is not WorkerState.SETTLING:
            worker.kill()
            return
        shelf = self._shelves.get(worker.pool_id)
        if shelf is not None and shelf.waiting:
            shelf.dispatch()
        for private in self._private:
            private.dispatch()

    def _buried(self, worker: Worker) -> None:
        self._workers.discard(worker)
        if worker in self._spares[worker.jit]:
            self._spares[worker.jit].remove(worker)
        for shelf in self._all_shelves():
            if worker in shelf.workers:
                shelf.workers.remove(worker)
        self._feed_hungry(asyncio.get_running_loop().time())
        self._fill_spares()

    def _all_shelves(self) -> list[Shelf]:
        return [*self._shelves.values(), *self._private]

    def _feed_hungry(self, now: float) -> None:
        # Those with the fewest workers first: a crowd at one user pool does not starve another.
        for shelf in sorted((s for s in self._all_shelves() if s.waiting), key=lambda shelf: len(shelf.workers)):
            self._feed(shelf, now)

    def _hurry(self) -> None:
        if self._ticker is not None and self._ticker.when() - asyncio.get_running_loop().time() > _TICK_SECONDS:
            self._ticker.cancel()
            self._ticker = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        busy = False
        for worker in list(self._workers):
            if worker.state is WorkerState.IDLE:
                if now - worker.idle_since > self._settings.idle_seconds:
                    worker.kill()
            elif worker.state is WorkerState.STARTING:
                busy = True
                if now - worker.born_at > _BOOT_SECONDS:
                    worker.kill(Outcome.INTERNAL_ERROR, "the worker did not start")
            elif worker.state is not WorkerState.SPARE:
                busy = True
                worker.inspect(now)
        for shelf in self._all_shelves():
            self._expire(shelf, now)
        self._feed_hungry(now)
        self._forget_empty()
        self._fill_spares()
        self._ticker = loop.call_later(_TICK_SECONDS if busy or self._active else 1.0, self._tick)

    def _expire(self, shelf: Shelf, now: float) -> None:
        """Refuse what has waited too long."""
        while shelf.waiting:
            oldest = shelf.waiting[0]
            if now < min(oldest.sent_at + self._settings.queue_seconds, oldest.deadline):
                return
            shelf.waiting.popleft()
            if not oldest.done.done():
                oldest.done.set_exception(Overloaded())

    def _forget_empty(self) -> None:
        for pool_id in [pool_id for pool_id, shelf in self._shelves.items() if not shelf.workers and not shelf.waiting]:
            del self._shelves[pool_id]

    async def _prepare(self, *, jit: bool) -> None:
        """Measure how much data memory a blank worker needs, and settle the engine's limits by it."""
        unlimited = deno.engine(self._settings, jit=jit, baseline_bytes=0)
        self._engines[jit] = unlimited
        worker = self._new_worker(jit=jit)
        try:
            async with asyncio.timeout(_BOOT_SECONDS):
                await worker.booted.wait()
            if worker.state is WorkerState.DEAD or worker.pid is None:
                raise CannotStart(f"workers cannot start here: {worker.last_words}")
            baseline = deno.data_size(worker.pid)
        finally:
            worker.kill()
        self._engines[jit] = deno.engine(self._settings, jit=jit, baseline_bytes=baseline)
