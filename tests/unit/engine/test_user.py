"""The user has its aliases and accumulators, and no secrets, in every scene."""

import copy
import json

import pytest

from authpipe.engine.context import build_context
from authpipe.engine.fields import ACCUMULATORS
from authpipe.engine.user import build_user
from authpipe.model import Scene

POOL_ID = "62137a1862ec85e145962edd"
RECORD = {"id": "u1", "email": "a@b.c", "emailVerified": True, "customData": {"k": "v"}, "password": "s3cret"}


@pytest.fixture
def build(make_plan):
    """`build(scene, user, body, target, **pool_settings)`."""

    def make(scene, user, body=None, target=None, **settings):
        plan = make_plan(scene, **settings)
        context = build_context({"request": {"body": body}, "accessTokenTarget": target}, plan=plan)
        return build_user(user, plan=plan, context=context)

    return make


@pytest.mark.parametrize("scene", [scene for scene in Scene if scene is not Scene.PRE_REGISTER])
def test_a_record_gains_aliases_and_accumulators(build, scene):
    before = copy.deepcopy(RECORD)
    user = build(scene, RECORD)
    assert before == RECORD
    assert user["id"] == user["_id"] == "u1"
    assert user["userPoolId"] == user["registerInClient"] == POOL_ID
    assert user["customData"] == {"k": "v"}
    for name in ACCUMULATORS.keys() - {"customData"}:
        assert user[name] == {}
    assert "s3cret" not in json.dumps(user)


def test_either_id_is_enough(build):
    assert build(Scene.POST_REGISTER, {"_id": "u1"})["id"] == "u1"
    assert build(Scene.POST_REGISTER, {"id": "u1", "_id": "other"})["_id"] == "u1"
    assert "id" not in build(Scene.POST_REGISTER, {"email": "a@b.c"})


@pytest.mark.parametrize("name", ["password", "Password", "passwordHash", "salt", "refresh_token", "__proto__"])
def test_secrets_of_a_record_are_not_shown(build, name):
    user = build(Scene.POST_AUTHENTICATION, {"id": "u1", name: "s3cret"})
    assert "s3cret" not in json.dumps(user)


def test_accumulators_start_empty_whatever_the_record_says(build):
    record = {"id": "u1", "customData": "text", "idToken": {"admin": True}, "decryptedToken": {"id": "x"}}
    user = build(Scene.PRE_OIDC_ID_TOKEN_ISSUED, record)
    assert {name: user[name] for name in ACCUMULATORS} == {name: {} for name in ACCUMULATORS}


@pytest.mark.parametrize("given", [None, {}])
def test_there_is_a_user_object_before_there_is_a_record(build, given):
    user = build(Scene.PRE_REGISTER, given, {"passwordPayload": {"email": "a@b.c", "password": "s3cret"}})
    assert user["email"] == "a@b.c"
    assert user["userPoolId"] == POOL_ID
    assert "id" not in user and "_id" not in user and "s3cret" not in json.dumps(user)


def test_a_registration_shows_what_was_submitted(build):
    body = {
        "email": "decoy@example.com",
        "nickname": "decoy",
        "passwordPayload": {"username": "bob"},
        "profile": {"nickname": "Bob", "blocked": True, "id": "x", "gender": 5, "customData": {"k": "v"}},
    }
    user = build(Scene.PRE_REGISTER, {"id": "x", "_id": "x"}, body)
    assert user["username"] == "bob" and user["nickname"] == "Bob" and user["customData"] == {"k": "v"}
    for name in ("email", "id", "_id", "blocked", "gender"):
        assert name not in user


def test_what_the_host_says_of_a_registration_wins(build):
    body = {"email": "b@b.c", "nickname": "B"}
    user = build(Scene.PRE_REGISTER, {"email": "a@b.c", "nickname": None, "customData": {"k": 1}}, body)
    assert user["email"] == "a@b.c" and user["nickname"] == "B" and user["customData"] == {"k": 1}


def test_a_completed_record_is_overlaid_with_what_was_submitted(build):
    body = {"email": "new@b.c", "username": "bob", "profile": {"nickname": "New", "customData": {"n": 1}}}
    user = build(Scene.PRE_COMPLETE_USER_INFO, RECORD | {"nickname": "Old", "company": "C"}, body)
    assert (user["nickname"], user["company"], user["username"]) == ("New", "C", "bob")
    assert user["customData"] == {"k": "v", "n": 1}
    assert user["email"] == "new@b.c" and user["emailVerified"] is False


def test_an_address_that_was_submitted_unchanged_stays_verified(build):
    user = build(Scene.PRE_COMPLETE_USER_INFO, RECORD, {"email": "a@b.c", "phone": "13800138000"})
    assert user["emailVerified"] is True and user["phoneVerified"] is False


@pytest.mark.parametrize(
    "scene", [scene for scene in Scene if scene not in (Scene.PRE_REGISTER, Scene.PRE_COMPLETE_USER_INFO)]
)
def test_a_request_body_changes_no_record(build, scene):
    assert build(scene, RECORD, {"nickname": "x", "email": "x@b.c"}).keys() == build(scene, RECORD).keys()
    assert build(scene, RECORD, {"nickname": "x", "email": "x@b.c"})["email"] == "a@b.c"


@pytest.mark.parametrize(("user", "target"), [(None, None), ({}, None), (RECORD, "programmaticAccount")])
def test_a_program_has_accumulators_and_no_identity(build, user, target):
    scene = Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED
    assert build(scene, user, target=target) == {name: {} for name in ACCUMULATORS}
    assert build(scene, user, target=target, m2m_user="null") is None


def test_a_person_is_never_null(build):
    assert build(Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED, RECORD, m2m_user="null")["id"] == "u1"
    assert build(Scene.POST_MFA_VERIFY, None, m2m_user="null")["userPoolId"] == POOL_ID
