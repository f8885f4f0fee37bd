"""Debug runs: made-up data, the pool's real environment, and nothing kept."""

from __future__ import annotations

from typing import Any

import pytest

from authpipe.model import Scene

DEBUG = "/api/v1/debug"
SHOW = "function pipe(u, context, cb) { log(u, context.request.body, env.PLAN); cb(null, u, context) }"


def _debug(tenant: Any, **draft: Any) -> dict[str, Any]:
    response = tenant.client.post(DEBUG, json={"scene": "PRE_REGISTER", "sourceCode": SHOW, **draft})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_a_draft_sees_the_real_environment_and_leaves_no_trace(new_tenant: Any) -> None:
    tenant = new_tenant()
    tenant.data("PUT", "/api/v1/env", json={"key": "PLAN", "value": "gold"})
    answer = _debug(tenant)
    assert {"requestId", "code", "verdict", "message", "user", "context", "effects", "steps"} <= set(answer)
    assert (answer["code"], answer["verdict"]) == (200, "continue")
    assert answer["steps"][0]["logs"][0][2] == "gold"
    assert tenant.data("GET", "/api/v1/runs")["list"] == []
    assert tenant.data("GET", "/api/v3/list-pipeline-functions")["list"] == []


@pytest.mark.parametrize("scene", list(Scene))
def test_made_up_data_lets_a_draft_run_at_every_scene(tenant: Any, scene: str) -> None:
    answer = _debug(tenant, scene=scene)
    assert answer["code"] == 200, answer
    user, body, _ = answer["steps"][0]["logs"][0]
    assert user["email"] == "ada@example.com" or scene in ("PRE_REGISTER",)
    assert isinstance(body, dict)
    made_up = tenant.data("GET", DEBUG, params={"scene": scene})
    assert made_up["context"]["userPoolId"] == tenant.pool_id


def test_given_user_context_and_body_win_over_made_up_ones(tenant: Any) -> None:
    answer = _debug(tenant, scene="POST_AUTHENTICATION", user={"id": "mine"}, body={"email": "a@b.example"})
    user, body, _ = answer["steps"][0]["logs"][0]
    assert user["id"] == "mine" and body["email"] == "a@b.example"
    context = {"request": {"body": {"email": "c@d.example"}, "ip": "203.0.113.1"}}
    answer = _debug(tenant, context=context)
    assert answer["steps"][0]["logs"][0][1]["email"] == "c@d.example"
    assert answer["context"]["request"]["ip"] == "203.0.113.1"


def test_a_denying_a_throwing_and_a_broken_draft_are_told_apart(tenant: Any) -> None:
    denied = _debug(tenant, sourceCode="function pipe(u, c, cb) { cb(new Error('no')) }")
    assert (denied["code"], denied["message"], denied["steps"][0]["outcome"]) == (603, "no", "denied")
    threw = _debug(tenant, sourceCode="function pipe(u, c, cb) { throw new TypeError('boom') }")
    assert (threw["code"], threw["steps"][0]["outcome"]) == (603, "threw")
    assert "boom" in threw["steps"][0]["message"] and "boom" not in threw["message"]
    broken = _debug(tenant, sourceCode="function pipe(u, c, cb) {")
    assert broken["code"] == 603 and broken["steps"][0]["outcome"] == "threw"


def test_a_looping_draft_times_out(tenant: Any) -> None:
    answer = _debug(tenant, sourceCode="function pipe(u, c, cb) { for (;;) {} }", timeout=1)
    assert (answer["code"], answer["steps"][0]["outcome"]) == (603, "timed_out")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"scene": None}, 400),
        ({"scene": "LUNCH"}, 400),
        ({"sourceCode": ""}, 400),
        ({"sourceCode": "/" * 262_145}, 413),
        ({"timeout": 61}, 400),
        ({"user": "ada"}, 400),
        ({"context": []}, 400),
        ({"body": 1}, 400),
        ({"terminateOnTimeout": "yes"}, 400),
    ],
)
def test_a_bad_draft_is_refused(tenant: Any, change: dict[str, Any], status: int) -> None:
    draft = {"scene": "PRE_REGISTER", "sourceCode": SHOW, **change}
    assert tenant.client.post(DEBUG, json=draft).status_code == status
