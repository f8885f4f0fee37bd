"""User pools: made with a first key, configured, deleted with everything."""

from __future__ import annotations

import re
from typing import Any

import pytest

from authpipe.errors import InvalidArgument, NotFound, Unauthorized
from authpipe.model import FailurePolicy, Invocation, PoolSettings
from authpipe.storage.runs import RunRecord


async def test_a_new_pool_comes_with_a_key_that_works(control: Any) -> None:
    made = await control.user_pools.create("  企业 & co")
    pool_id = made.user_pool.pool_id
    assert re.fullmatch("[0-9a-f]{24}", pool_id) and made.access_key_id == pool_id
    assert re.fullmatch("[0-9a-f]{32,}", made.access_key_secret)
    principal = await control.tokens.authenticate_basic(made.access_key_id, made.access_key_secret)
    assert (principal.pool_id, principal.access_key_id) == (pool_id, pool_id)
    assert await control.user_pools.list() == [await control.user_pools.get(pool_id=pool_id)] == [made.user_pool]
    assert control.announced == [pool_id]


async def test_no_two_pools_share_an_id_or_a_secret(control: Any) -> None:
    made = [await control.user_pools.create("same name") for _ in range(5)]
    assert len({each.user_pool.pool_id for each in made}) == len({each.access_key_secret for each in made}) == 5


@pytest.mark.parametrize("name", [None, 7, "", "  ", "x" * 65, "a\nb", "\0", "\ud800"])
async def test_a_pool_needs_a_name_of_one_line(control: Any, name: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^name must"):
        await control.user_pools.create(name)
    assert await control.user_pools.list() == []


async def test_settings_are_changed_one_by_one(control: Any, pool_id: str) -> None:
    await control.user_pools.update_settings(pool_id=pool_id, changes={"failurePolicy": "genauth"})
    changed = await control.user_pools.update_settings(pool_id=pool_id, changes={"timeZone": "Asia/Shanghai"})
    assert changed.settings == PoolSettings(failure_policy=FailurePolicy.GENAUTH, time_zone="Asia/Shanghai")
    assert await control.user_pools.get(pool_id=pool_id) == changed
    assert control.announced == [pool_id, pool_id]


@pytest.mark.parametrize("zone", ["Mars/Base", "", None, 7, "../etc/passwd", "posix/UTC", "Europe/berlin", "x" * 9999])
async def test_a_time_zone_must_exist(control: Any, pool_id: str, zone: Any) -> None:
    with pytest.raises(InvalidArgument, match="timeZone"):
        await control.user_pools.update_settings(pool_id=pool_id, changes={"jit": True, "timeZone": zone})
    assert (await control.user_pools.get(pool_id=pool_id)).settings == PoolSettings()
    assert control.announced == []


async def test_deleting_a_pool_takes_its_credentials_and_runs_along(control: Any) -> None:
    made = await control.user_pools.create("doomed")
    pool_id = made.user_pool.pool_id
    token, _ = await control.tokens.issue(made.access_key_id, made.access_key_secret)
    await control.tokens.authenticate_bearer(token)
    step = Invocation(function_id="f", name="n", revision=1)
    names = dict.fromkeys(("run_id", "scene", "verdict", "reason", "request_id"), "r")
    await control.runs.add([RunRecord(**names, pool_id=pool_id, started_at=1.0, duration=1.0, steps=[step])])
    await control.user_pools.delete(pool_id=pool_id)
    with pytest.raises(Unauthorized):
        await control.tokens.authenticate_bearer(token)
    with pytest.raises(Unauthorized):
        await control.tokens.authenticate_basic(made.access_key_id, made.access_key_secret)
    assert await control.runs.list(pool_id=pool_id, limit=9) == []
    for attempt in (
        control.user_pools.get(pool_id=pool_id),
        control.user_pools.delete(pool_id=pool_id),
        control.user_pools.update_settings(pool_id=pool_id, changes={}),
    ):
        with pytest.raises(NotFound):
            await attempt
