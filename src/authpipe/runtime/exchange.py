"""One Run frame and what a worker said about it so far."""

from __future__ import annotations

import asyncio
from enum import Enum

import msgspec

from authpipe import wire
from authpipe.model import Invocation, Outcome
from authpipe.runtime.program import PipelineRun, Program, Snapshot

#: outcomes a worker may report by itself
REPORTABLE = frozenset(
    {
        Outcome.OK,
        Outcome.DENIED,
        Outcome.THREW,
        Outcome.BAD_RESULT,
        Outcome.TIMED_OUT,
        Outcome.NO_CALLBACK,
        Outcome.MEMORY_EXCEEDED,
    }
)


class Ended(Enum):
    """How an exchange with one worker ended."""

    #: a Result frame came
    ANSWERED = "answered"
    #: the worker died under a started function, which is the culprit
    DIED = "died"
    #: the worker died before the run had started there: it is free to move
    UNTOUCHED = "untouched"
    #: the worker died of another run's function after this one had started
    BYSTANDER = "bystander"


class Exchange:
    """The state of one run at one worker. Everything in it is checked against the plan before it is kept."""

    __slots__ = (
        "context",
        "deadline",
        "death",
        "done",
        "first",
        "host_calls",
        "invocations",
        "limits",
        "log_bytes",
        "number",
        "open",
        "program",
        "removed",
        "result",
        "sent_at",
        "snapshots",
        "started_at",
        "step",
        "step_deadline",
        "step_started_at",
        "user",
    )

    def __init__(self, run: PipelineRun, *, number: int, first: int, limits: tuple[int, int]) -> None:
        self.program: Program = run.program
        self.number = number
        #: step to start from, and the values before it
        self.first = first
        self.user = run.user
        self.context = run.context
        self.removed = run.removed or wire.Removed()
        #: the step whose start mark came last
        self.step: int | None = None
        #: the step that was called and not yet reported
        self.open: int | None = None
        self.invocations: dict[int, Invocation] = {}
        self.snapshots: list[Snapshot] = []
        self.result: wire.Result | None = None
        #: outcome and detail when the worker died
        self.death: tuple[Outcome, str] | None = None
        self.sent_at = 0.0
        self.started_at: float | None = None
        self.step_started_at = 0.0
        #: event-loop time at which the current function is killed
        self.step_deadline: float | None = None
        #: event-loop time at which the whole run is over
        self.deadline = 0.0
        self.host_calls = 0
        self.limits = limits
        self.log_bytes = 0
        self.done: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def payload(self) -> bytes:
        """The Run frame's payload."""
        head = b'{"run":%d,"plan":%d,"from":%d,"user":' % (self.number, self.program.number, self.first)
        tail = b"}"
        if self.removed.id_token or self.removed.access_token or self.removed.login_token:
            tail = b',"removed":' + msgspec.json.encode(self.removed) + tail
        return b"".join((head, self.user, b',"context":', self.context, tail))

    def mark(self, mark: wire.StartMark) -> None:
        """A function is about to be called, loaded, or was put off. Raises `BadFrame`."""
        steps = self.program.steps
        if not (self.first if self.step is None else self.step) <= mark.step < len(steps):
            raise wire.BadFrame("start mark out of order")
        if mark.last is not None:
            self._report(mark.last)
        if self.open not in (None, mark.step):
            raise wire.BadFrame("start mark while another function runs")
        self._checkpoint(bytes(mark.user), bytes(mark.context), mark.removed)
        self.step = mark.step
        if steps[mark.step].asynchronous:
            self.snapshots.append(Snapshot(step=mark.step, user=self.user, context=self.context))
        elif mark.step not in self.invocations:
            self.invocations[mark.step] = steps[mark.step].invocation()
            self.open = mark.step

    def log(self, line: wire.LogLine, size: int) -> None:
        """Keep a line, within the limits, whatever the worker claims to have counted itself."""
        invocation = self.invocations.get(line.step)
        if invocation is None:
            return
        lines, size_limit = self.limits
        kept = len(invocation.logs) + len(invocation.console) + len(invocation.warnings)
        self.log_bytes += size
        # Two more than the worker's own limit: it adds a line saying that the limit was reached.
        if kept >= lines + 2 or self.log_bytes > 2 * size_limit * len(self.program.steps):
            return
        if line.kind == "log":
            invocation.logs.append(line.args)
        elif line.kind == "console":
            invocation.console.append({"level": line.level, "args": line.args})
        else:
            invocation.warnings.append(" ".join(str(arg) for arg in line.args))

    def finish(self, result: wire.Result) -> None:
        """The Result frame. Raises `BadFrame`."""
        if result.last is not None:
            self._report(result.last)
        if self.open is not None:
            raise wire.BadFrame("result without a report")
        if self.ends_early():
            raise wire.BadFrame("result before the last step")
        self._checkpoint(bytes(result.user), bytes(result.context), result.removed)
        self.result = result

    @property
    def last_outcome(self) -> Outcome:
        """Outcome of the last function called, OK when none was."""
        return next(reversed(self.invocations.values())).outcome if self.invocations else Outcome.OK

    def ends_early(self) -> bool:
        """Whether steps are left that nothing explains: the last function called did not end the run."""
        last = next(reversed(self.invocations.values()), None)
        went_through = last is None or last.outcome is Outcome.OK or last.skipped
        return went_through and self.step != len(self.program.steps) - 1 and self.first < len(self.program.steps)

    def resolve(self, ended: Ended) -> None:
        """Tell whoever waits; nobody may be left to hear it."""
        if not self.done.done():
            self.done.set_result(ended)

    def _report(self, report: wire.StepReport) -> None:
        invocation = self.invocations.get(report.step)
        if invocation is None or report.step != self.open or report.outcome not in REPORTABLE:
            raise wire.BadFrame("report of a step that was not called")
        self.open = None
        invocation.outcome = Outcome(report.outcome)
        invocation.duration = report.ms
        invocation.message, invocation.detail = report.message, report.detail
        invocation.skipped = invocation.outcome is Outcome.NO_CALLBACK and self.program.steps[report.step].skips

    def _checkpoint(self, user: bytes, context: bytes, removed: wire.Removed | None) -> None:
        if not user and not context:
            return
        if not (user[:1] in (b"{", b"n") and context[:1] == b"{"):
            raise wire.BadFrame("user and context must be objects")
        self.user, self.context = user, context
        self.removed = removed or self.removed

    def is_too_deep(self) -> bool:
        """Whether user or context nest deeper than is passed on."""
        return wire.too_deep(self.user) or wire.too_deep(self.context)
