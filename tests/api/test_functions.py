"""The eight function routes: a life of a function, and the table of what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

PASS = "async function pipe(user, context, callback) { callback(null, user, context) }"
NEW = {"sourceCode": PASS, "scene": "PRE_REGISTER", "funcName": "f"}
CREATE, UPDATE = "/api/v3/create-pipeline-function", "/api/v3/update-pipeline-function"
DELETE, ORDER = "/api/v3/delete-pipeline-function", "/api/v3/update-pipeline-order"
UNKNOWN = "0" * 24


def _post(tenant: Any, path: str, body: Any) -> dict[str, Any]:
    response = tenant.client.post(path, json=body)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def test_a_new_function_has_every_documented_field(tenant: Any) -> None:
    made = _post(tenant, CREATE, {**NEW, "scene": "Pre-Register", "sourceCode": f"// é\r\n{PASS}\n"})
    assert set(made) == {"statusCode", "message", "requestId", "data"}
    assert made["message"] == "操作成功"
    data = made["data"]
    assert len(data.pop("funcId")) == 24
    created, updated = data.pop("createdAt"), data.pop("updatedAt")
    assert created == updated and created.endswith("Z") and len(created) == 24
    assert data == {
        "funcName": "f",
        "funcDescription": "",
        "scene": "PRE_REGISTER",
        "isAsynchronous": False,
        "timeout": 3,
        "terminateOnTimeout": True,
        "enabled": True,
        "sourceCode": f"// é\r\n{PASS}\n",
        "status": "success",
        "isCloud": False,
        "lastExecuteStatus": {},
    }


#: what is sent → path, body, the answer's statusCode, a word of its message
REFUSED: dict[str, tuple[str, Any, int, str]] = {
    "create with a time-out only": (CREATE, {"timeout": 3}, 400, "required"),
    "create without a source": (CREATE, {**NEW, "sourceCode": None}, 400, "sourceCode"),
    "create without a scene": (CREATE, {"sourceCode": PASS, "funcName": "f"}, 400, "scene"),
    "create without a name": (CREATE, {"sourceCode": PASS, "scene": "PRE_REGISTER"}, 400, "funcName"),
    "create with an empty name": (CREATE, {**NEW, "funcName": ""}, 400, "funcName"),
    "create with a name of 65 characters": (CREATE, {**NEW, "funcName": "x" * 65}, 400, "funcName"),
    "create with a name of two lines": (CREATE, {**NEW, "funcName": "a\nb"}, 400, "funcName"),
    "create with an empty source": (CREATE, {**NEW, "sourceCode": " "}, 400, "sourceCode"),
    "create with a numeric source": (CREATE, {**NEW, "sourceCode": 1}, 400, "sourceCode"),
    "create at an unknown scene": (CREATE, {**NEW, "scene": "LUNCH"}, 400, "scene"),
    "create with time-out 0": (CREATE, {**NEW, "timeout": 0}, 400, "timeout"),
    "create with time-out 61": (CREATE, {**NEW, "timeout": 61}, 400, "timeout"),
    "create with time-out 1.5": (CREATE, {**NEW, "timeout": 1.5}, 400, "timeout"),
    "create with time-out in text": (CREATE, {**NEW, "timeout": "3"}, 400, "timeout"),
    "create with time-out true": (CREATE, {**NEW, "timeout": True}, 400, "timeout"),
    "create with enabled 1": (CREATE, {**NEW, "enabled": 1}, 400, "enabled"),
    "create with isAsynchronous in text": (CREATE, {**NEW, "isAsynchronous": "no"}, 400, "isAsynchronous"),
    "create with a long description": (CREATE, {**NEW, "funcDescription": "x" * 1001}, 400, "funcDescription"),
    "create with a source over the limit": (CREATE, {**NEW, "sourceCode": "/" * 262_145}, 413, "sourceCode"),
    "update without an id": (UPDATE, {"timeout": 3}, 400, "funcId"),
    "update of an unknown id": (UPDATE, {"funcId": UNKNOWN, "timeout": 3}, 404, ""),
    "update with a numeric id": (UPDATE, {"funcId": 5}, 400, "funcId"),
    "delete without an id": (DELETE, {}, 400, "funcId is required"),
    "delete of an unknown id": (DELETE, {"funcId": UNKNOWN}, 404, ""),
    "delete of an empty id": (DELETE, {"funcId": ""}, 400, "funcId"),
    "reupload of an unknown id": ("/api/v3/reupload-pipeline-function", {"funcId": UNKNOWN}, 404, ""),
    "order without a scene": (ORDER, {"order": []}, 400, "scene"),
    "order that is a string": (ORDER, {"order": "x", "scene": "PRE_REGISTER"}, 400, "order"),
    "order of numbers": (ORDER, {"order": [1], "scene": "PRE_REGISTER"}, 400, "order"),
    "order with a foreign id": (ORDER, {"order": [UNKNOWN], "scene": "PRE_REGISTER"}, 400, UNKNOWN),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_in_one_sentence_and_leaves_nothing(tenant: Any, name: str) -> None:
    path, body, status, fragment = REFUSED[name]
    before = tenant.data("GET", "/api/v3/list-pipeline-functions")
    answer = _post(tenant, path, body)
    assert answer["statusCode"] == status, answer
    assert fragment in answer["message"] and "data" not in answer
    assert tenant.data("GET", "/api/v3/list-pipeline-functions") == before


def test_unknown_fields_and_a_scene_in_an_update_are_tolerated(tenant: Any) -> None:
    func_id = tenant.create("POST_REGISTER", somethingNew={"a": 1})
    body = {**NEW, "funcId": func_id, "timeout": 9, "isAsynchronous": True, "somethingNew": None}
    changed = _post(tenant, UPDATE, body)["data"]
    assert (changed["scene"], changed["timeout"], changed["isAsynchronous"]) == ("POST_REGISTER", 9, True)


def test_a_source_that_does_not_compile_never_replaces_the_live_one(new_tenant: Any) -> None:
    tenant = new_tenant()
    func_id = tenant.create("PRE_MFA_VERIFY", PASS)
    broken = "function pipe(user, context, callback) {\n  callback(null, user, context;\n}"
    changed = _post(tenant, UPDATE, {"funcId": func_id, "sourceCode": broken})["data"]
    assert changed["status"] == "failed" and changed["sourceCode"] == broken
    assert "2" in changed["uploadErrMsg"]
    assert tenant.run("PRE_MFA_VERIFY")["verdict"] == "continue"
    again = _post(tenant, "/api/v3/reupload-pipeline-function", {"funcId": func_id})["data"]
    assert again["status"] == "failed"


def test_order_disabling_and_deleting_take_effect_at_the_next_run(new_tenant: Any) -> None:
    tenant = new_tenant()
    made = [tenant.create("PRE_MFA_VERIFY", name=name) for name in "abc"]

    def ran() -> list[str]:
        return [step["funcName"] for step in tenant.run("PRE_MFA_VERIFY")["steps"]]

    assert ran() == ["a", "b", "c"]
    assert _post(tenant, ORDER, {"scene": "PRE_MFA_VERIFY", "order": [made[2], made[0]]})["statusCode"] == 200
    assert ran() == ["c", "a", "b"]
    _post(tenant, UPDATE, {"funcId": made[0], "enabled": False})
    assert ran() == ["c", "b"]
    assert "data" not in _post(tenant, DELETE, {"funcId": made[2]})
    assert ran() == ["b"]


def test_a_list_is_of_one_scene_or_of_all(new_tenant: Any) -> None:
    tenant = new_tenant()
    tenant.create("PRE_REGISTER"), tenant.create("POST_MFA_VERIFY")
    path = "/api/v3/list-pipeline-functions"
    for query, count in (("", 2), ("?scene=", 2), ("?scene=Pre-Register", 1), ("?scene=PRE_AUTHENTICATION", 0)):
        found = tenant.data("GET", path + query)
        assert found["totalCount"] == len(found["list"]) == count, query


def test_logs_are_paged_newest_first_and_carry_the_function(new_tenant: Any) -> None:
    tenant = new_tenant()
    source = "function pipe(user, context, callback) { log('n', user.n, {a: 1}); callback(null, user, context) }"
    func_id = tenant.create("POST_MFA_VERIFY", source, "counter")
    for n in range(3):
        tenant.run("POST_MFA_VERIFY", user={"id": "u", "n": n})
    path = f"/api/v3/get-pipeline-logs?funcId={func_id}"
    first, second = tenant.data("GET", f"{path}&limit=2"), tenant.data("GET", f"{path}&page=2&limit=2")
    assert first["totalCount"] == second["totalCount"] == 3
    seen = [entry["logs"] for entry in first["list"] + second["list"]]
    assert seen == [[["n", n, {"a": 1}]] for n in (2, 1, 0)]
    entry = first["list"][0]
    assert (entry["funcId"], entry["funcName"], entry["outcome"], entry["status"]) == (
        *(func_id, "counter"),
        *("ok", "success"),
    )
    assert entry["createdAt"] == entry["triggerTime"] and entry["duration"] > 0 and not entry["debug"]
    assert len(tenant.data("GET", f"{path}&limit=1000")["list"]) == 3


def test_the_fifty_first_function_is_over_the_quota(new_tenant: Any) -> None:
    tenant = new_tenant()
    for n in range(50):
        tenant.create("POST_MFA_VERIFY", enabled=False, name=str(n))
    assert _post(tenant, CREATE, NEW)["statusCode"] == 422
    assert tenant.data("GET", "/api/v3/list-pipeline-functions")["totalCount"] == 50


def test_of_a_field_sent_twice_the_last_counts(tenant: Any) -> None:
    text = json.dumps(NEW)[:-1] + ', "funcName": "last"}'
    made = tenant.data("POST", CREATE, content=text, headers={"content-type": "application/json"})
    assert made["funcName"] == "last"
