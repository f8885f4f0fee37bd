"""The outcome table, cell by cell, and scene names."""

import pytest

from authpipe.errors import InvalidArgument
from authpipe.model import OUTCOMES, Action, FailurePolicy, Outcome, Scene, decide

BEFORE = [scene for scene in Scene if not scene.is_post]
AFTER = [scene for scene in Scene if scene.is_post]

FIXED = {
    Outcome.OK: Action.CONTINUE,
    Outcome.DENIED: Action.DENY,
    Outcome.THREW: Action.DENY,
    Outcome.BAD_RESULT: Action.DENY,
    Outcome.MEMORY_EXCEEDED: Action.DENY,
    Outcome.CPU_EXCEEDED: Action.DENY,
    Outcome.CRASHED: Action.DENY,
    Outcome.INTERNAL_ERROR: Action.DENY,
    Outcome.OVERLOADED: Action.NO_VERDICT,
    Outcome.CANCELLED: Action.NO_VERDICT,
}


def test_every_outcome_has_a_row() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(Outcome) - set(FIXED) == {Outcome.TIMED_OUT, Outcome.NO_CALLBACK}


@pytest.mark.parametrize("scene", Scene)
@pytest.mark.parametrize("terminate", [True, False, None])
@pytest.mark.parametrize("policy", FailurePolicy)
@pytest.mark.parametrize("outcome", FIXED)
def test_most_outcomes_do_not_depend_on_the_time_out_policy(
    outcome: Outcome, policy: FailurePolicy, terminate: bool | None, scene: Scene
) -> None:
    assert decide(outcome, scene, terminate, policy) is FIXED[outcome]


@pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.NO_CALLBACK])
@pytest.mark.parametrize(
    ("scenes", "terminate", "policy", "action"),
    [
        (BEFORE, True, FailurePolicy.SAFE, Action.DENY),
        (BEFORE, False, FailurePolicy.SAFE, Action.SKIP),
        (BEFORE, None, FailurePolicy.SAFE, Action.DENY),
        (BEFORE, True, FailurePolicy.GENAUTH, Action.DENY),
        (BEFORE, False, FailurePolicy.GENAUTH, Action.SKIP),
        (BEFORE, None, FailurePolicy.GENAUTH, Action.SKIP),
        (AFTER, True, FailurePolicy.SAFE, Action.DENY),
        (AFTER, False, FailurePolicy.SAFE, Action.SKIP),
        (AFTER, None, FailurePolicy.SAFE, Action.SKIP),
        (AFTER, True, FailurePolicy.GENAUTH, Action.DENY),
        (AFTER, False, FailurePolicy.GENAUTH, Action.SKIP),
        (AFTER, None, FailurePolicy.GENAUTH, Action.SKIP),
    ],
)
def test_time_outs_go_by_policy(
    outcome: Outcome, scenes: list[Scene], terminate: bool | None, policy: FailurePolicy, action: Action
) -> None:
    assert {decide(outcome, scene, terminate, policy) for scene in scenes} == {action}


def test_only_clean_ends_leave_the_worker_alive() -> None:
    survivors = {outcome for outcome, row in OUTCOMES.items() if row.worker_survives}
    clean = {Outcome.OK, Outcome.DENIED, Outcome.THREW, Outcome.BAD_RESULT, Outcome.NO_CALLBACK}
    assert survivors == clean | {Outcome.OVERLOADED}


@pytest.mark.parametrize(
    ("name", "scene"),
    [
        ("PRE_REGISTER", Scene.PRE_REGISTER),
        ("Pre-Register", Scene.PRE_REGISTER),
        ("PRE_OIDCTOKENISSUED", Scene.PRE_OIDC_ID_TOKEN_ISSUED),
    ],
)
def test_scene_aliases(name: str, scene: Scene) -> None:
    assert Scene.parse(name) is scene


@pytest.mark.parametrize("name", ["", "pre_register", "AUTH_FLOW_FUNCTION", None, 7, ["PRE_REGISTER"], {}])
def test_an_unknown_scene_is_told_the_known_ones(name: object) -> None:
    with pytest.raises(InvalidArgument, match="PRE_COMPLETE_USER_INFO"):
        Scene.parse(name)
