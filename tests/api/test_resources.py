"""Tokens, environment, settings, runs, templates and health, each as its clients use it."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import pytest

from authpipe.model import PoolSettings

ECHO = "function pipe(user, context, callback) { log(env.A, env.B); callback(null, user, context) }"


@pytest.mark.parametrize("path", ["/api/v1/token", "/api/v3/get-management-token"])
def test_a_token_is_given_for_a_key_and_decodes_with_the_standard_alphabet(
    tenant: Any, stranger: httpx.Client, path: str
) -> None:
    keys = {"accessKeyId": tenant.pool_id, "accessKeySecret": tenant.secret}
    for _ in range(20):
        answer = stranger.post(path, json=keys)
        data = answer.json()["data"]
        assert set(data) == {"access_token", "expires_in"} and data["expires_in"] == 7200
        payload = data["access_token"].split(".")[1]
        claims = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True))
        assert claims["scoped_userpool_id"] == tenant.pool_id
    assert answer.headers["cache-control"] == "no-store"


def test_an_access_key_is_for_our_own_routes_only(tenant: Any, stranger: httpx.Client) -> None:
    keys = httpx.BasicAuth(tenant.pool_id, tenant.secret)
    assert stranger.get("/api/v1/settings", auth=keys).status_code == 200
    assert stranger.get("/api/v3/list-pipeline-functions", auth=keys).json()["statusCode"] == 401


def test_variables_are_readable_and_secrets_are_not(new_tenant: Any) -> None:
    tenant = new_tenant()
    tenant.create("PRE_MFA_VERIFY", ECHO)
    tenant.data("PUT", "/api/v1/env", json={"key": "A", "value": {"n": 1}})
    made = tenant.data("PUT", "/api/v1/env", json={"key": "B", "value": "very secret", "secret": True})
    assert "value" not in made and made["secret"] is True
    found = tenant.data("GET", "/api/v1/env")
    assert [(each["key"], each.get("value"), each["secret"]) for each in found["list"]] == [
        ("A", '{"n":1}', False),
        ("B", None, True),
    ]
    assert tenant.run("PRE_MFA_VERIFY")["steps"][0]["logs"] == [['{"n":1}', "[redacted]"]]
    tenant.data("DELETE", "/api/v1/env/A")
    tenant.data("DELETE", "/api/v1/env", params={"key": "B"})
    assert tenant.data("GET", "/api/v1/env")["list"] == []
    assert tenant.run("PRE_MFA_VERIFY")["steps"][0]["logs"] == [["undefined", "undefined"]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"value": "x"}, 400),
        ({"key": "A"}, 400),
        ({"key": "A", "value": None}, 400),
        ({"key": "A", "value": ""}, 400),
        ({"key": "1A", "value": "x"}, 400),
        ({"key": "__proto__.x", "value": "x"}, 400),
        ({"key": "A", "value": "short", "secret": True}, 400),
        ({"key": "A", "value": "x", "secret": "yes"}, 400),
        ({"key": "A", "value": "x" * 4097}, 413),
    ],
)
def test_a_bad_environment_value_is_refused(tenant: Any, body: dict[str, Any], status: int) -> None:
    assert tenant.client.put("/api/v1/env", json=body).status_code == status
    assert tenant.data("GET", "/api/v1/env")["list"] == []


def test_settings_change_one_by_one_and_all_or_nothing(new_tenant: Any) -> None:
    tenant = new_tenant()
    before = tenant.data("GET", "/api/v1/settings")
    assert set(before) == set(PoolSettings.__struct_encode_fields__)
    changed = tenant.data("PATCH", "/api/v1/settings", json={"timeZone": "Asia/Shanghai"})
    assert changed == {**before, "timeZone": "Asia/Shanghai"}
    for bad in ({"jit": True, "timeZone": "Mars/Olympus"}, {"jit": True, "unknown": 1}, {"jit": "yes"}):
        assert tenant.client.patch("/api/v1/settings", json=bad).status_code == 400
    assert tenant.data("GET", "/api/v1/settings") == changed


def test_runs_are_listed_newest_first_by_scene_and_page(new_tenant: Any) -> None:
    tenant = new_tenant()
    for scene in ("PRE_MFA_VERIFY", "POST_MFA_VERIFY"):
        tenant.create(scene)
    made = [tenant.run(scene)["runId"] for scene in ("PRE_MFA_VERIFY", "POST_MFA_VERIFY", "PRE_MFA_VERIFY")]

    def listed(**params: Any) -> list[str]:
        return [run["runId"] for run in tenant.data("GET", "/api/v1/runs", params=params)["list"]]

    assert listed() == made[::-1]
    assert listed(scene="POST_MFA_VERIFY") == [made[1]]
    assert listed(limit=2) == [made[2], made[1]]
    assert listed(limit=2, before=made[1]) == [made[0]]
    assert tenant.client.get("/api/v1/runs?scene=LUNCH").status_code == 400


def test_one_run_has_its_steps_and_at_record_level_full_its_snapshot(new_tenant: Any) -> None:
    tenant = new_tenant()
    tenant.create("PRE_MFA_VERIFY", ECHO, "echo")
    plain = tenant.run("PRE_MFA_VERIFY", user={"id": "u"}, requestId="r1")
    tenant.data("PATCH", "/api/v1/settings", json={"recordLevel": "full"})
    full = tenant.run("PRE_MFA_VERIFY", user={"id": "u"})
    shown = tenant.data("GET", f"/api/v1/runs/{plain['runId']}")
    assert (shown["requestId"], shown["verdict"], shown["userId"]) == ("r1", "continue", "u")
    assert [step["funcName"] for step in shown["steps"]] == ["echo"] and "snapshot" not in shown
    assert tenant.data("GET", f"/api/v1/runs/{full['runId']}")["snapshot"]["user"]["id"] == "u"


def test_the_catalogue_has_the_public_shape(stranger: httpx.Client) -> None:
    catalogue = stranger.get("/api/v1/templates").json()["data"]
    assert {"name", "desc", "desc_en"} == set(catalogue["triggers"][0])
    entries = [entry for group in catalogue["templates"] for entry in group["templates"]]
    assert len({entry["id"] for entry in entries}) == 22
    assert "PRE_OIDCTOKENISSUED" in {scene for entry in entries for scene in entry["triggers"]}


def test_health_readiness_and_metrics_need_no_credentials(tenant: Any, stranger: httpx.Client) -> None:
    tenant.create("PRE_MFA_VERIFY", "function pipe(u, c, cb) { cb(new Error('no')) }")
    assert tenant.run("PRE_MFA_VERIFY")["verdict"] == "deny"
    assert stranger.get("/healthz").json() == {"status": "ok"}
    assert stranger.get("/readyz").json() == {"status": "ready"}
    text = stranger.get("/metrics").text
    for line in (r'authpipe_runs_total\{.*reason="denied".*scene="PRE_MFA_VERIFY"\}', r'authpipe_workers\{state="'):
        assert re.search(line, text), line
    assert tenant.pool_id not in text


async def test_a_server_that_is_not_ready_says_so(scripted: Any) -> None:
    answer = await scripted.client.get("/readyz")
    assert answer.status_code == 503 and "retry-after" in answer.headers
