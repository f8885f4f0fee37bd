"""Environment values, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from authpipe.errors import NotFound, QuotaExceeded
from authpipe.storage.cipher import Cipher, SealBroken
from authpipe.storage.database import Database
from authpipe.storage.environment import Environment, EnvironmentValue


@pytest.fixture
def put(database: Database, cipher: Cipher) -> Any:
    async def put(pool_id: str, name: str, value: str = "v", secret: bool | None = None, **options: Any) -> Any:
        given = {"check": lambda *_: None, "quota": 100, "at": 1.0} | options
        return await Environment(database, cipher).put(pool_id=pool_id, name=name, value=value, secret=secret, **given)

    return put


async def test_variables_are_read_back_and_secrets_are_not(
    database: Database, cipher: Cipher, pool_id: str, put: Any
) -> None:
    await put(pool_id, "b", "variable", False)
    await put(pool_id, "a", "secret 企业", True)
    assert await Environment(database, cipher).list(pool_id=pool_id) == [
        EnvironmentValue(name="a", value=None, secret=True, updated_at=1.0),
        EnvironmentValue(name="b", value="variable", secret=False, updated_at=1.0),
    ]


async def test_names_are_sorted_the_same_on_both_databases(
    database: Database, cipher: Cipher, pool_id: str, put: Any
) -> None:
    for name in ("b", "_a", "B", "a1", "A"):
        await put(pool_id, name)
    listed = await Environment(database, cipher).list(pool_id=pool_id)
    assert [each.name for each in listed] == ["A", "B", "_a", "a1", "b"]


async def test_putting_again_replaces_and_keeps_its_kind_unless_told(
    database: Database, cipher: Cipher, pool_id: str, put: Any
) -> None:
    await put(pool_id, "a", "first", True)
    assert (await put(pool_id, "a", "second")).secret is True
    assert await put(pool_id, "a", "third", False) == EnvironmentValue(
        name="a", value="third", secret=False, updated_at=1.0
    )
    assert [each.value for each in await Environment(database, cipher).list(pool_id=pool_id)] == ["third"]


async def test_the_check_learns_what_the_value_will_be(pool_id: str, put: Any) -> None:
    seen: list[tuple[str, bool]] = []
    await put(pool_id, "a", "first", True)
    await put(pool_id, "a", "second", check=lambda value, secret: seen.append((value, secret)))
    await put(pool_id, "b", "third", check=lambda value, secret: seen.append((value, secret)))
    assert seen == [("second", True), ("third", False)]


async def test_a_refused_value_is_not_stored(database: Database, cipher: Cipher, pool_id: str, put: Any) -> None:
    def refuse(*_: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await put(pool_id, "a", check=refuse)
    assert await Environment(database, cipher).list(pool_id=pool_id) == []


async def test_no_value_is_stored_in_clear(database: Database, pool_id: str, put: Any) -> None:
    await put(pool_id, "a", "in the clear", False)
    async with database.read(database.main) as connection:
        sealed = (await connection.execute(text("SELECT sealed_value FROM environment"))).scalar_one()
    assert b"in the clear" not in bytes(sealed)


async def test_a_sealed_value_moved_to_another_pool_or_name_does_not_open(
    database: Database, cipher: Cipher, make_pool: Any, put: Any
) -> None:
    mine, other = [(await make_pool()).pool_id for _ in range(2)]
    await put(mine, "a", "mine")
    for move in ("pool_id = :other", "name = 'b'"):
        await put(other, "z", "other")
        async with database.write(database.main) as connection:
            await connection.execute(text(f"UPDATE environment SET {move} WHERE name = 'a'"), {"other": other})
        with pytest.raises(SealBroken):
            for pool_id in (mine, other):
                await Environment(database, cipher).list(pool_id=pool_id)


async def test_the_quota_holds_when_many_are_put_at_once_and_spares_known_names(
    database: Database, cipher: Cipher, pool_id: str, put: Any
) -> None:
    attempts = (put(pool_id, f"n{number}", quota=3) for number in range(8))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, QuotaExceeded) for result in results) == 5
    known = (await Environment(database, cipher).list(pool_id=pool_id))[0].name
    assert (await put(pool_id, known, "again", quota=3)).value == "again"


async def test_a_deleted_value_is_gone_and_another_pools_stays(
    database: Database, cipher: Cipher, make_pool: Any, put: Any
) -> None:
    environment, (mine, other) = Environment(database, cipher), [(await make_pool()).pool_id for _ in range(2)]
    await put(mine, "a")
    await put(other, "a")
    await environment.delete(pool_id=mine, name="a")
    assert await environment.list(pool_id=mine) == []
    assert len(await environment.list(pool_id=other)) == 1
    with pytest.raises(NotFound, match="a"):
        await environment.delete(pool_id=mine, name="a")


async def test_an_unknown_pool_gets_no_value(put: Any) -> None:
    with pytest.raises(NotFound):
        await put("nobody", "a")
