"""Only what a scene's functions may change becomes an effect."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authpipe.engine import fields
from authpipe.engine.effects import final_user, fold, same
from authpipe.model import ClaimEffects, Effects, Plan, PoolSettings, Scene, UserPool
from authpipe.wire import Removed

EMPTY: dict[str, Any] = {name: {} for name in fields.ACCUMULATORS}
BEFORE = {
    "id": "u1",
    "email": "a@b.c",
    "nickname": "Bob",
    "company": None,
    "blocked": False,
    "emailVerified": False,
    **EMPTY,
    "customData": {"k": "v", "n": 1, "deep": {"a": [1, True]}},
}
RECORD_SCENES = [scene for scene in Scene if fields.SCENES[scene].profile]
OTHER_SCENES = [scene for scene in Scene if not fields.SCENES[scene].profile]
TOKENS = [
    (Scene.PRE_OIDC_ID_TOKEN_ISSUED, "idToken", "id_token"),
    (Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED, "customAccessTokenClaims", "access_token"),
    (Scene.POST_AUTHENTICATION, "decryptedToken", "login_token"),
]


@pytest.mark.parametrize("scene", Scene)
@pytest.mark.parametrize("after", [None, BEFORE, copy.deepcopy(BEFORE), {}, 5, [1], "x"])
def test_an_unchanged_user_has_no_effects(make_plan, scene, after):
    assert fold(BEFORE, after, Removed(), plan=make_plan(scene)) == (Effects(), [])
    assert final_user(BEFORE, after, Effects()) == BEFORE


@pytest.mark.parametrize("scene", RECORD_SCENES)
def test_profile_fields_are_taken_back(make_plan, scene):
    after = {"nickname": None, "company": "C", "photo": "p", "blocked": True}
    effects, warnings = fold(BEFORE, after, Removed(), plan=make_plan(scene))
    assert effects.profile == after and warnings == []
    user = final_user(BEFORE, after, effects)
    assert user == BEFORE | after


@pytest.mark.parametrize("scene", OTHER_SCENES)
def test_profile_fields_are_left_alone_where_no_record_is_open(make_plan, scene):
    after = BEFORE | {"nickname": "X", "customData": {"k": "x"}}
    effects, warnings = fold(BEFORE, after, Removed(), plan=make_plan(scene))
    assert effects == Effects()
    assert any("user.nickname" in warning for warning in warnings)
    assert any("user.customData" in warning for warning in warnings)
    assert final_user(BEFORE, after, effects) == BEFORE


@pytest.mark.parametrize("scene", Scene)
def test_read_only_and_unknown_fields_never_change(make_plan, scene):
    forged = dict.fromkeys((*fields.read_only(scene), "isAdmin", "__proto__", "constructor"), "forged")
    after = BEFORE | forged
    effects, warnings = fold(BEFORE, after, Removed(), plan=make_plan(scene))
    assert effects == Effects() and warnings == []
    assert final_user(BEFORE, after, effects) == BEFORE


@pytest.mark.parametrize("scene", [Scene.PRE_REGISTER, Scene.PRE_COMPLETE_USER_INFO])
def test_identifiers_may_be_seeded(make_plan, scene):
    seeds = {"email": "x@y.z", "phone": "13800138000", "username": "bob", "phoneCountryCode": "+86"}
    effects, _ = fold(BEFORE, BEFORE | seeds, Removed(), plan=make_plan(scene))
    assert effects.profile == seeds


@pytest.mark.parametrize(
    ("value", "expected"), [(1, True), ("yes", True), ([], True), ({}, True), (0, None), ("", None), (None, None)]
)
def test_a_block_is_meant_as_javascript_means_it(make_plan, value, expected):
    effects, _ = fold(BEFORE, BEFORE | {"blocked": value}, Removed(), plan=make_plan(Scene.POST_REGISTER))
    assert effects.profile.get("blocked") is expected
    blocked = BEFORE | {"blocked": True}
    effects, _ = fold(blocked, blocked | {"blocked": value}, Removed(), plan=make_plan(Scene.POST_REGISTER))
    assert effects.profile.get("blocked") is (None if expected else False)


def test_numbers_become_text_and_other_values_are_refused(make_plan):
    after = BEFORE | {"postalCode": 410000, "region": 1.5, "city": {"a": 1}, "province": True, "nickname": ["x"]}
    effects, warnings = fold(BEFORE, after, Removed(), plan=make_plan(Scene.POST_REGISTER))
    assert effects.profile == {"postalCode": "410000", "region": "1.5"}
    assert len(warnings) == 3


def test_custom_data_is_a_patch(make_plan):
    after = {"customData": {"k": "w", "new": {"a": 1}, "n": True, "deep": {"a": [1, 1]}, "gone": None}}
    effects, warnings = fold(BEFORE, after, Removed(), plan=make_plan(Scene.POST_REGISTER))
    assert effects.custom_data == after["customData"] and warnings == []
    user = final_user(BEFORE, after, effects)
    assert user is not None and user["customData"] == BEFORE["customData"] | after["customData"]
    effects, _ = fold(BEFORE, {"customData": {"n": 1}}, Removed(), plan=make_plan(Scene.POST_REGISTER))
    assert effects == Effects()


@pytest.mark.parametrize("name", fields.ACCUMULATORS)
@pytest.mark.parametrize("value", [None, 5, "x", [["admin", True]]])
def test_an_accumulator_that_is_no_object_is_ignored(make_plan, name, value):
    for scene in Scene:
        effects, warnings = fold(BEFORE, BEFORE | {name: value}, Removed(), plan=make_plan(scene))
        assert effects == Effects() and len(warnings) == 1


@pytest.mark.parametrize("name", fields.ACCUMULATORS)
def test_prototype_keys_pollute_no_accumulator(make_plan, name):
    value = {"__proto__": {"a": 1}, "constructor": 1, "prototype": 2, "fine": 3}
    for scene in Scene:
        if name in fields.accumulators(scene):
            effects, warnings = fold(BEFORE, BEFORE | {name: value}, Removed(), plan=make_plan(scene))
            assert "fine" in str(effects) and "proto" not in str(effects) and "constructor" not in str(effects)
            assert len(warnings) == 3


@pytest.mark.parametrize("scene", Scene)
def test_data_for_one_answer_counts_where_there_is_one(make_plan, scene):
    effects, warnings = fold(BEFORE, BEFORE | {"customDataOnce": {"a": 1}}, Removed(), plan=make_plan(scene))
    counts = scene in (Scene.POST_REGISTER, Scene.POST_AUTHENTICATION)
    assert effects.custom_data_once == ({"a": 1} if counts else {})
    assert bool(warnings) is not counts


def test_strict_custom_data_takes_defined_keys_only(make_plan):
    after = BEFORE | {"customData": {"a": 1, "b": 2}}
    plan = make_plan(Scene.POST_REGISTER, strict_custom_data=True)
    effects, warnings = fold(BEFORE, after, Removed(), plan=plan, defined={"a"})
    assert effects.custom_data == {"a": 1} and len(warnings) == 1 and "b" in warnings[0]
    effects, warnings = fold(BEFORE, after, Removed(), plan=plan)
    assert effects.custom_data == {} and len(warnings) == 2


@pytest.mark.parametrize(("scene", "name", "token"), TOKENS)
def test_claims_are_set_and_removed(make_plan, scene, name, token):
    after = BEFORE | {name: {"KEY": "VALUE", "nothing": None}}
    removed = Removed(**{token: ["email", "email", "KEY", "__proto__"]})
    effects, warnings = fold(BEFORE, after, removed, plan=make_plan(scene))
    assert getattr(effects, token) == ClaimEffects(set={"KEY": "VALUE", "nothing": None}, remove=["email"])
    assert warnings == []
    user = final_user(BEFORE, after, effects)
    assert user is not None and user[name] == {"KEY": "VALUE", "nothing": None}


@pytest.mark.parametrize("scene", Scene)
@pytest.mark.parametrize(("own", "name", "token"), TOKENS)
def test_claims_of_another_scene_are_ignored(make_plan, scene, own, name, token):
    if scene is own:
        return
    removed = Removed(**{token: ["email"]})
    effects, warnings = fold(BEFORE, BEFORE | {name: {"KEY": "VALUE"}}, removed, plan=make_plan(scene))
    assert effects == Effects() and len(warnings) == 2


@pytest.mark.parametrize(("scene", "name", "token"), TOKENS)
@pytest.mark.parametrize("allowed", [False, True])
def test_protected_claims_need_the_setting_and_the_signers_never_yield(make_plan, scene, name, token, allowed):
    protected = fields.PROTECTED_CLAIMS[name]
    claims = dict.fromkeys(protected | fields.SIGNER_CLAIMS, "forged")
    plan = make_plan(scene, allow_protected_claims=allowed)
    effects, warnings = fold(BEFORE, BEFORE | {name: claims}, Removed(), plan=plan)
    assert getattr(effects, token).set == (dict.fromkeys(protected, "forged") if allowed else {})
    assert len(warnings) == len(fields.SIGNER_CLAIMS if allowed else claims)
    effects, _ = fold(BEFORE, BEFORE, Removed(**{token: sorted(claims)}), plan=plan)
    assert set(getattr(effects, token).remove) == (protected if allowed else set())


def test_a_program_without_user_can_still_be_given_claims(make_plan):
    plan = make_plan(Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED, m2m_user="null")
    effects, _ = fold(None, {"customAccessTokenClaims": {"a": 1}, "id": "x"}, Removed(), plan=plan)
    assert effects.access_token.set == {"a": 1} and effects.profile == {}
    assert final_user(None, {"id": "x"}, effects) is None
    assert fold(None, None, None, plan=plan) == (Effects(), [])


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, True, False),
        (0, False, False),
        ({"a": [1]}, {"a": [True]}, False),
        (1, 1.0, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": None}, {}, False),
        ([1, 2], [1], False),
        ([], {}, False),
        ({"a": [{"b": None}]}, {"a": [{"b": None}]}, True),
        ("1", 1, False),
    ],
)
def test_sameness_is_that_of_json(left, right, expected):
    assert same(left, right) is expected and same(right, left) is expected


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("01ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab_", max_size=4), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(
    [*fields.PROFILE_FIELDS, *fields.SEED_FIELDS, *fields.READ_ONLY, *fields.ACCUMULATORS, "x", "__proto__"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(Scene)), st.dictionaries(_names, _json, max_size=8))
def test_whatever_a_function_leaves_effects_are_within_the_table(scene: Scene, after: dict[str, Any]):
    pool = UserPool(pool_id="p", name="n", settings=PoolSettings(), created_at="")
    plan = Plan(pool=pool, scene=scene, steps=(), environment={})
    before = copy.deepcopy(BEFORE)
    effects, _ = fold(before, after, Removed(id_token=["sub", "a"], access_token=["a"], login_token=["id"]), plan=plan)
    assert before == BEFORE
    assert effects.profile.keys() <= fields.writable(scene)
    user = final_user(before, after, effects)
    assert user is not None
    for name in fields.read_only(scene):
        assert user.get(name) == BEFORE.get(name)
    again = msgspec.json.decode(msgspec.json.encode(effects), type=Effects)
    assert again == effects
