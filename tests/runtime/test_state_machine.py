"""The worker pool under random good runs, denies, spins, kills and drains: every run ends once, as it may."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from authpipe.model import Outcome
from authpipe.runtime.pool import WorkerPool
from authpipe.settings import LimitSettings, RuntimeSettings

GOOD = "function pipe(user, context, callback) { user.nickname = env.WHO; callback(null, user, context) }"
DENY = "function pipe(user, context, callback) { callback(new Error('no')) }"
SPIN = "function pipe() { for (;;) {} }"
EXIT = "function pipe() { process.exit(0) }"

#: what a function may end with; a worker killed from outside is a crash for the run that was in it
ALLOWED = {
    GOOD: {Outcome.OK, Outcome.CRASHED},
    DENY: {Outcome.DENIED, Outcome.CRASHED},
    SPIN: {Outcome.TIMED_OUT, Outcome.CRASHED},
    EXIT: {Outcome.CRASHED},
}
POOLS = ("a" * 24, "b" * 24, "c" * 24)


class WorkerPoolMachine(RuleBasedStateMachine):
    """Drives a real pool of at most three workers."""

    def __init__(self, make_bench: Callable[[WorkerPool], Any]) -> None:
        super().__init__()
        self.make_bench = make_bench
        self.runner = asyncio.Runner()
        self.generations = dict.fromkeys(POOLS, 1)
        self.owners: dict[int, str] = {}
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.workers = WorkerPool(RuntimeSettings(spares=1, workers_maximum=3), LimitSettings(), {})
        await self.workers.start()
        self.bench = self.make_bench(self.workers)

    @rule(pool_id=st.sampled_from(POOLS), sources=st.lists(st.sampled_from([GOOD, DENY, EXIT]), min_size=1, max_size=6))
    def run_together(self, pool_id: str, sources: list[str]) -> None:
        self.runner.run(self._run(pool_id, sources, kill=False))

    @rule(pool_id=st.sampled_from(POOLS), sources=st.lists(st.sampled_from([GOOD, SPIN]), min_size=1, max_size=4))
    def run_and_kill_workers(self, pool_id: str, sources: list[str]) -> None:
        self.runner.run(self._run(pool_id, sources, kill=True))

    @rule(pool_id=st.sampled_from(POOLS))
    def drain(self, pool_id: str) -> None:
        self.generations[pool_id] += 1
        self.runner.run(self._drain(pool_id))

    async def _drain(self, pool_id: str) -> None:
        self.workers.drain(pool_id, self.generations[pool_id])

    async def _run(self, pool_id: str, sources: list[str], *, kill: bool) -> None:
        programs = [
            self.bench.program(
                source, pool_id=pool_id, generation=self.generations[pool_id], environment={"WHO": pool_id}
            )
            for source in sources
        ]
        tasks = [asyncio.create_task(self.bench.run(program)) for program in programs]
        if kill:
            await asyncio.wait(tasks, timeout=0.05)
            for pid in [worker.pid for worker in self.workers._workers if worker.in_flight and worker.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        results = await asyncio.wait_for(asyncio.gather(*tasks), 60)
        for source, result in zip(sources, results, strict=True):
            assert len(result.invocations) == 1
            assert result.invocations[0].outcome in ALLOWED[source], result
            if result.invocations[0].outcome is Outcome.OK:
                assert pool_id.encode() in result.user

    @invariant()
    def no_worker_changes_hands(self) -> None:
        for worker in self.workers._workers:
            if worker.pid is not None and worker.pool_id is not None:
                assert self.owners.setdefault(worker.pid, worker.pool_id) == worker.pool_id

    @invariant()
    def the_ceiling_holds(self) -> None:
        assert sum(not worker.retiring for worker in self.workers._workers) <= 3
        assert self.workers.stats()["waiting"] == 0

    def teardown(self) -> None:
        pids = [worker.pid for worker in self.workers._workers]
        self.runner.run(self.workers.stop())
        self.runner.close()
        for pid in filter(None, pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 0)
                raise AssertionError(f"worker {pid} is still there")


def test_random_runs_kills_and_drains(make_bench: Callable[[WorkerPool], Any]) -> None:
    small = settings(max_examples=6, stateful_step_count=10, deadline=None)
    run_state_machine_as_test(lambda: WorkerPoolMachine(make_bench), settings=small)
