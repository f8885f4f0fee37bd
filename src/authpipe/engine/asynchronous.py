"""Runs asynchronous invocations from their queue: at least once, a few attempts, then kept as failed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import structlog

from authpipe.errors import NotFound, Overloaded
from authpipe.ids import NewId
from authpipe.model import Clock, Outcome, Plan, Scene
from authpipe.settings import LimitSettings
from authpipe.storage.queue import InvocationQueue, QueuedInvocation

_CONCURRENCY = 8
_POLL_SECONDS = 1.0
#: how long an invocation is ours without a sign of life; what a crashed server held is taken up again after that
_LEASE_SECONDS = 15.0

#: outcomes after which another attempt could go better
RETRIED = frozenset(
    {
        Outcome.THREW,
        Outcome.TIMED_OUT,
        Outcome.MEMORY_EXCEEDED,
        Outcome.CPU_EXCEEDED,
        Outcome.CRASHED,
        Outcome.INTERNAL_ERROR,
        Outcome.OVERLOADED,
    }
)

_log = structlog.get_logger(__name__)


class RunsQueued(Protocol):
    """The engine, as far as the queue needs it."""

    async def run_queued(self, item: QueuedInvocation) -> Outcome:
        """Run the function live now, recorded. `NotFound` when it is no longer there."""
        ...


class Backlog:
    """Takes due invocations and has the engine run them."""

    def __init__(self, queue: InvocationQueue, engine: RunsQueued, limits: LimitSettings, clock: Clock) -> None:
        self._queue, self._engine, self._limits, self._clock = queue, engine, limits, clock
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._loop_task: asyncio.Task[None] | None = None

    @property
    def running(self) -> int:
        """Invocations being run."""
        return len(self._running)

    def start(self) -> None:
        """Begin taking invocations, what an earlier server left behind included."""
        self._loop_task = asyncio.get_running_loop().create_task(self._loop())

    async def stop(self) -> None:
        """Stop; what is running is given up and will be taken again when its lease ends."""
        tasks = [*self._running, *([self._loop_task] if self._loop_task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def notify(self) -> None:
        """There is something new in the queue."""
        self._wake.set()

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._take()
            except Exception as error:
                _log.error("the queue could not be read", error=str(error))
            # Not wait_for: on Python 3.11 it loses a cancellation that comes in the same turn as the wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()

    async def _take(self) -> None:
        room = _CONCURRENCY - len(self._running)
        if room <= 0:
            return
        for item in await self._queue.claim(limit=room, now=self._clock.now(), lease_seconds=_LEASE_SECONDS):
            task = asyncio.get_running_loop().create_task(self._attempt(item))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _attempt(self, item: QueuedInvocation) -> None:
        keeping = asyncio.get_running_loop().create_task(self._keep(item))
        try:
            outcome = await self._outcome(item)
        finally:
            # Over before the row is settled: a late renewal would bring a settled row back to life.
            keeping.cancel()
            await asyncio.wait({keeping})
        await self._settle(item, outcome)

    async def _keep(self, item: QueuedInvocation) -> None:
        """Renew the lease for as long as the invocation runs."""
        while True:
            await asyncio.sleep(_LEASE_SECONDS / 3)
            until = self._clock.now() + _LEASE_SECONDS
            await self._queue.retry(pool_id=item.pool_id, invocation_id=item.invocation_id, at=until)

    async def _outcome(self, item: QueuedInvocation) -> Outcome | None:
        """How it went; None when the function is gone or disabled."""
        try:
            return await self._engine.run_queued(item)
        except NotFound:
            return None
        except Overloaded:
            return Outcome.OVERLOADED
        except Exception as error:
            _log.error("asynchronous invocation failed", error=str(error), invocation_id=item.invocation_id)
            return Outcome.INTERNAL_ERROR

    async def _settle(self, item: QueuedInvocation, outcome: Outcome | None) -> None:
        names = {"pool_id": item.pool_id, "invocation_id": item.invocation_id}
        if outcome is None:
            await self._queue.fail(**names, reason="the function is gone or disabled")
        elif outcome not in RETRIED:
            await self._queue.done(**names)
        elif item.attempts >= self._limits.queue_attempts:
            await self._queue.fail(**names, reason=outcome.value)
        else:
            await self._queue.retry(**names, at=self._clock.now() + 2.0**item.attempts)


def queued(
    plan: Plan, step: int, snapshot: bytes, *, run_id: str, request_id: str, new_id: NewId, now: Callable[[], float]
) -> QueuedInvocation:
    """The row that promises to run asynchronous step `step` of `plan`."""
    return QueuedInvocation(
        invocation_id=new_id(),
        pool_id=plan.pool.pool_id,
        function_id=plan.steps[step].function_id,
        scene=Scene(plan.scene).value,
        run_id=run_id,
        request_id=request_id,
        user_id=None,
        app_id=None,
        snapshot=snapshot,
        attempts=0,
        created_at=now(),
    )
