"""The nouns every layer shares: scenes, outcomes, plans, runs, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from authpipe.errors import InvalidArgument

#: a JSON object as parsed
JsonObject = dict[str, Any]


class Scene(StrEnum):
    """A named point of the identity flow. Source: contract.md, section 1.1."""

    PRE_REGISTER = "PRE_REGISTER"
    POST_REGISTER = "POST_REGISTER"
    PRE_AUTHENTICATION = "PRE_AUTHENTICATION"
    POST_AUTHENTICATION = "POST_AUTHENTICATION"
    PRE_OIDC_ID_TOKEN_ISSUED = "PRE_OIDC_ID_TOKEN_ISSUED"
    PRE_OIDC_ACCESS_TOKEN_ISSUED = "PRE_OIDC_ACCESS_TOKEN_ISSUED"
    PRE_COMPLETE_USER_INFO = "PRE_COMPLETE_USER_INFO"
    PRE_MFA_VERIFY = "PRE_MFA_VERIFY"
    POST_MFA_VERIFY = "POST_MFA_VERIFY"

    @classmethod
    def parse(cls, name: object) -> Scene:
        """The scene of that name or alias; `InvalidArgument` names the known ones."""
        found = SCENE_NAMES.get(name) if isinstance(name, str) else None
        if found is None:
            raise InvalidArgument(f"scene must be one of {', '.join(cls)}.")
        return found

    @property
    def is_post(self) -> bool:
        """Whether the thing the scene is about has already happened."""
        return self.value.startswith("POST_")


#: aliases accepted on input; the V3 name is what is stored and returned
SCENE_ALIASES = {"Pre-Register": Scene.PRE_REGISTER, "PRE_OIDCTOKENISSUED": Scene.PRE_OIDC_ID_TOKEN_ISSUED}
SCENE_NAMES: dict[str, Scene] = {scene.value: scene for scene in Scene} | SCENE_ALIASES


class Outcome(StrEnum):
    """How one invocation ended. Source: contract.md, section 2.4."""

    OK = "ok"
    DENIED = "denied"
    THREW = "threw"
    BAD_RESULT = "bad_result"
    TIMED_OUT = "timed_out"
    NO_CALLBACK = "no_callback"
    MEMORY_EXCEEDED = "memory_exceeded"
    CPU_EXCEEDED = "cpu_exceeded"
    CRASHED = "crashed"
    INTERNAL_ERROR = "internal_error"
    OVERLOADED = "overloaded"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What an outcome does to the flow."""

    CONTINUE = "continue"
    DENY = "deny"
    SKIP = "skip"
    BY_POLICY = "by_policy"
    NO_VERDICT = "no_verdict"


class OutcomeRow(msgspec.Struct, frozen=True):
    """One row of the outcome table."""

    #: in PRE_*, token and complete-information scenes
    before: Action
    #: in POST_* scenes
    after: Action
    #: whose words the end user reads: "none", "own", "failed", "retry"
    shown: str
    #: whether the worker may serve another run
    worker_survives: bool
    #: one sentence for the docs and the log
    meaning: str


_C, _D, _P, _N = Action.CONTINUE, Action.DENY, Action.BY_POLICY, Action.NO_VERDICT

#: the closed table: outcome → what it means for the flow
OUTCOMES: dict[Outcome, OutcomeRow] = {
    Outcome.OK: OutcomeRow(_C, _C, "none", True, "The function called back without an error."),
    Outcome.DENIED: OutcomeRow(_D, _D, "own", True, "The function called back with an error."),
    Outcome.THREW: OutcomeRow(_D, _D, "failed", True, "The function threw or rejected before it called back."),
    Outcome.BAD_RESULT: OutcomeRow(
        _D, _D, "failed", True, "What the function called back with cannot be passed on as JSON."
    ),
    Outcome.TIMED_OUT: OutcomeRow(_P, _P, "failed", False, "The function did not call back within its time-out."),
    Outcome.NO_CALLBACK: OutcomeRow(_P, _P, "failed", True, "The function ended without calling back."),
    Outcome.MEMORY_EXCEEDED: OutcomeRow(_D, _D, "failed", False, "The function used more memory than it may."),
    Outcome.CPU_EXCEEDED: OutcomeRow(
        _D, _D, "failed", False, "The function used processor time in the background or by threads."
    ),
    Outcome.CRASHED: OutcomeRow(_D, _D, "failed", False, "The worker process ended under the function."),
    Outcome.INTERNAL_ERROR: OutcomeRow(_D, _D, "failed", False, "authpipe itself failed."),
    Outcome.OVERLOADED: OutcomeRow(_N, _N, "retry", True, "No worker was free in time; nothing was done."),
    Outcome.CANCELLED: OutcomeRow(_N, _N, "retry", False, "The caller or the server went away; no verdict."),
}

FAILED_MESSAGE = "Custom code failed"


class FailurePolicy(StrEnum):
    """What an unset `terminateOnTimeout` means before something has happened."""

    SAFE = "safe"
    GENAUTH = "genauth"


