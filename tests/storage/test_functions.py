"""Functions, their revisions, order and quota, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from authpipe.errors import InvalidArgument, NotFound, QuotaExceeded
from authpipe.model import FailurePolicy, PoolSettings, Scene
from authpipe.storage.database import Database
from authpipe.storage.functions import Functions, Upload
from authpipe.storage.pools import Pools

GOOD, BAD = "function pipe() {}\r\n\t// 企业\u2028\x00", "function pipe( {"


def upload(source: str, error: str | None = None) -> Upload:
    return Upload(source=source, parameters=None if error else 0, error=error)


async def revisions(database: Database) -> list[tuple[int, bytes]]:
    async with database.read(database.main) as connection:
        rows = await connection.execute(text("SELECT number, source FROM revisions ORDER BY number"))
        return [(row.number, bytes(row.source)) for row in rows]


async def test_a_function_comes_back_as_it_was_made(database: Database, pool_id: str, make_function: Any) -> None:
    made = await make_function(
        pool_id, source=GOOD, name="n", description="d\nd", enabled=False, asynchronous=True, timeout=60,
        terminate_on_timeout=False,
    )  # fmt: skip
    found = await Functions(database).get(pool_id=pool_id, function_id=made.function_id)
    assert found == made
    assert (found.name, found.description, found.enabled, found.asynchronous) == ("n", "d\nd", False, True)
    assert (found.timeout, found.terminate_on_timeout, found.created_at) == (60, False, 2.5)
    assert (found.source, found.live_revision, found.upload_error) == (GOOD, 1, None)


async def test_the_source_is_kept_byte_for_byte(database: Database, pool_id: str, make_function: Any) -> None:
    await make_function(pool_id, source=GOOD)
    assert await revisions(database) == [(1, GOOD.encode())]


async def test_a_source_that_never_compiled_is_shown_and_not_live(
    database: Database, pool_id: str, make_function: Any
) -> None:
    made = await make_function(pool_id, source=BAD, error="line 1")
    assert (made.source, made.live_revision, made.upload_error) == (BAD, None, "line 1")
    assert await revisions(database) == []


async def test_a_bad_update_is_shown_while_the_good_revision_stays_live(
    database: Database, pool_id: str, make_function: Any
) -> None:
    made = await make_function(pool_id, source=GOOD)
    changed = await Functions(database).update(
        pool_id=pool_id, function_id=made.function_id, values={}, upload=upload(BAD, "line 1"), at=9.0
    )
    assert (changed.source, changed.live_revision, changed.upload_error) == (BAD, 1, "line 1")
    assert await revisions(database) == [(1, GOOD.encode())]


async def test_revisions_are_numbered_and_never_change(database: Database, pool_id: str, make_function: Any) -> None:
    made, functions = await make_function(pool_id, source="one"), Functions(database)
    for source, error in (("two", None), ("bad", "line 1"), ("three", None), ("three", None)):
        made = await functions.update(
            pool_id=pool_id, function_id=made.function_id, values={}, upload=upload(source, error), at=9.0
        )
    assert await revisions(database) == [(1, b"one"), (2, b"two"), (3, b"three")]
    assert (made.live_revision, made.source, made.upload_error) == (3, "three", None)


async def test_a_live_source_that_stops_compiling_stays_live(
    database: Database, pool_id: str, make_function: Any
) -> None:
    made = await make_function(pool_id, source="one")
    found = await Functions(database).update(
        pool_id=pool_id, function_id=made.function_id, values={}, upload=upload("one", "line 1"), at=9.0
    )
    assert (found.source, found.live_revision, found.upload_error) == ("one", 1, "line 1")


async def test_an_update_changes_what_it_names_and_no_more(
    database: Database, pool_id: str, make_function: Any
) -> None:
    made = await make_function(pool_id, name="old", timeout=5, description="kept")
    values = {"name": "new", "enabled": False, "timeout": None, "scene": "POST_REGISTER", "pool_id": "elsewhere"}
    changed = await Functions(database).update(
        pool_id=pool_id, function_id=made.function_id, values=values, upload=None, at=9.0
    )
    assert (changed.name, changed.enabled, changed.timeout, changed.description) == ("new", False, None, "kept")
    assert (changed.scene, changed.pool_id, changed.source) == (made.scene, pool_id, made.source)
    assert (changed.created_at, changed.updated_at) == (2.5, 9.0)


async def test_a_function_carries_its_pools_failure_policy(
    database: Database, pool_id: str, make_function: Any
) -> None:
    assert (await make_function(pool_id)).failure_policy is FailurePolicy.SAFE
    settings = PoolSettings(failure_policy=FailurePolicy.GENAUTH)
    await Pools(database).update_settings(pool_id=pool_id, change=lambda _: settings)
    assert (await make_function(pool_id)).failure_policy is FailurePolicy.GENAUTH


async def test_functions_are_listed_by_scene_in_running_order(
    database: Database, pool_id: str, make_function: Any
) -> None:
    for name, scene in (("a", Scene.POST_REGISTER), ("b", Scene.PRE_REGISTER), ("c", Scene.POST_REGISTER)):
        await make_function(pool_id, name=name, scene=scene)
    listed = await Functions(database).list(pool_id=pool_id)
    assert [each.name for each in listed] == ["b", "a", "c"]
    only = await Functions(database).list(pool_id=pool_id, scene=Scene.POST_REGISTER)
    assert [(each.name, each.position) for each in only] == [("a", 1), ("c", 2)]


async def test_the_order_puts_the_named_first_and_keeps_the_rest(
    database: Database, pool_id: str, make_function: Any
) -> None:
    made = {name: (await make_function(pool_id, name=name)).function_id for name in "abcd"}
    order = [made["d"], made["b"]]
    await Functions(database).set_order(pool_id=pool_id, scene=Scene.PRE_REGISTER, order=order)
    listed = await Functions(database).list(pool_id=pool_id, scene=Scene.PRE_REGISTER)
    assert [each.name for each in listed] == ["d", "b", "a", "c"]
    new = await make_function(pool_id, name="e")
    assert new.position == 5


async def test_an_order_with_a_foreign_id_changes_nothing(
    database: Database, make_pool: Any, make_function: Any
) -> None:
    mine, other = [(await make_pool()).pool_id for _ in range(2)]
    first, second = [(await make_function(mine)).function_id for _ in range(2)]
    strangers = [
        (await make_function(other)).function_id,
        (await make_function(mine, scene=Scene.POST_REGISTER)).function_id,
        "unknown",
    ]
    for stranger in strangers:
        with pytest.raises(InvalidArgument, match=stranger):
            await Functions(database).set_order(pool_id=mine, scene=Scene.PRE_REGISTER, order=[second, stranger, first])
    listed = await Functions(database).list(pool_id=mine, scene=Scene.PRE_REGISTER)
    assert [each.function_id for each in listed] == [first, second]


async def test_a_deleted_function_is_gone_with_its_revisions(
    database: Database, pool_id: str, make_function: Any
) -> None:
    made, functions = await make_function(pool_id), Functions(database)
    await functions.delete(pool_id=pool_id, function_id=made.function_id)
    assert await revisions(database) == []
    with pytest.raises(NotFound):
        await functions.get(pool_id=pool_id, function_id=made.function_id)
    with pytest.raises(NotFound):
        await functions.delete(pool_id=pool_id, function_id=made.function_id)


async def test_the_quota_holds_when_many_are_created_at_once(
    database: Database, pool_id: str, make_function: Any
) -> None:
    attempts = (make_function(pool_id, quota=5) for _ in range(12))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, QuotaExceeded) for result in results) == 7
    listed = await Functions(database).list(pool_id=pool_id)
    assert [each.position for each in listed] == [1, 2, 3, 4, 5]


async def test_updates_at_once_each_get_a_revision_of_their_own(
    database: Database, pool_id: str, make_function: Any
) -> None:
    made = await make_function(pool_id, source="0")
    await asyncio.gather(
        *(
            Functions(database).update(
                pool_id=pool_id, function_id=made.function_id, values={}, upload=upload(str(number)), at=9.0
            )
            for number in range(1, 9)
        )
    )
    found = await revisions(database)
    assert [number for number, _ in found] == list(range(1, 10))
    assert {source for _, source in found} == {str(number).encode() for number in range(9)}


async def test_another_pools_function_is_not_found(database: Database, make_pool: Any, make_function: Any) -> None:
    mine, other = [(await make_pool()).pool_id for _ in range(2)]
    foreign, functions = (await make_function(other)).function_id, Functions(database)
    for attempt in (
        functions.get(pool_id=mine, function_id=foreign),
        functions.update(pool_id=mine, function_id=foreign, values={"name": "mine"}, upload=None, at=9.0),
        functions.delete(pool_id=mine, function_id=foreign),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await functions.list(pool_id=mine) == []
    assert (await functions.get(pool_id=other, function_id=foreign)).name == "a function"


async def test_an_unknown_pool_gets_no_function(make_function: Any) -> None:
    with pytest.raises(NotFound, match="user pool"):
        await make_function("nobody")
