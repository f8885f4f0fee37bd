"""One event at a scene in, one verdict out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping
from typing import Protocol

import msgspec

from authpipe.engine import verdicts
from authpipe.engine.asynchronous import queued
from authpipe.engine.context import build_context
from authpipe.engine.plans import CompiledPlan, PlanCache
from authpipe.engine.repeats import Repeats
from authpipe.engine.user import build_user
from authpipe.errors import NotFound, PayloadTooLarge
from authpipe.ids import NewId
from authpipe.model import (
    Clock,
    CompileReport,
    JsonObject,
    Outcome,
    Plan,
    Queued,
    RecordLevel,
    Scene,
    Step,
    Verdict,
)
from authpipe.runtime.program import PipelineResult, PipelineRun
from authpipe.settings import LimitSettings
from authpipe.storage.queue import QueuedInvocation
from authpipe.storage.runs import RunRecord

_encode = msgspec.json.Encoder().encode


class RunsPipelines(Protocol):
    """The worker pool, or a scripted one in tests."""

    async def run(self, run: PipelineRun) -> PipelineResult: ...

    async def run_once(self, run: PipelineRun) -> PipelineResult: ...

    async def check(self, source: str) -> CompileReport: ...

    def drain(self, pool_id: str, generation: int) -> None: ...


class StoresInvocations(Protocol):
    """The queue of asynchronous invocations, as far as a run needs it."""

    async def __call__(self, items: list[QueuedInvocation]) -> None: ...


class Observe(Protocol):
    """Hears of every run of at least one function; `keep` when the user pool wants it recorded."""

    def __call__(self, record: RunRecord, *, keep: bool) -> None: ...


class Engine:
    """Runs a user pool's pipeline for whatever drives the identity flow."""

    def __init__(
        self,
        *,
        workers: RunsPipelines,
        plans: PlanCache,
        store: StoresInvocations,
        observe: Observe,
        limits: LimitSettings,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._workers, self._plans, self._store, self._observe = workers, plans, store, observe
        self._limits, self._clock, self._new_id = limits, clock, new_id
        self._repeats = Repeats(limits.repeat_seconds)

    async def run(
        self,
        *,
        pool_id: str,
        scene: Scene,
        user: JsonObject | None,
        context: JsonObject,
        identifiers: JsonObject | None = None,
        deadline_ms: int | None = None,
        request_id: str | None = None,
    ) -> Verdict:
        """Run the enabled functions of `scene`, in order, over `user` and `context`.

        `identifiers` are the e-mail, phone and username the identity host will really use; `deadline_ms` bounds the
        whole run; the same `request_id` within a minute gives the same verdict without running again.
        Raises `NotFound`, `PayloadTooLarge`, `Conflict` (a request id reused for something else) and `Overloaded`.
        Source: contract.md, sections 1 to 4.
        """
        compiled = self._plans.cached(pool_id, scene) or await self._plans.get(pool_id=pool_id, scene=scene)
        if request_id is None:
            return await self._traverse(compiled, user, context, identifiers, deadline_ms, None)

        def traverse() -> Awaitable[Verdict]:
            return self._traverse(compiled, user, context, identifiers, deadline_ms, request_id)

        body = _encode([user, context, identifiers])
        return await self._repeats.once((pool_id, scene, request_id), body, traverse)

    async def debug(
        self,
        *,
        pool_id: str,
        scene: Scene,
        source: str,
        user: JsonObject | None,
        context: JsonObject,
        name: str = "draft",
        timeout: int | None = None,  # noqa: ASYNC109 -- the function's, not ours
        terminate_on_timeout: bool | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Verdict:
        """Run a draft alone against the user pool's environment, on a fresh worker; nothing is stored.

        `environment` adds to the user pool's. A source that does not compile ends as `threw`, with line and column.
        """
        live = await self._plans.get(pool_id=pool_id, scene=scene)
        report = await self._workers.check(source)
        step = Step(
            function_id="draft",
            name=name,
            revision=0,
            source=source,
            parameters=report.parameters,
            asynchronous=False,
            timeout=timeout or self._limits.default_timeout,
            terminate_on_timeout=terminate_on_timeout,
            broken=report.error,
        )
        merged = {**live.plan.environment, **(environment or {})}
        plan = msgspec.structs.replace(live.plan, steps=(step,), environment=merged)
        compiled = self._plans.compile(plan, generation=0)
        event = self._event(compiled, user, context, None, None)
        result = await self._workers.run_once(event.run)
        request_id = self._new_id()
        return verdicts.fold(compiled, event, result, run_id=request_id, request_id=request_id)

    async def run_queued(self, item: QueuedInvocation) -> Outcome:
        """Run an asynchronous invocation with the revision and environment live now; it is recorded."""
        scene = Scene(item.scene)
        live = await self._plans.get(pool_id=item.pool_id, scene=scene)
        compiled = self._plans.alone(live, item.function_id)
        if compiled is None:
            raise NotFound
        snapshot = msgspec.json.decode(item.snapshot, type=_Snapshot)
        run = PipelineRun(program=compiled.program, user=bytes(snapshot.user), context=bytes(snapshot.context))
        started_at, started = self._clock.now(), time.perf_counter()
        result = await self._workers.run(run)
        event = verdicts.Event(msgspec.json.decode(run.user), msgspec.json.decode(run.context), run)
        verdict = verdicts.fold(compiled, event, result, run_id=self._new_id(), request_id=item.request_id)
        self._record(compiled, verdict, run, started_at, started, origin="asynchronous")
        return result.outcome

    def plan_changed(self, pool_id: str) -> None:
        """Forget the user pool's plans and drain its workers."""
        self._workers.drain(pool_id, self._plans.drop(pool_id))

    async def _traverse(
        self,
        compiled: CompiledPlan,
        user: JsonObject | None,
        context: JsonObject,
        identifiers: JsonObject | None,
        deadline_ms: int | None,
        request_id: str | None,
    ) -> Verdict:
        started_at, started = self._clock.now(), time.perf_counter()
        run_id = self._new_id()
        event = self._event(compiled, user, context, identifiers, deadline_ms)
        run = event.run
        if compiled.program.steps:
            result = await self._workers.run(run)
        else:
            result = verdicts.nothing_to_run(run)
        verdict = verdicts.fold(compiled, event, result, run_id=run_id, request_id=request_id or run_id)
        if result.snapshots:
            verdict.queued = await self._put_off(compiled.plan, result, verdict)
        if compiled.plan.steps:
            self._record(compiled, verdict, run, started_at, started, origin="run")
        return verdict

    def _event(
        self,
        compiled: CompiledPlan,
        user: JsonObject | None,
        context: JsonObject,
        identifiers: JsonObject | None,
        deadline_ms: int | None,
    ) -> verdicts.Event:
        plan = compiled.plan
        built = build_context(context, plan=plan, identifiers=identifiers, has_user=bool(user))
        shown = build_user(user, plan=plan, context=built)
        user_text = _encode(shown)
        context_text = _encode(built)
        if len(user_text) + len(context_text) > self._limits.event_bytes:
            raise PayloadTooLarge(f"user and context together may have {self._limits.event_bytes} bytes of JSON.")
        deadline = None if deadline_ms is None else deadline_ms / 1000
        run = PipelineRun(program=compiled.program, user=user_text, context=context_text, deadline=deadline)
        return verdicts.Event(shown, built, run)

    def _record(
        self,
        compiled: CompiledPlan,
        verdict: Verdict,
        run: PipelineRun,
        started_at: float,
        started: float,
        *,
        origin: str,
    ) -> None:
        elapsed = (time.perf_counter() - started) * 1000
        keep = compiled.plan.pool.settings.record_level is not RecordLevel.NONE
        self._observe(verdicts.record(compiled, verdict, run, started_at, elapsed, origin=origin), keep=keep)

    async def _put_off(self, plan: Plan, result: PipelineResult, verdict: Verdict) -> list[Queued]:
        items = [
            queued(
                plan,
                snapshot.step,
                b'{"user":' + snapshot.user + b',"context":' + snapshot.context + b"}",
                run_id=verdict.run_id,
                request_id=verdict.request_id,
                new_id=self._new_id,
                now=self._clock.now,
            )
            for snapshot in result.snapshots
        ]
        await self._store(items)
        return [Queued(function_id=item.function_id, invocation_id=item.invocation_id) for item in items]


class _Snapshot(msgspec.Struct):
    user: msgspec.Raw
    context: msgspec.Raw
