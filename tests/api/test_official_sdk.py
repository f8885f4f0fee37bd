"""The official Python SDK, unmodified, against a real server."""

from __future__ import annotations

from typing import Any

import pytest
from authing import ManagementClient
from authing.AuthingException import AuthingException

SOURCE = "async function pipe(user, context, callback) { log('hi', {n: 1}); callback(null, user, context) }"


@pytest.fixture
def management(new_tenant: Any, served: Any) -> Any:
    tenant = new_tenant()
    client = ManagementClient(access_key_id=tenant.pool_id, access_key_secret=tenant.secret, host=served.url)
    return client, tenant


def test_all_eight_calls(management: Any) -> None:
    client, tenant = management
    made = [client.create_pipeline_function(SOURCE, "PRE_REGISTER", f"f{n}", timeout=2 + n) for n in range(3)]
    assert [answer["statusCode"] for answer in made] == [200, 200, 200]
    ids = [answer["data"]["funcId"] for answer in made]

    def listed() -> list[str]:
        return [each["funcId"] for each in client.list_pipeline_functions("PRE_REGISTER")["data"]["list"]]

    assert listed() == ids
    assert client.update_pipeline_order(ids[::-1], "PRE_REGISTER")["statusCode"] == 200
    assert listed() == ids[::-1]
    assert client.update_pipeline_function(ids[0], timeout=7, enabled=False)["data"]["timeout"] == 7
    assert client.get_pipeline_function(ids[0])["data"]["enabled"] is False
    assert client.reupload_pipeline_function(ids[0])["data"]["status"] == "success"
    tenant.run("PRE_REGISTER")
    logs = client.get_pipeline_logs(ids[1], page=1, limit=10)["data"]
    assert (logs["totalCount"], logs["list"][0]["logs"]) == (1, [["hi", {"n": 1}]])
    assert client.delete_pipeline_function(ids[2])["statusCode"] == 200
    assert client.list_pipeline_functions(None)["data"]["totalCount"] == 2


def test_what_is_wrong_comes_back_in_the_envelope(management: Any) -> None:
    client, _ = management
    assert client.create_pipeline_function(None, "PRE_REGISTER", "x")["statusCode"] == 400
    assert client.get_pipeline_function("0" * 24)["statusCode"] == 404
    assert client.delete_pipeline_function(None)["statusCode"] == 400
    assert client.update_pipeline_order(["0" * 24], "PRE_REGISTER")["statusCode"] == 400


def test_a_wrong_secret_is_an_exception_with_our_sentence(management: Any, served: Any) -> None:
    _, tenant = management
    wrong = ManagementClient(access_key_id=tenant.pool_id, access_key_secret="0" * 64, host=served.url)
    with pytest.raises(AuthingException) as refused:
        wrong.list_pipeline_functions("PRE_REGISTER")
    assert "access key" in str(refused.value)
