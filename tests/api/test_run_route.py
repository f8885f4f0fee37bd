"""The run route over real workers: its answer, its credentials, and what bad input gets."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from authpipe.storage.cipher import load_or_create

RUN = "/api/v1/run"
WHITELIST = """
async function pipe(user, context, callback) {
  const { email } = context.request.body;
  log("seen", { email });
  console.warn("look");
  if (!email.endsWith("@example.com")) return callback(new Error("Access denied."));
  user.company = "v";
  user.addCustomData("plan", "gold");
  callback(null, user, context);
}
"""


@pytest.fixture(scope="module")
def whitelist(tenant: Any) -> str:
    return tenant.create("PRE_REGISTER", WHITELIST, "whitelist")


def _event(email: str) -> dict[str, Any]:
    return {"context": {"request": {"body": {"email": email}}}}


def test_an_allowed_run_has_the_documented_shape(tenant: Any, whitelist: str) -> None:
    answer = tenant.run("PRE_REGISTER", requestId="allowed-1", **_event("ada@example.com"))
    step = answer["steps"][0]
    assert step.pop("durationMs") > 0
    assert answer["runId"] and answer["user"]["company"] == "v"
    assert answer["context"]["userPoolId"] == tenant.pool_id
    assert {name: value for name, value in answer.items() if name not in ("runId", "user", "context")} == {
        "requestId": "allowed-1",
        "verdict": "continue",
        "reason": "ok",
        "statusCode": 200,
        "message": None,
        "effects": {
            "profile": {"company": "v"},
            "customData": {"plan": "gold"},
            "customDataOnce": {},
            "idToken": {"set": {}, "remove": []},
            "accessToken": {"set": {}, "remove": []},
            "loginToken": {"set": {}, "remove": []},
        },
        "steps": [
            {
                "funcId": whitelist,
                "funcName": "whitelist",
                "outcome": "ok",
                "skipped": False,
                "logs": [["seen", {"email": "ada@example.com"}]],
                "console": [{"level": "warn", "args": ["look"]}],
                "warnings": [],
            }
        ],
        "queued": [],
    }


def test_a_denied_run_carries_the_functions_own_words_and_no_effects(tenant: Any, whitelist: str) -> None:
    answer = tenant.run("PRE_REGISTER", **_event("eve@elsewhere.net"))
    told = [answer[name] for name in ("verdict", "reason", "statusCode", "message")]
    assert told == ["deny", "denied", 603, "Access denied."]
    assert answer["effects"]["profile"] == {}
    assert answer["steps"][0]["message"] == "Access denied."


def test_an_asynchronous_function_is_queued(tenant: Any) -> None:
    made = tenant.create("POST_MFA_VERIFY", isAsynchronous=True)
    answer = tenant.run("POST_MFA_VERIFY", user={"id": "u"})
    assert [item["funcId"] for item in answer["queued"]] == [made]
    assert answer["queued"][0]["invocationId"]


def test_a_repeated_request_id_gives_the_same_answer(tenant: Any, whitelist: str) -> None:
    first = tenant.run("PRE_REGISTER", requestId="again", **_event("ada@example.com"))
    assert tenant.run("PRE_REGISTER", requestId="again", **_event("ada@example.com")) == first


def test_an_alias_of_a_scene_and_unknown_fields_are_taken(tenant: Any) -> None:
    answer = tenant.run("PRE_OIDCTOKENISSUED", user={"id": "u"}, somethingNew=1)
    assert answer["verdict"] == "continue"


def test_identifiers_win_over_the_request_body(tenant: Any, whitelist: str) -> None:
    decoy = tenant.run("PRE_REGISTER", identifiers={"email": "eve@elsewhere.net"}, **_event("ada@example.com"))
    assert decoy["verdict"] == "deny"


def _basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


@pytest.mark.parametrize("form", ["Bearer {token}", "bearer {token}", "{token}", "basic"])
def test_every_form_of_good_credentials_is_taken(tenant: Any, stranger: httpx.Client, form: str) -> None:
    credentials = _basic(tenant.pool_id, tenant.secret) if form == "basic" else form.replace("{token}", tenant.token)
    answer = stranger.post(RUN, json={"scene": "PRE_MFA_VERIFY"}, headers={"authorization": credentials})
    assert answer.status_code == 200, answer.text


def _claims(pool_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "token_type": "management_token",
        "scoped_userpool_id": pool_id,
        "access_key_type": "userpool",
        "access_key_id": pool_id,
        "iat": 1,
        "exp": 4_000_000_000,
        **changes,
    }


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def _bad_credentials(tenant: Any, data_dir: Any) -> dict[str, str | None]:
    ours = OctKey.import_key(load_or_create(data_dir / "server.key").derive("management tokens"))
    other = OctKey.import_key(b"another key of thirty-two bytes!")

    def signed(key: OctKey, **changes: Any) -> str:
        return "Bearer " + jwt.encode({"alg": "HS256"}, _claims(tenant.pool_id, **changes), key, ["HS256"])

    head, payload, signature = tenant.token.split(".")
    return {
        "none": None,
        "empty": "",
        "an expired token": signed(ours, exp=2),
        "a token without expiry": signed(ours, exp=None),
        "a token of another kind": signed(ours, token_type="end_user"),
        "a token of an unknown pool": signed(ours, scoped_userpool_id="0" * 24, access_key_id="0" * 24),
        "a token signed with another key": signed(other),
        "an unsigned token": f"Bearer {_unsigned(_claims(tenant.pool_id))}",
        "a token with its signature cut": f"Bearer {head}.{payload}.",
        "a token with another payload": f"Bearer {head}.{_unsigned(_claims('0' * 24)).split('.')[1]}.{signature}",
        "no token at all": "Bearer nonsense",
        "not ASCII": "Bearer ünïcode",
        "another scheme": "Digest username=x",
        "a wrong secret": _basic(tenant.pool_id, "0" * 32),
        "an unknown key": _basic("0" * 24, tenant.secret),
        "Basic that is not base64": "Basic §§§",
        "Basic without a colon": "Basic " + base64.b64encode(b"nocolon").decode(),
    }


def test_bad_credentials_are_refused(tenant: Any, served: Any, stranger: httpx.Client) -> None:
    for name, value in _bad_credentials(tenant, served.data_dir).items():
        headers = {} if value is None else {"authorization": value.encode()}
        answer = stranger.post(RUN, json={"scene": "PRE_REGISTER"}, headers=headers)
        assert answer.status_code == 401, name
        assert answer.json()["statusCode"] == 401, name
        assert "www-authenticate" in answer.headers, name


def test_the_test_of_bad_tokens_would_accept_a_good_one(tenant: Any, served: Any, stranger: httpx.Client) -> None:
    ours = OctKey.import_key(load_or_create(served.data_dir / "server.key").derive("management tokens"))
    good = jwt.encode({"alg": "HS256"}, _claims(tenant.pool_id), ours, ["HS256"])
    answer = stranger.post(RUN, json={"scene": "PRE_MFA_VERIFY"}, headers={"authorization": f"Bearer {good}"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("header", ["x-authing-userpool-id", "x-genauth-userpool-id"])
def test_a_header_that_names_another_pool_is_forbidden(tenant: Any, header: str) -> None:
    for value, status in ((tenant.pool_id, 200), ("", 200), ("0" * 24, 403)):
        answer = tenant.client.post(RUN, json={"scene": "PRE_MFA_VERIFY"}, headers={header: value})
        assert answer.status_code == status, value


def _nested(depth: int) -> str:
    return '{"scene":"PRE_MFA_VERIFY","context":' + '{"a":' * (depth - 1) + "{}" + "}" * depth


BAD_BODIES: dict[str, tuple[bytes | str, int, str]] = {
    "nothing": ("", 400, "JSON"),
    "not JSON": ("{", 400, "JSON"),
    "a form": ("scene=PRE_REGISTER", 400, "JSON"),
    "a byte order mark": (b'\xef\xbb\xbf{"scene":"PRE_REGISTER"}', 400, "JSON"),
    "not UTF-8": (b'{"scene":"\xff"}', 400, "JSON"),
    "NaN": ('{"scene":"PRE_REGISTER","user":{"a":NaN}}', 400, "JSON"),
    "half a surrogate pair": ('{"scene":"PRE_REGISTER","user":{"a":"\\ud800"}}', 400, "JSON"),
    "a number beyond a double": ('{"scene":"PRE_REGISTER","user":{"a":1e999}}', 400, "user"),
    "an array": ("[]", 400, "object"),
    "no scene": ("{}", 400, "scene is required"),
    "an unknown scene": ('{"scene":"LUNCH"}', 400, "PRE_REGISTER"),
    "a scene in lower case": ('{"scene":"pre_register"}', 400, "PRE_REGISTER"),
    "a scene that is a number": ('{"scene":1}', 400, "scene"),
    "a user that is a string": ('{"scene":"PRE_REGISTER","user":"ada"}', 400, "user"),
    "a context that is an array": ('{"scene":"PRE_REGISTER","context":[]}', 400, "context"),
    "identifiers that are a string": ('{"scene":"PRE_REGISTER","identifiers":"x"}', 400, "identifiers"),
    "a deadline that is a string": ('{"scene":"PRE_REGISTER","deadlineMs":"5"}', 400, "deadlineMs"),
    "a deadline of zero": ('{"scene":"PRE_REGISTER","deadlineMs":0}', 400, "deadlineMs"),
    "an empty requestId": ('{"scene":"PRE_REGISTER","requestId":""}', 400, "requestId"),
    "a long requestId": (json.dumps({"scene": "PRE_REGISTER", "requestId": "x" * 129}), 400, "requestId"),
    "a requestId with a line break": ('{"scene":"PRE_REGISTER","requestId":"a\\nb"}', 400, "requestId"),
    "one level too deep": (_nested(33), 400, "deep"),
    "thousands of levels": ("[" * 500_000, 400, "deep"),
    "user and context over the limit": (json.dumps({"scene": "PRE_REGISTER", "user": {"a": "x" * 1_100_000}}), 413, ""),
    "a body over the limit": (json.dumps({"scene": "PRE_REGISTER", "user": {"a": "x" * 2_200_000}}), 413, "2097152"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_gets_one_clear_sentence(tenant: Any, name: str) -> None:
    body, status, fragment = BAD_BODIES[name]
    answer = tenant.client.post(RUN, content=body, headers={"content-type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["statusCode"]) == (status, status)
    assert set(problem) == {"statusCode", "message", "requestId"}
    assert fragment in problem["message"]
    assert "Traceback" not in answer.text and "\n" not in problem["message"]


def test_the_deepest_body_allowed_runs(tenant: Any) -> None:
    answer = tenant.client.post(RUN, content=_nested(31), headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text


def test_a_body_sent_in_chunks_is_bounded_too(tenant: Any) -> None:
    small = iter([b'{"scene":', b'"PRE_MFA_VERIFY"}'])
    assert tenant.client.post(RUN, content=small).status_code == 200
    assert tenant.client.post(RUN, content=(b" " * 100_000 for _ in range(25))).status_code == 413


def test_another_content_type_is_refused_and_curls_default_is_not(tenant: Any) -> None:
    for kind, status in (
        ("application/json; charset=utf-8", 200),
        ("application/x-www-form-urlencoded", 200),
        ("text/plain", 400),
        ("multipart/form-data; boundary=x", 400),
    ):
        body = b'{"scene":"PRE_MFA_VERIFY"}'
        assert tenant.client.post(RUN, content=body, headers={"content-type": kind}).status_code == status, kind


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_told_so(tenant: Any, method: str) -> None:
    assert tenant.client.request(method, RUN).status_code == 405


def test_prototype_keys_pollute_nothing(tenant: Any) -> None:
    source = """
    async function pipe(user, context, callback) {
      log({}.polluted === undefined, [].polluted === undefined, Object.keys(user.customData));
      callback(null, user, context);
    }"""
    tenant.create("POST_REGISTER", source)
    poison = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"id":"u"}'
    text = f'{{"scene":"POST_REGISTER","user":{poison},"context":{poison},"identifiers":{poison}}}'
    answer = tenant.client.post(RUN, content=text, headers={"content-type": "application/json"}).json()
    assert answer["verdict"] == "continue"
    assert answer["steps"][0]["logs"] == [[True, True, []]]
    assert "__proto__" not in answer["effects"]["profile"]


def test_a_pool_deleted_by_another_process_is_soon_gone(new_tenant: Any, served: Any) -> None:
    gone = new_tenant()
    assert gone.run("PRE_MFA_VERIFY")["verdict"] == "continue"
    words = ["pool", "delete", gone.pool_id, "--yes", "--data-dir", served.data_dir]
    subprocess.run([Path(sys.executable).with_name("authpipe"), *words], check=True, capture_output=True)
    end = time.monotonic() + 20
    while (answer := gone.client.post(RUN, json={"scene": "PRE_MFA_VERIFY"})).status_code == 200:
        assert time.monotonic() < end
    assert answer.status_code in (401, 404)
