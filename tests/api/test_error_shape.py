"""Every error of every route has one body, and never a stack trace."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog

from authpipe import errors
from authpipe.api.app import create_api, create_framework
from authpipe.api.intake import PUBLIC
from authpipe.api.openapi import describe
from authpipe.cli.server import parts_of

JSON = {"content-type": "application/json"}
NO_CREDENTIALS = PUBLIC | {"/healthz", "/readyz", "/metrics"}


def _routes() -> Iterator[tuple[str, str, bool]]:
    for path, operations in describe(create_framework())["paths"].items():
        for method, operation in operations.items():
            yield (
                method.upper(),
                path.replace("{run_id}", "0" * 24).replace("{key}", "NONE"),
                "requestBody" in operation,
            )


ROUTES = list(_routes())
GUARDED = [(method, path) for method, path, _ in ROUTES if path not in NO_CREDENTIALS]
WITH_BODY = [(method, path) for method, path, body in ROUTES if body]

#: one field at least of every body, so that each finds a value it cannot take
FIELDS = (
    *("scene", "sourceCode", "funcName", "funcId", "order"),
    *("key", "accessKeyId", "accessKeySecret", "timeZone", "jit"),
)

BAD_BODIES: dict[str, tuple[bytes, int]] = {
    "malformed JSON": (b'{"a":', 400),
    "an array": (b"[]", 400),
    "a string": (b'"text"', 400),
    "nothing": (b"", 400),
    "wrong types": (json.dumps({name: {"a": 1} for name in FIELDS}).encode(), 400),
    "NaN": (b'{"a":NaN}', 400),
    "not UTF-8": (b'{"a":"\xff"}', 400),
    "too deep": (b'{"a":' * 40 + b"1" + b"}" * 40, 400),
    "far too deep": (b"[" * 100_000, 400),
    "too large": (b'{"a":"' + b"x" * 2_200_000 + b'"}', 413),
}


def check(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem in `response`, which must be one of `status`, in the one shape."""
    enveloped = response.request.url.path.startswith("/api/v3/")
    assert response.headers["content-type"] == "application/json"
    problem: dict[str, Any] = response.json()
    assert problem["statusCode"] == status, problem
    assert response.status_code == (200 if enveloped else status)
    assert {"statusCode", "message", "requestId"} <= set(problem) <= {"statusCode", "message", "requestId", "apiCode"}
    assert problem["message"].strip() and "\n" not in problem["message"] and "Traceback" not in problem["message"]
    assert problem["message"][-1] in ".!?", problem["message"]
    assert problem["requestId"]
    return problem


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_credentials(stranger: httpx.Client, method: str, path: str) -> None:
    check(stranger.request(method, path), 401)
    check(stranger.request(method, path, headers={"authorization": "Bearer nonsense"}), 401)


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_with_a_header_that_names_another_pool(tenant: Any, method: str, path: str) -> None:
    check(tenant.client.request(method, path, headers={"x-authing-userpool-id": "0" * 24}), 403)


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
@pytest.mark.parametrize("name", BAD_BODIES)
def test_with_a_bad_body(tenant: Any, method: str, path: str, name: str) -> None:
    body, status = BAD_BODIES[name]
    check(tenant.client.request(method, path, content=body, headers=JSON), status)


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in ROUTES])
def test_with_another_method(tenant: Any, method: str, path: str) -> None:
    taken = {each for each, same, _ in ROUTES if same == path}
    wrong = next(each for each in ("PUT", "GET", "DELETE", "TRACE") if each not in taken)
    check(tenant.client.request(wrong, path), 405)


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api", "/api/v1", "/api/v1/nothing", "/api/v1/run/", "/api/v3/nothing", "//api/v1/run"]
)
def test_at_an_unknown_route(tenant: Any, path: str) -> None:
    check(tenant.client.send(tenant.client.build_request("GET", path)), 404)


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v3/get-pipeline-logs"])
@pytest.mark.parametrize("query", ["limit=x", "limit=0", "limit=-1", "limit=1.5", "limit=" + "9" * 5000])
def test_with_a_bad_number_in_the_query(tenant: Any, path: str, query: str) -> None:
    problem = check(tenant.client.get(f"{path}?funcId={'0' * 24}&{query}"), 400)
    assert "limit" in problem["message"]


@pytest.mark.parametrize("key", ["%00", "%ff", "a%2Fb", "%0d%0aset-cookie:x", "x" * 2000])
def test_with_odd_characters_in_the_path(tenant: Any, key: str) -> None:
    answer = tenant.client.delete(f"/api/v1/env/{key}")
    check(answer, answer.json()["statusCode"])
    assert answer.status_code in (400, 404)
    check(tenant.client.get(f"/api/v1/runs/{key}"), tenant.client.get(f"/api/v1/runs/{key}").json()["statusCode"])


class _Broken:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("a secret of ours")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/run", {"scene": "PRE_REGISTER"}),
        ("POST", "/api/v1/debug", {"scene": "PRE_REGISTER", "sourceCode": "x"}),
        ("GET", "/api/v3/list-pipeline-functions", None),
        ("GET", "/api/v1/env", None),
        ("GET", "/api/v1/runs", None),
        ("GET", "/metrics", None),
    ],
)
async def test_a_bug_of_ours_is_logged_and_not_shown(scripted: Any, method: str, path: str, body: Any) -> None:
    broken: Any = _Broken()
    parts = dataclasses.replace(
        parts_of(scripted.application),
        engine=scripted.engine,
        functions=broken,
        environment=broken,
        run_log=broken,
        metrics=broken,
    )
    pool = await scripted.application.user_pools.create("x")
    token, _ = await scripted.application.tokens.issue(pool.access_key_id, pool.access_key_secret)
    transport = httpx.ASGITransport(app=create_api(parts), raise_app_exceptions=True)
    with structlog.testing.capture_logs() as logged:
        async with httpx.AsyncClient(transport=transport, base_url="http://authpipe") as client:
            answer = await client.request(method, path, json=body, headers={"authorization": f"Bearer {token}"})
    problem = check(answer, 500)
    assert "secret of ours" not in answer.text
    (entry,) = logged
    assert entry["request_id"] == problem["requestId"] and isinstance(entry["exc_info"], RuntimeError)


async def test_overload_says_when_to_come_back_and_has_no_verdict(scripted: Any) -> None:
    scripted.engine.answer = errors.Overloaded(retry_after=7)
    for path, body in (
        ("/api/v1/run", {"scene": "PRE_REGISTER"}),
        ("/api/v1/debug", {"scene": "PRE_REGISTER", "sourceCode": "x"}),
    ):
        answer = await scripted.client.post(path, json=body)
        check(answer, 503)
        assert answer.headers["retry-after"] == "7"


async def test_an_error_of_a_run_carries_the_callers_request_id(scripted: Any) -> None:
    scripted.engine.answer = errors.Conflict()
    answer = await scripted.client.post("/api/v1/run", json={"scene": "PRE_REGISTER", "requestId": "mine"})
    assert check(answer, 409)["requestId"] == "mine"


def test_nothing_here_reached_the_servers_log(served: Any) -> None:
    assert "Traceback" not in served.log.read_text()
