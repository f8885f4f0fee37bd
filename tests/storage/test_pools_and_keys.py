"""User pools and access keys, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from authpipe.errors import NotFound, QuotaExceeded
from authpipe.model import FailurePolicy, PoolSettings
from authpipe.storage.cipher import Cipher, SealBroken
from authpipe.storage.database import Database
from authpipe.storage.environment import Environment
from authpipe.storage.keys import AccessKeys
from authpipe.storage.pools import Pools
from authpipe.storage.queue import InvocationQueue, QueuedInvocation


async def test_a_new_pool_has_default_settings_and_is_found(database: Database, make_pool: Any) -> None:
    made = await make_pool("Änderungshaus 企业")
    assert made.settings == PoolSettings()
    assert made.created_at == "1970-01-01T00:00:01.500Z"
    assert await Pools(database).get(pool_id=made.pool_id) == made


async def test_pools_are_listed_in_the_order_of_their_making(database: Database, make_pool: Any) -> None:
    made = [await make_pool(name) for name in ("first", "second", "third")]
    assert await Pools(database).list() == made


async def test_settings_change_as_they_are_then_also_at_once(database: Database, pool_id: str) -> None:
    pools = Pools(database)

    def count_up(settings: PoolSettings) -> PoolSettings:
        return msgspec.structs.replace(settings, runs_per_worker=settings.runs_per_worker + 1)

    await asyncio.gather(*(pools.update_settings(pool_id=pool_id, change=count_up) for _ in range(10)))
    assert (await pools.get(pool_id=pool_id)).settings.runs_per_worker == 11


async def test_a_refused_change_of_settings_changes_nothing(database: Database, pool_id: str) -> None:
    def refuse(_: PoolSettings) -> PoolSettings:
        raise LookupError

    with pytest.raises(LookupError):
        await Pools(database).update_settings(pool_id=pool_id, change=refuse)
    assert (await Pools(database).get(pool_id=pool_id)).settings == PoolSettings()


async def test_settings_survive_closing(database: Database, pool_id: str, urls: tuple[str, str]) -> None:
    policy = FailurePolicy.GENAUTH
    await Pools(database).update_settings(pool_id=pool_id, change=lambda _: PoolSettings(failure_policy=policy))
    again = await Database.open(url=urls[0], logs_url=urls[1])
    assert (await Pools(again).get(pool_id=pool_id)).settings.failure_policy is policy
    await again.close()


async def test_an_unknown_pool_is_not_found(database: Database, cipher: Cipher) -> None:
    pools, keys = Pools(database), AccessKeys(database, cipher)
    key = keys.seal(pool_id="nobody", access_key_id="k", secret="s", at=1.0)
    for attempt in (
        pools.get(pool_id="nobody"),
        pools.delete(pool_id="nobody"),
        pools.update_settings(pool_id="nobody", change=lambda settings: settings),
        keys.add(key, pool_id="nobody", quota=9),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_deleting_a_pool_leaves_no_row_of_it_and_all_of_the_others(
    database: Database, cipher: Cipher, make_pool: Any, make_function: Any
) -> None:
    doomed, kept = [(await make_pool(name)).pool_id for name in ("doomed", "kept")]
    for pool_id in (doomed, kept):
        await make_function(pool_id)
        await Environment(database, cipher).put(
            pool_id=pool_id, name="A", value="b", secret=False, check=lambda *_: None, quota=9, at=1.0
        )
        item = QueuedInvocation(
            invocation_id="i", pool_id=pool_id, function_id="f", scene="s", run_id="r", request_id="q", snapshot=b"{}",
            created_at=1.0,
        )  # fmt: skip
        await InvocationQueue(database, cipher).add([item])
    await Pools(database).delete(pool_id=doomed)
    async with database.read(database.main) as connection:
        for table in ("user_pools", "access_keys", "functions", "revisions", "environment", "invocation_queue"):
            owners = await connection.execute(text(f"SELECT pool_id FROM {table}"))
            assert owners.scalars().all() == [kept], table


async def test_a_key_is_found_with_its_secret_until_it_is_revoked(
    database: Database, cipher: Cipher, make_pool: Any
) -> None:
    pool_id, keys = (await make_pool(secret="s3cret ✓")).pool_id, AccessKeys(database, cipher)
    assert await keys.find_active(pool_id) == (pool_id, "s3cret ✓")
    await keys.revoke(pool_id=pool_id, access_key_id=pool_id, at=7.0)
    assert await keys.find_active(pool_id) is None
    await keys.revoke(pool_id=pool_id, access_key_id=pool_id, at=8.0)
    assert [key.revoked_at for key in await keys.list(pool_id=pool_id)] == [7.0]


async def test_a_secret_is_nowhere_in_the_row(database: Database, make_pool: Any) -> None:
    await make_pool(secret="in the clear")
    async with database.read(database.main) as connection:
        row = (await connection.execute(text("SELECT * FROM access_keys"))).one()
    assert b"in the clear" not in bytes(row.sealed_secret)
    assert "in the clear" not in str(tuple(row))


async def test_another_server_key_opens_nothing(database: Database, make_pool: Any) -> None:
    pool_id = (await make_pool()).pool_id
    with pytest.raises(SealBroken):
        await AccessKeys(database, Cipher(b"x" * 32)).find_active(pool_id)


async def test_the_number_of_active_keys_is_bounded(database: Database, cipher: Cipher, pool_id: str) -> None:
    keys = AccessKeys(database, cipher)

    def sealed(name: str) -> Any:
        return keys.seal(pool_id=pool_id, access_key_id=name, secret="s", at=2.0)

    await keys.add(sealed("second"), pool_id=pool_id, quota=2)
    with pytest.raises(QuotaExceeded):
        await keys.add(sealed("third"), pool_id=pool_id, quota=2)
    await keys.revoke(pool_id=pool_id, access_key_id="second", at=3.0)
    await keys.add(sealed("third"), pool_id=pool_id, quota=2)
    assert [key.access_key_id for key in await keys.list(pool_id=pool_id)] == [pool_id, "second", "third"]


async def test_another_pools_key_cannot_be_revoked(database: Database, cipher: Cipher, make_pool: Any) -> None:
    mine, other = [(await make_pool()).pool_id for _ in range(2)]
    with pytest.raises(NotFound):
        await AccessKeys(database, cipher).revoke(pool_id=mine, access_key_id=other, at=1.0)
    assert await AccessKeys(database, cipher).find_active(other) is not None
