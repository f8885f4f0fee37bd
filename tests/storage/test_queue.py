"""The queue of asynchronous invocations, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from authpipe.errors import NotFound
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.queue import InvocationQueue, QueuedInvocation


@pytest.fixture
def queue(database: Database, cipher: Cipher) -> InvocationQueue:
    return InvocationQueue(database, cipher)


@pytest.fixture
def add(queue: InvocationQueue, pool_id: str) -> Any:
    """Promises invocations named `names`, the first at second 10, each a second later; the items."""

    async def add(*names: str, of_pool: str = pool_id) -> list[QueuedInvocation]:
        items = [
            QueuedInvocation(
                invocation_id=name,
                pool_id=of_pool,
                function_id="f",
                scene="POST_REGISTER",
                run_id="r",
                request_id="q",
                user_id="u",
                app_id=None,
                snapshot=b'{"user":{"email":"private"},"context":{}}',
                created_at=10.0 + number,
            )
            for number, name in enumerate(names)
        ]
        await queue.add(items)
        return items

    return add


def names(items: list[QueuedInvocation]) -> list[str]:
    return [item.invocation_id for item in items]


async def test_a_claimed_invocation_is_what_was_promised_and_counts_the_attempt(
    queue: InvocationQueue, add: Any
) -> None:
    (item,) = await add("i")
    assert await queue.claim(limit=9, now=10.0, lease_seconds=60) == [msgspec.structs.replace(item, attempts=1)]


async def test_the_oldest_are_claimed_first_and_only_once(queue: InvocationQueue, add: Any) -> None:
    await add("c", "b", "a")
    assert names(await queue.claim(limit=2, now=20.0, lease_seconds=60)) == ["c", "b"]
    assert names(await queue.claim(limit=2, now=20.0, lease_seconds=60)) == ["a"]
    assert await queue.claim(limit=2, now=20.0, lease_seconds=60) == []


async def test_what_is_not_due_is_not_claimed(queue: InvocationQueue, add: Any, pool_id: str) -> None:
    await add("a")
    assert await queue.claim(limit=9, now=9.9, lease_seconds=60) == []
    await queue.claim(limit=9, now=10.0, lease_seconds=60)
    await queue.retry(pool_id=pool_id, invocation_id="a", at=30.0)
    assert await queue.claim(limit=9, now=29.9, lease_seconds=60) == []
    assert [item.attempts for item in await queue.claim(limit=9, now=30.0, lease_seconds=60)] == [2]


async def test_a_lease_that_ran_out_is_claimed_again(queue: InvocationQueue, add: Any) -> None:
    await add("a")
    await queue.claim(limit=9, now=10.0, lease_seconds=60)
    assert await queue.claim(limit=9, now=69.9, lease_seconds=60) == []
    assert [item.attempts for item in await queue.claim(limit=9, now=70.0, lease_seconds=60)] == [2]


async def test_what_is_done_is_forgotten(queue: InvocationQueue, add: Any, pool_id: str) -> None:
    await add("a", "b")
    assert await queue.waiting() == 2
    await queue.done(pool_id=pool_id, invocation_id="a")
    assert await queue.waiting() == 1
    assert names(await queue.claim(limit=9, now=99.0, lease_seconds=60)) == ["b"]


async def test_what_failed_is_kept_and_never_claimed(queue: InvocationQueue, add: Any, pool_id: str) -> None:
    await add("a")
    await queue.fail(pool_id=pool_id, invocation_id="a", reason="crashed")
    assert await queue.claim(limit=9, now=1e12, lease_seconds=60) == []
    assert (await queue.waiting(), await queue.failures(pool_id=pool_id)) == (0, [("a", "crashed")])


async def test_old_failures_are_forgotten_and_what_waits_is_not(queue: InvocationQueue, add: Any, pool_id: str) -> None:
    await add("failed", "waiting")
    await queue.fail(pool_id=pool_id, invocation_id="failed", reason="crashed")
    assert await queue.prune(now=10.0 + 86_400, retention_days=1) == 0
    assert await queue.prune(now=20.0 + 86_400, retention_days=1) == 1
    assert (await queue.failures(pool_id=pool_id), await queue.waiting()) == ([], 1)


async def test_several_that_claim_at_once_share_without_overlap(
    queue: InvocationQueue, add: Any, cipher: Cipher, urls: tuple[str, str]
) -> None:
    await add(*(f"i{number:02}" for number in range(40)))
    second = await Database.open(url=urls[0], logs_url=urls[1])
    queues = [queue, InvocationQueue(second, cipher)] * 5
    claims = await asyncio.gather(*(each.claim(limit=5, now=99.0, lease_seconds=60) for each in queues))
    claimed = [name for claim in claims for name in names(claim)]
    assert len(claimed) == len(set(claimed))
    left = await queue.claim(limit=99, now=99.0, lease_seconds=60)
    assert len(claimed) + len(left) == 40
    await second.close()


async def test_a_snapshot_is_sealed(database: Database, add: Any) -> None:
    await add("a")
    async with database.read(database.main) as connection:
        row = (await connection.execute(text("SELECT * FROM invocation_queue"))).one()
    assert b"private" not in bytes(row.sealed_snapshot) and "private" not in str(tuple(row))


async def test_one_snapshot_that_cannot_be_opened_does_not_hold_up_the_others(
    database: Database, queue: InvocationQueue, add: Any, pool_id: str
) -> None:
    await add("broken", "good")
    async with database.write(database.main) as connection:
        statement = text("UPDATE invocation_queue SET sealed_snapshot = :x WHERE invocation_id = 'broken'")
        await connection.execute(statement, {"x": b"x" * 40})
    assert names(await queue.claim(limit=9, now=99.0, lease_seconds=60)) == ["good"]
    ((name, reason),) = await queue.failures(pool_id=pool_id)
    assert name == "broken" and "seal" in reason


async def test_nothing_is_promised_to_a_pool_that_is_gone(queue: InvocationQueue, add: Any) -> None:
    with pytest.raises(NotFound):
        await add("a", of_pool="nobody")
    assert await queue.waiting() == 0


async def test_another_pools_invocation_is_left_alone(queue: InvocationQueue, add: Any, make_pool: Any) -> None:
    mine = (await make_pool()).pool_id
    await add("a")
    await queue.done(pool_id=mine, invocation_id="a")
    await queue.retry(pool_id=mine, invocation_id="a", at=1e12)
    await queue.fail(pool_id=mine, invocation_id="a", reason="x")
    assert names(await queue.claim(limit=9, now=99.0, lease_seconds=60)) == ["a"]
