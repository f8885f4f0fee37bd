"""Runs and the logs of functions as their author reads them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from authpipe.control import draft as drafts
from authpipe.control.functions import PipelineFunction, view
from authpipe.control.texts import one_line
from authpipe.errors import InvalidArgument
from authpipe.model import Invocation, JsonObject, Outcome, Scene
from authpipe.storage.functions import Functions
from authpipe.storage.runs import RunRecord, Runs
from authpipe.storage.timestamps import rfc3339

_RUN_ID_LIMIT = 64
#: most runs in one answer
RUNS_LIMIT = 100
#: most log entries on one page. Source: contract.md, section 6.3
LOGS_LIMIT = 50
#: a page further on than this is a mistake
_PAGES = 1_000_000

_OK = frozenset({Outcome.OK, Outcome.DENIED})


class StepView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One step of a run on the wire; in a list of runs without what it wrote."""

    func_id: str
    func_name: str
    revision: int
    outcome: Outcome
    skipped: bool
    duration_ms: float
    message: str | None
    detail: str | None
    logs: list[list[Any]]
    console: list[JsonObject]
    warnings: list[str]


class RunView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One run on the wire."""

    run_id: str
    request_id: str
    scene: str
    #: "run", "asynchronous" or "debug"
    origin: str
    #: "continue" or "deny"
    verdict: str
    #: "ok", "denied" or "failed"
    reason: str
    message: str | None
    user_id: str | None
    app_id: str | None
    #: RFC 3339 with milliseconds
    started_at: str
    duration_ms: float
    steps: list[StepView]
    #: {"user", "context"} as the run began, at record level full; never in a list
    snapshot: JsonObject | msgspec.UnsetType = msgspec.UNSET


class LogEntry(PipelineFunction, frozen=True, kw_only=True, rename="camel"):
    """One invocation of a function, with every field of the function. Source: contract.md, section 6.6.

    `status` says whether it went well (ok, or a deny the function wanted); `createdAt` and `updatedAt` are its start.
    """

    log_id: str
    run_id: str
    request_id: str
    trigger_time: str
    #: milliseconds
    duration: float
    outcome: Outcome
    skipped: bool
    error_message: str | None
    error_detail: str | None
    logs: list[list[Any]]
    console: list[JsonObject]
    warnings: list[str]
    user_id: str | None
    app_id: str | None
    debug: bool


class RunLog:
    """Reads what was recorded; `flush` is awaited first, so that a run just made is there."""

    def __init__(
        self, runs: Runs, functions: Functions, *, flush: Callable[[], Awaitable[None]], default_timeout: int = 3
    ) -> None:
        self._runs, self._functions, self._flush = runs, functions, flush
        self._default_timeout = default_timeout

    async def runs(
        self, *, pool_id: str, scene: object = None, before: object = None, limit: object = 20
    ) -> list[RunView]:
        """Up to `limit` (at most 100) runs, newest first, older than the run `before`. Raises `InvalidArgument`."""
        wanted = None if scene in (None, "") else Scene.parse(scene)
        cursor = None if before in (None, "") else one_line(before, field="before", limit=_RUN_ID_LIMIT)
        count = min(_positive(limit, "limit"), RUNS_LIMIT)
        await self._flush()
        found = await self._runs.list(pool_id=pool_id, scene=wanted, before=cursor, limit=count)
        return [_run_view(record) for record in found]

    async def run(self, *, pool_id: str, run_id: object) -> RunView:
        """That run with its logs and, at record level full, its snapshot. Raises `NotFound`."""
        checked = one_line(run_id, field="runId", limit=_RUN_ID_LIMIT)
        await self._flush()
        return _run_view(await self._runs.get(pool_id=pool_id, run_id=checked))

    async def function_logs(
        self, *, pool_id: str, function_id: object, page: object = 1, limit: object = 10
    ) -> tuple[int, list[LogEntry]]:
        """(how many, page `page` of `limit`, at most 50) of the function's log entries, newest first.

        Raises `NotFound`, `InvalidArgument`.
        """
        number, size = min(_positive(page, "page"), _PAGES), min(_positive(limit, "limit"), LOGS_LIMIT)
        function = await self._functions.get(pool_id=pool_id, function_id=drafts.function_id_of(function_id))
        await self._flush()
        total, found = await self._runs.invocations(
            pool_id=pool_id, function_id=function.function_id, page=number, limit=size
        )
        shown = view(function, self._default_timeout)
        return total, [_log_entry(shown, record, invocation) for record, invocation in found]


def _positive(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgument(f"{field} must be a whole number from 1 on.")
    return value


def _run_view(record: RunRecord) -> RunView:
    snapshot = msgspec.UNSET if record.snapshot is None else msgspec.json.decode(record.snapshot)
    return RunView(
        run_id=record.run_id,
        request_id=record.request_id,
        scene=record.scene,
        origin=record.origin,
        verdict=record.verdict,
        reason=record.reason,
        message=record.message,
        user_id=record.user_id,
        app_id=record.app_id,
        started_at=rfc3339(record.started_at),
        duration_ms=record.duration,
        steps=[_step_view(step) for step in record.steps],
        snapshot=snapshot,
    )


def _step_view(step: Invocation) -> StepView:
    return StepView(
        func_id=step.function_id,
        func_name=step.name,
        revision=step.revision,
        outcome=step.outcome,
        skipped=step.skipped,
        duration_ms=step.duration,
        message=step.message,
        detail=step.detail,
        logs=step.logs,
        console=step.console,
        warnings=step.warnings,
    )


def _log_entry(function: PipelineFunction, record: RunRecord, invocation: Invocation) -> LogEntry:
    began = rfc3339(record.started_at)
    of_function = msgspec.structs.asdict(function)
    of_function |= {"created_at": began, "updated_at": began, "upload_err_msg": msgspec.UNSET}
    of_function["status"] = "success" if invocation.outcome in _OK else "failed"
    return LogEntry(
        **of_function,
        log_id=f"{record.run_id}-{invocation.function_id}",
        run_id=record.run_id,
        request_id=record.request_id,
        trigger_time=began,
        duration=invocation.duration,
        outcome=invocation.outcome,
        skipped=invocation.skipped,
        error_message=invocation.message,
        error_detail=invocation.detail,
        logs=invocation.logs,
        console=invocation.console,
        warnings=invocation.warnings,
        user_id=record.user_id,
        app_id=record.app_id,
        debug=record.origin == "debug",
    )
