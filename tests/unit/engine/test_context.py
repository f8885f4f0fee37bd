"""The context has every alias of the contract, and nothing the caller may not set."""

import copy
import json
from typing import Any

import pytest

from authpipe.engine.context import RESERVED, build_context
from authpipe.errors import InvalidArgument
from authpipe.model import Scene

POOL_ID = "62137a1862ec85e145962edd"


def test_an_empty_context_has_every_field(make_plan):
    context = build_context({}, plan=make_plan(Scene.PRE_AUTHENTICATION))
    assert context["request"] == {"ip": None, "geo": {}, "body": {}, "query": {}, "headers": {}}
    for name in ("protocol", "connection", "appId", "appName"):
        assert context[name] is None
    assert context["userPoolId"] == POOL_ID and context["userPoolName"] == "Acme"
    assert set(context["userPoolMetadata"]) == {"id", "name", "logo", "domain", "description", "ownerId"}
    assert context["userPool"] == {
        "id": POOL_ID,
        "_id": POOL_ID,
        "name": "Acme",
        "logo": None,
        "registerDisabled": False,
    }
    assert context["application"] == {"id": None, "name": None} and context["appMetadata"] == {}
    assert context["data"]["forceLogin"] is False and context["data"]["profile"] == {}
    assert "accessTokenTarget" not in context


def test_the_aliases_of_2020_say_what_the_request_says(make_plan):
    request = {"ip": "203.0.113.7", "geo": {"city": "B"}, "headers": {"user-agent": "x"}, "body": {"email": "a@b.c"}}
    context = build_context({"request": request}, plan=make_plan(Scene.POST_REGISTER))
    assert context["ip"] == "203.0.113.7"
    assert context["geo"] == context["request"]["geo"] and context["geo"]["address"] == "B"
    assert context["headers"] == {"user-agent": "x"}
    assert context["data"]["email"] == context["data"]["userInfo"]["email"] == "a@b.c"
    assert context["data"]["userInfo"]["registerInClient"] == POOL_ID
    assert context["data"]["userInfo"]["registerMethod"] == "default:email"


def test_a_host_that_speaks_the_dialect_of_2020_is_understood(make_plan):
    given = {"ip": "203.0.113.7", "geo": {"city": "B"}, "headers": {"a": "b", "Cookie": "c"}}
    context = build_context(given, plan=make_plan(Scene.PRE_AUTHENTICATION))
    assert context["request"]["ip"] == "203.0.113.7" and context["request"]["geo"]["city"] == "B"
    assert context["request"]["headers"] == context["headers"] == {"a": "b"}


def test_what_was_given_is_not_changed(make_plan):
    given = {
        "appId": "a",
        "userPoolMetadata": {"logo": "l"},
        "request": {
            "body": {"passwordPayload": {"email": "a@b.c", "password": "p"}, "options": {"context": {"k": 1}}},
            "headers": {"cookie": "c"},
            "geo": {"city": "B"},
            "query": {"password": "p"},
        },
    }
    before = copy.deepcopy(given)
    build_context(given, plan=make_plan(Scene.PRE_REGISTER, legacy_context=True), identifiers={"email": "x@y.z"})
    assert given == before


def test_secrets_of_the_request_are_not_shown(make_plan):
    request = {
        "headers": {"Authorization": "s3cret", "COOKIE": "s3cret", "Proxy-Authorization": "s3cret", "accept": "*/*"},
        "query": {"code_verifier": "s3cret", "lang": "en"},
        "body": {"password": "s3cret", "profile": {"password": "s3cret"}},
    }
    context = build_context({"request": request}, plan=make_plan(Scene.PRE_REGISTER))
    assert "s3cret" not in json.dumps(context)
    assert context["request"]["headers"] == {"accept": "*/*"} and context["request"]["query"] == {"lang": "en"}


@pytest.mark.parametrize("request_", [None, [], "x", {"body": [], "headers": "h", "query": 5, "geo": "g"}])
def test_a_malformed_request_becomes_an_empty_one(make_plan, request_):
    context = build_context({"request": request_}, plan=make_plan(Scene.PRE_AUTHENTICATION))
    assert context["request"] == {"ip": None, "geo": {}, "body": {}, "query": {}, "headers": {}}


@pytest.mark.parametrize("scene", Scene)
def test_registrations_have_a_profile_and_say_whether_they_log_in(make_plan, scene):
    body = build_context({"request": {"body": {"forceLogin": "yes"}}}, plan=make_plan(scene))["request"]["body"]
    if scene in (Scene.PRE_REGISTER, Scene.POST_REGISTER):
        assert body == {"forceLogin": False, "profile": {}}
    else:
        assert body == {"forceLogin": "yes"}


def test_the_identifiers_of_the_host_hold_in_every_alias(make_plan):
    body = {
        "email": "ok@example.com",
        "account": "ok@example.com",
        "profile": {"email": "ok@example.com", "phone": "1"},
    }
    plan = make_plan(Scene.PRE_REGISTER)
    context = build_context({"request": {"body": body}}, plan=plan, identifiers={"email": "evil@bad.example"})
    for place in (context["request"]["body"], context["data"], context["data"]["userInfo"]):
        assert place["email"] == "evil@bad.example" and "phone" not in place and "account" not in place
    context = build_context({"request": {"body": body}}, plan=plan, identifiers={"username": "bob"})
    for place in (context["request"]["body"], context["data"], context["data"]["userInfo"]):
        assert place["username"] == "bob" and "email" not in place


