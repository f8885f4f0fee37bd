"""Every route, with another user pool's ids: nothing of it is shown, nothing of it changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from authpipe.api.app import create_framework
from authpipe.api.openapi import describe

MARK = "belongs-to-the-victim"
PLAIN = "function pipe(user, context, callback) { callback(null, user, context) }"
SOURCE = f"async function pipe(user, context, callback) {{ log('{MARK}', env.MARK); callback(null, user, context) }}"


@dataclasses.dataclass(frozen=True)
class Victim:
    """A user pool full of things to be found."""

    tenant: Any
    func_id: str
    run_id: str


@dataclasses.dataclass(frozen=True)
class Row:
    """A request that names the victim's things, and the `statusCode` an attacker must get."""

    status: int
    request: Callable[[Victim], dict[str, Any]] = lambda victim: {}


def _query(**names: str) -> Callable[[Victim], dict[str, Any]]:
    return lambda victim: {"params": {name: getattr(victim, value) for name, value in names.items()}}


def _body(**fixed: Any) -> Callable[[Victim], dict[str, Any]]:
    return lambda victim: {"json": {"funcId": victim.func_id, **fixed}}


#: route → row; a route without one fails `test_every_route_has_a_row`
ROWS: dict[str, Row] = {
    "POST /api/v1/token": Row(
        401, lambda victim: {"json": {"accessKeyId": victim.tenant.pool_id, "accessKeySecret": "0" * 64}}
    ),
    "POST /api/v3/get-management-token": Row(
        401, lambda victim: {"json": {"accessKeyId": victim.tenant.pool_id, "accessKeySecret": "0" * 64}}
    ),
    "POST /api/v3/create-pipeline-function": Row(200, _body(sourceCode=PLAIN, scene="PRE_MFA_VERIFY", funcName="x")),
    "GET /api/v3/get-pipeline-function": Row(404, _query(funcId="func_id")),
    "POST /api/v3/reupload-pipeline-function": Row(404, _body()),
    "POST /api/v3/update-pipeline-function": Row(404, _body(sourceCode="throw 1", funcName="stolen", enabled=False)),
    "POST /api/v3/update-pipeline-order": Row(
        400, lambda victim: {"json": {"scene": "PRE_REGISTER", "order": [victim.func_id]}}
    ),
    "POST /api/v3/delete-pipeline-function": Row(404, _body()),
    "GET /api/v3/list-pipeline-functions": Row(200),
    "GET /api/v3/get-pipeline-logs": Row(404, _query(funcId="func_id")),
    "POST /api/v1/run": Row(200, lambda victim: {"json": {"scene": "PRE_REGISTER"}}),
    "GET /api/v1/runs": Row(200, _query(before="run_id")),
    "GET /api/v1/runs/{run_id}": Row(404),
    "GET /api/v1/debug": Row(200, lambda victim: {"params": {"scene": "PRE_REGISTER"}}),
    "POST /api/v1/debug": Row(
        200,
        lambda victim: {
            "json": {
                "scene": "PRE_REGISTER",
                "sourceCode": "function pipe(u, c, cb) { log(Object.keys(env)); cb(null, u, c) }",
                "context": {"userPoolId": victim.tenant.pool_id},
            }
        },
    ),
    "GET /api/v1/env": Row(200),
    "PUT /api/v1/env": Row(200, lambda victim: {"json": {"key": "MARK", "value": "mine"}}),
    "DELETE /api/v1/env": Row(404, lambda victim: {"params": {"key": "SECRET"}}),
    "DELETE /api/v1/env/{key}": Row(404),
    "GET /api/v1/settings": Row(200),
    "PATCH /api/v1/settings": Row(200, lambda victim: {"json": {"timeZone": "Europe/Berlin"}}),
    "GET /api/v1/templates": Row(200),
    "GET /healthz": Row(200),
    "GET /readyz": Row(200),
    "GET /metrics": Row(200),
}


@pytest.fixture(scope="module")
def victim(new_tenant: Callable[[], Any]) -> Victim:
    tenant = new_tenant()
    for key, secret in (("MARK", False), ("SECRET", True)):
        tenant.data("PUT", "/api/v1/env", json={"key": key, "value": MARK, "secret": secret})
    func_id = tenant.create("PRE_REGISTER", SOURCE, MARK)
    return Victim(tenant, func_id, tenant.run("PRE_REGISTER")["runId"])


def _state(victim: Victim) -> list[Any]:
    def read(path: str) -> Any:
        return victim.tenant.data("GET", path)

    return [read(f"/api/v1/{name}") for name in ("env", "settings", "runs", f"runs/{victim.run_id}")] + [
        read(path)
        for path in (
            "/api/v3/list-pipeline-functions",
            f"/api/v3/get-pipeline-function?funcId={victim.func_id}",
            f"/api/v3/get-pipeline-logs?funcId={victim.func_id}",
        )
    ]


def test_every_route_has_a_row() -> None:
    paths = describe(create_framework())["paths"]
    assert set(ROWS) == {f"{method.upper()} {path}" for path in paths for method in paths[path]}


@pytest.mark.parametrize("route", ROWS)
def test_another_pools_things_are_neither_shown_nor_changed(tenant: Any, victim: Victim, route: str) -> None:
    method, _, path = route.partition(" ")
    path = path.replace("{run_id}", victim.run_id).replace("{key}", "SECRET")
    before = _state(victim)
    row = ROWS[route]
    answer = tenant.client.request(method, path, **row.request(victim))
    status = answer.json().get("statusCode", answer.status_code) if path != "/metrics" else answer.status_code
    assert status == row.status, answer.text
    assert MARK not in answer.text and victim.tenant.secret not in answer.text
    # An error may repeat the id it was asked about.
    assert row.status != 200 or victim.func_id not in answer.text
    assert _state(victim) == before


def test_the_victim_itself_sees_its_things(victim: Victim) -> None:
    assert MARK in str(_state(victim))


def test_a_token_of_the_victim_acts_for_the_victim_only(tenant: Any, victim: Victim, stranger: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {victim.tenant.token}", "x-authing-userpool-id": tenant.pool_id}
    assert stranger.get("/api/v1/settings", headers=headers).status_code == 403