def decide(outcome: Outcome, scene: Scene, terminate_on_timeout: bool | None, policy: FailurePolicy) -> Action:
    """What `outcome` does to the flow at `scene`: CONTINUE, DENY, SKIP or NO_VERDICT."""
    row = OUTCOMES[outcome]
    action = row.after if scene.is_post else row.before
    if action is not Action.BY_POLICY:
        return action
    if terminate_on_timeout is None:
        terminate_on_timeout = not scene.is_post and policy is FailurePolicy.SAFE
    return Action.DENY if terminate_on_timeout else Action.SKIP


class RecordLevel(StrEnum):
    """How much of a run is kept."""

    NONE = "none"
    OUTCOME = "outcome"
    FULL = "full"


class PoolSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a user pool's operator may set; the wire names are the camel-case ones."""

    #: IANA name; what `Date` in functions calls local time
    time_zone: str = "UTC"
    failure_policy: FailurePolicy = FailurePolicy.SAFE
    #: the end user sees the text of a thrown error
    show_thrown_messages: bool = False
    #: custom data only for keys the pool defines
    strict_custom_data: bool = False
    #: what `user` is for client credentials: "object" or "null"
    m2m_user: str = "object"
    #: `connection` and `protocol` in their 2020 spelling
    legacy_context: bool = False
    #: token functions may replace sub, nonce and the like
    allow_protected_claims: bool = False
    #: above 1 only for code known to be re-entrant
    runs_per_worker: int = 1
    #: V8's compiler on; no kernel W^X
    jit: bool = False
    record_level: RecordLevel = RecordLevel.OUTCOME


class UserPool(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant's closed world."""

    #: 24 hex characters
    pool_id: str
    name: str
    settings: PoolSettings
    #: RFC 3339 with milliseconds and Z, as every time on the wire
    created_at: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One function at its place in a pipeline, at one revision."""

    function_id: str
    name: str
    revision: int
    source: str
    #: declared parameters of `pipe`, None when only the running engine can tell
    parameters: int | None
    asynchronous: bool
    #: seconds
    timeout: int
    terminate_on_timeout: bool | None
    #: why the source cannot run, when it cannot
    broken: str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The enabled functions of (user pool, scene) in order, with what a worker needs to run them."""

    pool: UserPool
    scene: Scene
    steps: tuple[Step, ...]
    #: variables and secrets in clear
    environment: Mapping[str, str]
    #: names of `environment` whose values are redacted wherever text is stored
    secret_names: frozenset[str] = frozenset()

    def skips(self, step: Step, outcome: Outcome = Outcome.TIMED_OUT) -> bool:
        """Whether the flow goes on without `step` when it ends with `outcome`."""
        policy = self.pool.settings.failure_policy
        return decide(outcome, self.scene, step.terminate_on_timeout, policy) is Action.SKIP


class Invocation(msgspec.Struct, kw_only=True):
    """How one function of a run went."""

    function_id: str
    name: str
    revision: int
    outcome: Outcome = Outcome.OK
    #: the flow went on as if the function were not there
    skipped: bool = False
    #: milliseconds from its start mark
    duration: float = 0.0
    #: the function's own error text, or ours when it has none
    message: str | None = None
    #: stack or explanation for the author, never for the end user
    detail: str | None = None
    #: one entry a `log(...)` call: its arguments
    logs: list[list[Any]] = []
    #: one entry a console call: {"level", "args"}
    console: list[dict[str, Any]] = []
    #: what authpipe tells the author about odd use of the contract
    warnings: list[str] = []


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """An asynchronous invocation that was stored for later."""

    function_id: str
    invocation_id: str


class ClaimEffects(msgspec.Struct, kw_only=True):
    """What functions want done to the claims of one token."""

    set: dict[str, Any] = {}
    remove: list[str] = []


class Effects(msgspec.Struct, kw_only=True, rename="camel"):
    """What the identity host is asked to do. Source: contract.md, section 3.4."""

    #: user field → new value, None clears
    profile: dict[str, Any] = {}
    custom_data: dict[str, Any] = {}
    #: for this response only
    custom_data_once: dict[str, Any] = {}
    id_token: ClaimEffects = msgspec.field(default_factory=ClaimEffects)
    access_token: ClaimEffects = msgspec.field(default_factory=ClaimEffects)
    login_token: ClaimEffects = msgspec.field(default_factory=ClaimEffects)


class Verdict(msgspec.Struct, kw_only=True):
    """What a run tells the flow."""

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
    steps: list[Invocation]
    queued: list[Queued]

    @property
    def allowed(self) -> bool:
        """Whether the flow goes on."""
        return self.verdict == "continue"


class PlanChanged(msgspec.Struct, frozen=True):
    """Something a user pool's plans are made from has changed."""

    pool_id: str


class CompileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a compile check found in a source."""

    #: declared parameters of `pipe`, when they can be read from the source
    parameters: int | None = None
    #: None when the source is good; else a sentence with line and column
    error: str | None = None


class Clock(Protocol):
    """Wall time, for rows and tokens."""

    def now(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z."""
        ...


class Directory(Protocol):
    """Users, groups, roles and organisations as `authing.*` needs them; implemented by an identity host."""

    async def call(self, *, pool_id: str, method: str, arguments: list[Any]) -> Any:
        """The result of `authing.<method>(...arguments)` inside the user pool."""
        ...
