"""One traversal of a pipeline across as many workers as it takes: kill, skip or end, resume."""

from __future__ import annotations

import asyncio

from authpipe import wire
from authpipe.model import Invocation, Outcome
from authpipe.runtime.exchange import Ended, Exchange
from authpipe.runtime.program import PipelineResult, PipelineRun, Snapshot
from authpipe.settings import LimitSettings

#: workers a run may lose before it has started there
_MOVES = 4


class Traversal:
    """Collects what the exchanges of one run brought, and says where the next one starts."""

    def __init__(self, run: PipelineRun, deadline: float) -> None:
        self._run = run
        self._deadline = deadline
        self._first = 0
        self._moves = 0
        self._outcome: Outcome | None = None
        self._invocations: dict[int, Invocation] = {}
        self._snapshots: dict[int, Snapshot] = {}
        self._user, self._context = run.user, run.context
        self._removed = run.removed or wire.Removed()

    @property
    def finished(self) -> bool:
        """Whether `result` can be had."""
        return self._outcome is not None

    @property
    def has_started(self) -> bool:
        """Whether any function was called, or put off, so far."""
        return bool(self._invocations or self._snapshots)

    def next_exchange(self, number: int, limits: LimitSettings) -> Exchange:
        """The next Run frame, from the step and with the values reached so far."""
        exchange = Exchange(self._run, number=number, first=self._first, limits=(limits.log_lines, limits.log_bytes))
        exchange.user, exchange.context, exchange.removed = self._user, self._context, self._removed
        exchange.deadline = self._deadline
        return exchange

    def take(self, exchange: Exchange, ended: Ended) -> None:
        """Fold an exchange that has ended."""
        self._invocations |= exchange.invocations
        self._snapshots |= {snapshot.step: snapshot for snapshot in exchange.snapshots}
        self._user, self._context, self._removed = exchange.user, exchange.context, exchange.removed
        if ended is Ended.UNTOUCHED or (ended is Ended.DIED and self._put_off(exchange)):
            self._move(exchange)
        elif ended is Ended.ANSWERED:
            self._judge_answer(exchange)
        else:
            self._judge_death(exchange)

    def _put_off(self, exchange: Exchange) -> bool:
        """Whether the last mark was an asynchronous step's, so that no function is to blame."""
        return exchange.step is not None and exchange.program.steps[exchange.step].asynchronous

    def _move(self, exchange: Exchange) -> None:
        self._moves += 1
        self._first = exchange.first if exchange.step is None else exchange.step
        if self._moves >= _MOVES:
            self._blame(self._first, Outcome.INTERNAL_ERROR, "no worker stayed alive to run this")

    def _judge_answer(self, exchange: Exchange) -> None:
        outcome = exchange.last_outcome
        step = next(reversed(exchange.invocations), None)
        if outcome is Outcome.OK or (step is not None and exchange.invocations[step].skipped):
            self._outcome = Outcome.OK
            if exchange.is_too_deep() and step is not None:
                detail = f"user and context may not nest deeper than {wire.DEPTH_LIMIT}"
                self._blame(step, Outcome.BAD_RESULT, detail)
        elif outcome is Outcome.TIMED_OUT and step is not None:
            self._skip_or_end(step)
        else:
            self._outcome = outcome

    def _judge_death(self, exchange: Exchange) -> None:
        assert exchange.death is not None
        outcome, detail = exchange.death
        step = self._first if exchange.step is None else exchange.step
        self._blame(step, outcome, detail)
        if exchange.step_started_at:
            elapsed = asyncio.get_running_loop().time() - exchange.step_started_at
            self._invocations[step].duration = round(elapsed * 1000, 3)
        if outcome is Outcome.TIMED_OUT:
            self._skip_or_end(step)

    def _blame(self, step: int, outcome: Outcome, detail: str) -> None:
        invocation = self._invocations.setdefault(step, self._run.program.steps[step].invocation())
        invocation.outcome, invocation.detail = outcome, detail
        self._outcome = outcome

    def _skip_or_end(self, step: int) -> None:
        out_of_time = asyncio.get_running_loop().time() >= self._deadline
        if out_of_time or not self._run.program.steps[step].skips:
            self._outcome = Outcome.TIMED_OUT
            return
        self._invocations[step].skipped = True
        self._first = step + 1
        self._outcome = Outcome.OK if self._first >= len(self._run.program.steps) else None

    def result(self) -> PipelineResult:
        """What the run came to."""
        assert self._outcome is not None
        return PipelineResult(
            outcome=self._outcome,
            invocations=[self._invocations[step] for step in sorted(self._invocations)],
            user=self._user,
            context=self._context,
            removed=self._removed,
            snapshots=[self._snapshots[step] for step in sorted(self._snapshots)],
        )