def test_a_body_that_names_two_accounts_is_refused(make_plan):
    body = {"passwordPayload": {"email": "a@b.c", "account": "d@e.f"}}
    with pytest.raises(InvalidArgument):
        build_context({"request": {"body": body}}, plan=make_plan(Scene.PRE_AUTHENTICATION))


def test_the_user_pool_is_never_the_callers(make_plan):
    given = {
        "userPoolId": "other",
        "userPoolName": "Other",
        "userPool": {"id": "other"},
        "userPoolMetadata": {"id": "other", "logo": "https://l", "domain": "acme"},
    }
    context = build_context(given, plan=make_plan(Scene.PRE_REGISTER))
    assert context["userPoolId"] == context["userPool"]["id"] == context["userPoolMetadata"]["id"] == POOL_ID
    assert context["userPoolName"] == "Acme"
    assert context["userPool"]["logo"] == "https://l" and context["userPoolMetadata"]["domain"] == "acme"


def test_the_application_is_described_from_its_id(make_plan):
    context = build_context({"appId": "60", "appName": "Shop"}, plan=make_plan(Scene.PRE_REGISTER))
    assert context["application"] == context["appMetadata"] == {"id": "60", "name": "Shop"}
    given = {"appId": "60", "appMetadata": {"id": "60", "k": 1}, "application": {"id": "60", "k": 2}}
    context = build_context(given, plan=make_plan(Scene.PRE_REGISTER))
    assert context["appMetadata"]["k"] == 1 and context["application"]["k"] == 2


def test_unknown_keys_of_the_host_are_kept(make_plan):
    context = build_context({"risk": {"score": 3}, "__proto__": {"x": 1}}, plan=make_plan(Scene.PRE_REGISTER))
    assert context["risk"] == {"score": 3} and "__proto__" not in context


@pytest.mark.parametrize(
    "body",
    [
        {"options": {"context": {"source": "utm"}}},
        {"context": {"source": "utm"}},
        {"context": '{"source": "utm"}'},
    ],
)
def test_the_callers_own_context_is_merged(make_plan, body):
    context = build_context({"request": {"body": body}}, plan=make_plan(Scene.PRE_AUTHENTICATION))
    assert context["source"] == "utm"


def test_the_callers_own_context_takes_no_reserved_name(make_plan):
    own: dict[str, Any] = dict.fromkeys(RESERVED, "forged") | {"risk": "forged", "fine": 1}
    given = {"risk": 5, "request": {"body": {"options": {"context": own}}}}
    plan = make_plan(Scene.PRE_AUTHENTICATION)
    context = build_context(given, plan=plan)
    clean = build_context({"risk": 5}, plan=plan)
    assert context.pop("fine") == 1
    assert set(context) == set(clean)
    assert {name: context[name] for name in context if name not in ("request", "data")} == {
        name: clean[name] for name in clean if name not in ("request", "data")
    }


@pytest.mark.parametrize("own", [5, [1], "no JSON", "[1]", "[" * 100, "\ud800", '{"a":' * 40 + "1" + "}" * 40])
def test_a_callers_context_that_is_no_object_adds_nothing(make_plan, own):
    plan = make_plan(Scene.PRE_AUTHENTICATION)
    context = build_context({"request": {"body": {"context": own}}}, plan=plan)
    assert set(context) == set(build_context({}, plan=plan))


def test_a_callers_context_as_text_has_no_secrets_either(make_plan):
    body = {"context": '{"password": "p", "__proto__": {}, "a": {"passCode": "1", "b": 2}}'}
    context = build_context({"request": {"body": body}}, plan=make_plan(Scene.PRE_AUTHENTICATION))
    assert "password" not in context and context["a"] == {"b": 2}


@pytest.mark.parametrize("scene", Scene)
def test_the_target_is_told_for_access_tokens_only(make_plan, scene):
    context = build_context({"accessTokenTarget": "user"}, plan=make_plan(scene))
    assert context.get("accessTokenTarget") == ("user" if scene is Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED else None)


def test_an_access_token_is_for_a_program_when_the_host_says_so_or_there_is_no_user(make_plan):
    plan = make_plan(Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED)
    told = build_context({"accessTokenTarget": "programmaticAccount"}, plan=plan)
    assert told["accessTokenTarget"] == "programmaticAccount"
    assert build_context({}, plan=plan, has_user=False)["accessTokenTarget"] == "programmaticAccount"
    assert build_context({"accessTokenTarget": "x"}, plan=plan)["accessTokenTarget"] == "user"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("password", "authing"), ("basic", "authing")),
        (("sms", None), ("basic", None)),
        (("social", "weibo"), ("social", "social:weibo")),
        (("social", "wechat:miniprogram"), ("social", "social:wechat-miniprogram")),
        (("social", "social:github"), ("social", "social:github")),
        (("ldap", "ldap:5f"), ("ldap", "ldap:5f")),
        (("oidc", "oidc"), ("oidc", "oidc")),
        ((None, None), (None, None)),
        (([1], {"a": 1}), ([1], {"a": 1})),
    ],
)
def test_the_spelling_of_2020_is_a_setting(make_plan, given, expected):
    context = {"protocol": given[0], "connection": given[1]}
    made = build_context(context, plan=make_plan(Scene.PRE_REGISTER, legacy_context=True))
    assert (made["protocol"], made["connection"]) == expected
    made = build_context(context, plan=make_plan(Scene.PRE_REGISTER))
    assert (made["protocol"], made["connection"]) == given
