"""Folds what workers said about a run into a verdict and a record, by the outcome table."""

from __future__ import annotations

from typing import Any

import msgspec

from authpipe import wire
from authpipe.engine import effects as effect
from authpipe.engine.plans import CompiledPlan
from authpipe.model import (
    FAILED_MESSAGE,
    OUTCOMES,
    Effects,
    Invocation,
    JsonObject,
    Outcome,
    RecordLevel,
    Verdict,
)
from authpipe.runtime.program import PipelineResult, PipelineRun
from authpipe.storage.runs import RunRecord

_decode = msgspec.json.Decoder().decode


def nothing_to_run(run: PipelineRun) -> PipelineResult:
    """The result of a pipeline without functions."""
    return PipelineResult(
        outcome=Outcome.OK, invocations=[], user=run.user, context=run.context, removed=wire.Removed(), snapshots=[]
    )


class Event(msgspec.Struct):
    """What functions are given, as objects, and what is asked of the workers."""

    user: JsonObject | None
    context: JsonObject
    run: PipelineRun


def fold(compiled: CompiledPlan, event: Event, result: PipelineResult, *, run_id: str, request_id: str) -> Verdict:
    """The verdict of a run. What cannot be decoded is the last function's bad result."""
    before = user = event.user
    context = event.context
    effects = Effects()
    warnings: list[str] = []
    if result.outcome is Outcome.OK:
        try:
            after, changed = _decode(result.user), _decode(result.context)
            context = changed if type(changed) is dict else context
            effects, warnings = effect.fold(before, after, result.removed, plan=compiled.plan)
            user = effect.final_user(before, after, effects)
        except (msgspec.DecodeError, RecursionError) as error:
            _spoil(result, f"user and context are not valid JSON: {error}")
    for invocation in result.invocations:
        _redact(compiled, invocation)
    if warnings and result.invocations:
        result.invocations[-1].warnings.extend(warnings)
    allowed = result.outcome is Outcome.OK
    return Verdict(
        request_id=request_id,
        run_id=run_id,
        verdict="continue" if allowed else "deny",
        reason="ok" if allowed else "denied" if result.outcome is Outcome.DENIED else "failed",
        status_code=200 if allowed else 603,
        message=None if allowed else _shown(compiled, result, request_id),
        user=user,
        context=context,
        effects=effects,
        steps=result.invocations,
        queued=[],
    )


def _spoil(result: PipelineResult, detail: str) -> None:
    result.outcome = Outcome.BAD_RESULT
    if result.invocations:
        last = result.invocations[-1]
        last.outcome, last.skipped, last.detail = Outcome.BAD_RESULT, False, detail


def _shown(compiled: CompiledPlan, result: PipelineResult, request_id: str) -> str:
    """What the end user reads about a deny."""
    last = result.invocations[-1] if result.invocations else None
    shown = OUTCOMES[result.outcome].shown
    own = last is not None and last.message is not None
    thrown = result.outcome is Outcome.THREW and compiled.plan.pool.settings.show_thrown_messages
    if last is not None and own and (shown == "own" or thrown):
        return last.message or ""
    return f"{FAILED_MESSAGE} (request {request_id})"


def _redact(compiled: CompiledPlan, invocation: Invocation) -> None:
    redactor = compiled.redactor
    if not redactor:
        return
    if invocation.message is not None:
        invocation.message = redactor.text(invocation.message)
    if invocation.detail is not None:
        invocation.detail = redactor.text(invocation.detail)
    invocation.logs = redactor.json(invocation.logs)
    invocation.console = redactor.json(invocation.console)
    invocation.warnings = redactor.json(invocation.warnings)


def record(
    compiled: CompiledPlan, verdict: Verdict, run: PipelineRun, started_at: float, elapsed: float, *, origin: str
) -> RunRecord:
    """What is kept of a run; `elapsed` in milliseconds."""
    full = compiled.plan.pool.settings.record_level is RecordLevel.FULL
    return RunRecord(
        run_id=verdict.run_id,
        pool_id=compiled.plan.pool.pool_id,
        scene=compiled.plan.scene.value,
        verdict=verdict.verdict,
        reason=verdict.reason,
        message=verdict.message,
        request_id=verdict.request_id,
        user_id=_text(verdict.user, "id"),
        app_id=_text(verdict.context, "appId"),
        started_at=started_at,
        duration=elapsed,
        origin=origin,
        steps=verdict.steps,
        snapshot=b'{"user":' + run.user + b',"context":' + run.context + b"}" if full else None,
    )


def _text(holder: JsonObject | None, name: str) -> str | None:
    value: Any = holder.get(name) if holder is not None else None
    return value[:128] if isinstance(value, str) else None


def let_through(steps: list[Invocation]) -> int:
    """How many functions the flow went on without."""
    return sum(step.skipped for step in steps)
