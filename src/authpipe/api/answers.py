"""The shapes of a run's question and answer on the wire."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from authpipe.model import Effects, Invocation, JsonObject, Verdict


class RunRequest(msgspec.Struct, rename="camel"):
    """What a caller asks for; further fields are tolerated."""

    #: name or alias of a scene
    scene: str
    user: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    #: email, phone and username the caller's flow really uses; they win over the request body's
    identifiers: dict[str, Any] | None = None
    #: milliseconds the whole run may take
    deadline_ms: Annotated[int, Meta(ge=1, le=3_600_000)] | None = None
    #: asking again with it within a minute gives the same answer without running again
    request_id: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,128}$")] | None = None


class StepAnswer(msgspec.Struct, rename="camel"):
    """How one function went, for the operator, not for the end user."""

    func_id: str
    func_name: str
    outcome: str
    #: the flow went on as if the function were not there
    skipped: bool
    duration_ms: float
    #: one entry a `log(...)` call: its arguments
    logs: list[list[Any]]
    #: one entry a console call: {"level", "args"}
    console: list[dict[str, Any]]
    warnings: list[str]
    message: str | UnsetType = UNSET
    #: stack or explanation for the function's author
    detail: str | UnsetType = UNSET


class QueuedAnswer(msgspec.Struct, rename="camel"):
    """An asynchronous invocation that was stored for later."""

    func_id: str
    invocation_id: str


class RunAnswer(msgspec.Struct, rename="camel"):
    """What a run tells the caller's flow."""

    request_id: str
    run_id: str
    #: "continue" or "deny"
    verdict: str
    #: "ok", "denied" or "failed"
    reason: str
    #: 200, or 603 for a deny
    status_code: int
    #: fit for the end user
    message: str | None
    user: JsonObject | None
    context: JsonObject
    effects: Effects
    steps: list[StepAnswer]
    queued: list[QueuedAnswer]


class DebugAnswer(msgspec.Struct, rename="camel"):
    """What a debug run came to.."""

    request_id: str
    #: 200, or 603 for a deny
    code: int
    verdict: str
    reason: str
    message: str | None
    user: JsonObject | None
    context: JsonObject
    effects: Effects
    steps: list[StepAnswer]


def run_answer(verdict: Verdict) -> RunAnswer:
    """`verdict` as it goes over the wire."""
    return RunAnswer(
        verdict.request_id,
        verdict.run_id,
        verdict.verdict,
        verdict.reason,
        verdict.status_code,
        verdict.message,
        verdict.user,
        verdict.context,
        verdict.effects,
        [step_answer(step) for step in verdict.steps],
        [QueuedAnswer(item.function_id, item.invocation_id) for item in verdict.queued],
    )


def debug_answer(verdict: Verdict) -> DebugAnswer:
    """The verdict of a debug run as it goes over the wire."""
    return DebugAnswer(
        verdict.request_id,
        verdict.status_code,
        verdict.verdict,
        verdict.reason,
        verdict.message,
        verdict.user,
        verdict.context,
        verdict.effects,
        [step_answer(step) for step in verdict.steps],
    )


def step_answer(step: Invocation) -> StepAnswer:
    """One invocation as it goes over the wire."""
    return StepAnswer(
        step.function_id,
        step.name,
        step.outcome,
        step.skipped,
        step.duration,
        step.logs,
        step.console,
        step.warnings,
        UNSET if step.message is None else step.message,
        UNSET if step.detail is None else step.detail,
    )
