"""Bodies of every dialect end with the identifiers that count, and without secrets."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authpipe.engine.body import PAYLOADS, SECRET_MEMBERS, normalise_body
from authpipe.engine.fields import IDENTIFIERS
from authpipe.errors import InvalidArgument

EVIL, DECOY = "evil@bad.example", "ok@example.com"


def identifiers_of(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in IDENTIFIERS if name in body}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # flat bodies
        ({"email": EVIL}, {"email": EVIL}),
        ({"username": "bob", "profile": {"email": EVIL}}, {"username": "bob", "email": EVIL}),
        ({"email": EVIL, "profile": {"email": DECOY}}, {"email": EVIL}),
        ({"account": EVIL}, {"email": EVIL}),
        ({"account": "+86 138-0013-8000"}, {"phone": "+86 138-0013-8000"}),
        ({"account": "13800138000"}, {"phone": "13800138000"}),
        ({"account": "bob"}, {"username": "bob"}),
        ({"account": "12"}, {"username": "12"}),
        ({"account": "evil@bad.example", "username": "bob"}, {"email": EVIL, "username": "bob"}),
        # payloads
        ({"passwordPayload": {"email": EVIL}}, {"email": EVIL}),
        ({"passwordPayload": {"account": EVIL}}, {"email": EVIL}),
        ({"passCodePayload": {"phone": "13800138000", "phoneCountryCode": "+86"}}, {"phone": "13800138000"}),
        ({"ldapPayload": {"sAMAccountName": "a@corp"}}, {"username": "a@corp"}),
        ({"adPayload": {"sAMAccountName": "bob"}}, {"username": "bob"}),
        ({"passwordPayload": {"username": "bob"}, "profile": {"email": EVIL}}, {"username": "bob", "email": EVIL}),
        ({"passwordPayload": {"email": EVIL}, "profile": {"email": DECOY}}, {"email": EVIL}),
        # decoys beside a payload
        ({"email": DECOY, "passwordPayload": {"email": EVIL}}, {"email": EVIL}),
        ({"email": DECOY, "passwordPayload": {"account": EVIL}}, {"email": EVIL}),
        ({"account": DECOY, "passwordPayload": {"email": EVIL}}, {"email": EVIL}),
        ({"email": DECOY, "passwordPayload": {"username": "bob"}}, {"username": "bob"}),
        (
            {"email": DECOY, "passwordPayload": {"username": "b"}, "profile": {"email": EVIL}},
            {"username": "b", "email": EVIL},
        ),
        ({"phone": "13800138000", "ldapPayload": {"sAMAccountName": "bob"}}, {"username": "bob"}),
        ({"email": DECOY, "passwordPayload": {"email": [EVIL]}}, {}),
        # the payload `connection` names, not another one
        (
            {"connection": "PASSWORD", "passCodePayload": {"email": DECOY}, "passwordPayload": {"email": EVIL}},
            {"email": EVIL},
        ),
        (
            {"connection": "passcode", "passCodePayload": {"phone": "13800138000"}, "passwordPayload": {"email": EVIL}},
            {"phone": "13800138000"},
        ),
        ({"connection": "LDAP", "passwordPayload": {"email": EVIL}}, {"email": EVIL}),
        ({"connection": 5, "passwordPayload": {"email": EVIL}}, {"email": EVIL}),
        # a payload that names nobody hides nothing
        ({"email": EVIL, "passwordPayload": {}}, {"email": EVIL}),
        ({"email": EVIL, "passwordPayload": {"email": None}}, {"email": EVIL}),
        ({"email": EVIL, "passwordPayload": "x"}, {"email": EVIL}),
        # what is not a string names nobody
        ({"email": [EVIL], "phone": 13800138000, "username": {"a": 1}}, {}),
        ({"email": "", "account": None, "profile": {"email": {"x": EVIL}}}, {}),
        ({"email": EVIL, "profile": "no object"}, {"email": EVIL}),
    ],
)
def test_identifiers_are_resolved(raw: dict[str, Any], expected: dict[str, str]):
    assert identifiers_of(normalise_body(raw, None)) == expected


@pytest.mark.parametrize(
    "raw",
    [
        {"email": DECOY},
        {"email": DECOY, "passwordPayload": {"email": DECOY, "password": "x"}},
        {"passwordPayload": {"account": DECOY}, "profile": {"email": DECOY}},
        {"passwordPayload": {"email": DECOY, "account": "other@example.com"}},
        {},
    ],
)
def test_what_the_host_uses_wins_over_every_decoy(raw: dict[str, Any]):
    body = normalise_body(raw, {"email": EVIL, "phone": None, "username": 7, "other": "x"})
    assert identifiers_of(body) == {"email": EVIL}
    assert "account" not in body


def test_a_host_that_uses_no_identifier_leaves_none():
    body = normalise_body({"email": DECOY, "account": DECOY, "passwordPayload": {"phone": "13800138000"}}, {})
    assert identifiers_of(body) == {} and "account" not in body


@pytest.mark.parametrize(
    "raw",
    [
        {"passwordPayload": {"email": EVIL}, "passCodePayload": {"email": DECOY}},
        {"passwordPayload": {"email": EVIL, "account": DECOY}},
        {"email": EVIL, "account": DECOY},
        {"adPayload": {"sAMAccountName": "a"}, "ldapPayload": {"sAMAccountName": "b"}},
    ],
)
def test_a_body_that_names_two_accounts_is_refused(raw: dict[str, Any]):
    with pytest.raises(InvalidArgument, match="two different values"):
        normalise_body(raw, None)
    assert identifiers_of(normalise_body(raw, {"email": EVIL})) == {"email": EVIL}


def test_case_variants_are_other_keys():
    body = normalise_body({"Email": DECOY, "passwordPayload": {"email": EVIL}}, None)
    assert body["email"] == EVIL and body["Email"] == DECOY


def test_other_members_of_a_payload_are_flattened_without_overwriting():
    raw = {
        "phoneCountryCode": "+1",
        "passCodePayload": {
            "phone": "13800138000",
            "phoneCountryCode": "+86",
            "hint": "h",
            "profile": {"blocked": True},
        },
    }
    body = normalise_body(raw, None)
    assert body["hint"] == "h" and body["phoneCountryCode"] == "+1" and "profile" not in body
    assert body["passCodePayload"] == raw["passCodePayload"]


def test_an_account_that_was_used_stays_readable():
    assert normalise_body({"account": "bob", "passwordPayload": {"account": EVIL}}, None)["account"] == EVIL


@pytest.mark.parametrize("raw", [None, [], [{"email": EVIL}], "email=x", 5, True])
def test_what_is_no_object_is_an_empty_one(raw: object):
    assert normalise_body(raw, None) == {}


def test_secrets_are_removed_at_any_depth_and_in_any_case():
    raw = {
        "password": "s3cret",
        "Password": "s3cret",
        "passwordPayload": {"email": EVIL, "password": "s3cret"},
        "list": [{"client_secret": "s3cret", "keep": 1}, [{"passCode": "s3cret"}], "text"],
        "options": {"deep": {"refresh_token": "s3cret", "newPassword": "s3cret", "code_verifier": "s3cret"}},
        "oldPassword": {"nested": "s3cret"},
    }
    body = normalise_body(raw, None)
    assert "s3cret" not in json.dumps(body)
    assert body["list"] == [{"keep": 1}, [{}], "text"] and body["email"] == EVIL


def test_prototype_keys_are_dropped_at_any_depth():
    raw = json.loads('{"__proto__": {"admin": true}, "profile": {"__proto__": {"x": 1}, "nickname": "n"}}')
    assert normalise_body(raw, None) == {"profile": {"nickname": "n"}}


def test_the_context_option_is_shown_twice():
    body = normalise_body({"options": {"context": {"source": "utm"}}}, None)
    assert body["context"] == body["options"]["context"] == {"source": "utm"}
    assert normalise_body({"context": {"a": 1}, "options": {"context": {"b": 2}}}, None)["context"] == {"a": 1}


_names = st.sampled_from(
    [
        *IDENTIFIERS,
        *PAYLOADS.values(),
        *("account", "password", "PassCode", "profile", "connection", "options", "context", "x", "__proto__"),
    ]
)
_leaves = st.sampled_from([None, True, 7, "", "bob", EVIL, "13800138000", "PASSWORD"])
_values = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4), max_leaves=12
)
_bodies = st.dictionaries(_names, _values, max_size=6)
_identifiers = st.none() | st.dictionaries(st.sampled_from(IDENTIFIERS), _leaves, max_size=3)


def _members(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {name.lower() for name in value}.union(*map(_members, value.values()))
    return set().union(*map(_members, value)) if isinstance(value, list) else set()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_bodies, _identifiers)
def test_any_body_ends_clean_and_is_not_touched(raw: dict[str, Any], identifiers: dict[str, Any] | None):
    before = copy.deepcopy(raw)
    try:
        body = normalise_body(raw, identifiers)
    except InvalidArgument:
        assert identifiers is None
        return
    finally:
        assert raw == before
    assert _members(body).isdisjoint(SECRET_MEMBERS | {"__proto__"})
    assert all(type(value) is str and value for value in identifiers_of(body).values())
    if identifiers is not None:
        assert identifiers_of(body) == {
            name: value for name, value in identifiers.items() if isinstance(value, str) and value
        }
    assert normalise_body(body, identifiers) == body
