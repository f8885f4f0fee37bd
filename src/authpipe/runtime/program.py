"""A plan in the shape workers take, and what has been learned from running it."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from authpipe import wire
from authpipe.model import Invocation, Outcome

#: a plan whose runs take longer than this on average is not queued ahead
_SHORT_SECONDS = 0.005
#: weight of the newest run in the average
_NEWEST = 0.2
#: runs without a host call after which a plan is again taken for one that makes none
_QUIET_RUNS = 50


class ProgramStep(msgspec.Struct, frozen=True, kw_only=True):
    """What the runtime needs to know of a step; its source is inside the Load frame."""

    function_id: str
    name: str
    revision: int
    #: seconds
    timeout: float
    #: the flow goes on when it times out or never calls back
    skips: bool
    asynchronous: bool

    def invocation(self, outcome: Outcome = Outcome.OK) -> Invocation:
        """A fresh record of calling it."""
        return Invocation(function_id=self.function_id, name=self.name, revision=self.revision, outcome=outcome)


@dataclass(slots=True, eq=False)
class Program:
    """One plan, compiled for workers. Two programs of one user pool share a worker only within a generation."""

    pool_id: str
    #: grows whenever the user pool's plans, environment or settings change
    generation: int
    #: names the plan in frames
    number: int
    #: the whole Load frame
    load: bytes
    steps: tuple[ProgramStep, ...]
    jit: bool = False
    runs_per_worker: int = 1
    _mean: float = field(default=_SHORT_SECONDS)
    _quiet: int = 0

    @property
    def time_allowed(self) -> float:
        """Seconds its functions may take together."""
        return sum(step.timeout for step in self.steps if not step.asynchronous)

    @property
    def is_short(self) -> bool:
        """Whether a further run may be queued behind one of these: short lately, and no host call lately."""
        return self._mean < _SHORT_SECONDS and self._quiet >= 0

    def learn(self, seconds: float, host_calls: int) -> None:
        """Take note of a finished run."""
        self._mean += _NEWEST * (seconds - self._mean)
        self._quiet = -_QUIET_RUNS if host_calls else self._quiet + 1


class PipelineRun(msgspec.Struct, kw_only=True):
    """One traversal of a program that the worker pool is asked for."""

    program: Program
    #: JSON texts
    user: bytes
    context: bytes
    removed: wire.Removed | None = None
    #: seconds the whole run may take, waiting included; None means the program's time and the slack
    deadline: float | None = None


class Snapshot(msgspec.Struct, kw_only=True):
    """User and context as they were when an asynchronous step was reached."""

    step: int
    user: bytes
    context: bytes


class PipelineResult(msgspec.Struct, kw_only=True):
    """How a traversal went."""

    #: OK, or the outcome that ended it
    outcome: Outcome
    invocations: list[Invocation]
    #: JSON texts after the last function that went through
    user: bytes
    context: bytes
    removed: wire.Removed
    snapshots: list[Snapshot]
