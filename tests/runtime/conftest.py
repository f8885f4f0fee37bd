"""A real worker pool and programs made from sources."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from authpipe.engine.plans import PlanCache
from authpipe.model import Plan, PoolSettings, Scene, Step, UserPool
from authpipe.runtime.hostcalls import HostCallHandlers
from authpipe.runtime.pool import WorkerPool
from authpipe.runtime.program import PipelineResult, PipelineRun, Program
from authpipe.settings import LimitSettings, RuntimeSettings


class Bench:
    """Compiles sources and runs them in a real worker pool."""

    def __init__(self, workers: WorkerPool) -> None:
        self.workers = workers
        self._plans = PlanCache(self._no_rows, LimitSettings())
        self._generations = itertools.count(1)

    async def _no_rows(self, **names: Any) -> Plan:
        raise NotImplementedError

    def program(
        self,
        *sources: str,
        pool_id: str = "a" * 24,
        scene: Scene = Scene.POST_AUTHENTICATION,
        generation: int = 1,
        asynchronous: tuple[int, ...] = (),
        environment: dict[str, str] | None = None,
        options: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Program:
        pool = UserPool(
            pool_id=pool_id, name="Bench", settings=PoolSettings(**settings), created_at="2026-01-01T00:00:00.000Z"
        )
        steps = tuple(
            Step(
                function_id=hashlib.md5(source.encode()).hexdigest()[:24],
                name=f"f{place}",
                revision=1,
                source=source,
                parameters=None,
                asynchronous=place in asynchronous,
                **{"timeout": 1, "terminate_on_timeout": None, **(options or {})},
            )
            for place, source in enumerate(sources)
        )
        plan = Plan(pool=pool, scene=scene, steps=steps, environment=environment or {})
        return self._plans.compile(plan, generation).program

    async def run(
        self, program: Program, user: Any = None, context: Any = None, deadline: float | None = None
    ) -> PipelineResult:
        accumulators = ("customData", "customDataOnce", "idToken", "customAccessTokenClaims", "decryptedToken")
        full = {**(user or {}), **{name: {} for name in accumulators}}
        run = PipelineRun(
            program=program,
            user=msgspec.json.encode(full),
            context=msgspec.json.encode(context or {"request": {"body": {}}}),
            deadline=deadline,
        )
        return await self.workers.run(run)


OpenPool = Callable[..., Any]


@pytest.fixture
def open_pool() -> OpenPool:
    """Opens a worker pool with the given runtime settings; ends every process afterwards."""

    @asynccontextmanager
    async def opened(handlers: HostCallHandlers | None = None, **changes: Any) -> AsyncIterator[Bench]:
        settings = dataclasses.replace(RuntimeSettings(), **changes)
        workers = WorkerPool(settings, LimitSettings(), handlers or {})
        await workers.start()
        try:
            yield Bench(workers)
        finally:
            await workers.stop()

    return opened


@pytest.fixture
async def bench(open_pool: OpenPool) -> AsyncIterator[Bench]:
    """A worker pool with default settings."""
    async with open_pool() as made:
        yield made


@pytest.fixture
def make_bench() -> Callable[[WorkerPool], Bench]:
    """For tests that run their own event loop."""
    return Bench
