"""Changes reach every process that watches, on both databases."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from authpipe.storage import changes
from authpipe.storage.changes import ChangeWatcher, announce
from authpipe.storage.database import Database
from authpipe.storage.pools import Pools

#: only there so that a failure ends
PATIENCE = 20
_OTHER_PROCESS = """
import asyncio, sys
from authpipe.storage.database import Database
from authpipe.storage.pools import Pools

async def main():
    database = await Database.open(url=sys.argv[1], logs_url=sys.argv[2])
    await Pools(database).update_settings(pool_id=sys.argv[3], change=lambda settings: settings)
    await database.close()

asyncio.run(main())
"""


class Heard:
    """What a watcher told, in order."""

    def __init__(self) -> None:
        self.pool_ids: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, pool_id: str) -> None:
        self.pool_ids.put_nowait(pool_id)

    async def next(self) -> str:
        return await asyncio.wait_for(self.pool_ids.get(), PATIENCE)


@pytest.fixture
async def heard(database: Database) -> AsyncIterator[Heard]:
    """What a running watcher hears from the start of the test on."""
    told = Heard()
    watcher = ChangeWatcher(database, 0.01, told)
    await watcher.start()
    yield told
    await watcher.stop()


async def change(database: Database, pool_id: str) -> None:
    async with database.write(database.main) as connection:
        await announce(connection, pool_id=pool_id)


async def test_a_change_over_another_connection_is_heard(
    urls: tuple[str, str], database: Database, heard: Heard
) -> None:
    other = await Database.open(url=urls[0], logs_url=urls[1])
    await change(other, "a")
    assert await heard.next() == "a"
    await change(other, "b")
    assert await heard.next() == "b"
    await other.close()


async def test_a_change_by_another_process_is_heard(urls: tuple[str, str], pool_id: str, heard: Heard) -> None:
    command = [sys.executable, "-c", _OTHER_PROCESS, *urls, pool_id]
    await asyncio.to_thread(subprocess.run, command, check=True)
    assert await heard.next() == pool_id


async def test_what_was_there_before_the_start_is_not_told(database: Database) -> None:
    await change(database, "before")
    told = Heard()
    watcher = ChangeWatcher(database, 0.01, told)
    await watcher.start()
    await change(database, "after")
    assert await told.next() == "after"
    await watcher.stop()


async def test_a_change_that_is_rolled_back_is_not_told(database: Database, heard: Heard) -> None:
    with pytest.raises(LookupError):
        async with database.write(database.main) as connection:
            await announce(connection, pool_id="undone")
            raise LookupError
    await change(database, "done")
    assert await heard.next() == "done"


async def test_deleting_a_pool_is_told_though_its_rows_are_gone(database: Database, make_pool: Any) -> None:
    pool_id = (await make_pool()).pool_id
    told = Heard()
    watcher = ChangeWatcher(database, 0.01, told)
    await watcher.start()
    await Pools(database).delete(pool_id=pool_id)
    assert await told.next() == pool_id
    await watcher.stop()


async def test_a_watcher_that_fails_tells_again_what_it_may_have_missed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_RECONNECT_SECONDS", 0.0)
    told, failures = Heard(), [RuntimeError("once")]

    async def fail_once(pool_id: str) -> None:
        if failures:
            raise failures.pop()
        await told(pool_id)

    watcher = ChangeWatcher(database, 0.01, fail_once)
    await watcher.start()
    await change(database, "a")
    assert await told.next() == "a"
    await watcher.stop()


@pytest.mark.postgres
async def test_a_lost_connection_to_postgres_is_made_again(
    postgres_migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_RECONNECT_SECONDS", 0.0)
    database = await Database.open(url=postgres_migrated, logs_url=postgres_migrated)
    told = Heard()
    watcher = ChangeWatcher(database, 0.01, told)
    await watcher.start()
    async with database.write(database.main) as connection:
        listeners = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE "
            "'%LISTEN%' AND pid <> pg_backend_pid()"
        )
        assert len((await connection.execute(listeners)).all()) == 1
        await announce(connection, pool_id="while away")
    assert await told.next() == "while away"
    await watcher.stop()
    await database.close()


async def test_old_changes_are_dropped(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async with database.write(database.main) as connection:
        await connection.execute(text("INSERT INTO changes (pool_id, at) VALUES ('old', 1.0)"))
    await change(database, "new")
    async with database.read(database.main) as connection:
        assert (await connection.execute(text("SELECT pool_id FROM changes"))).scalars().all() == ["new"]


async def test_stopping_before_starting_and_twice_is_fine(database: Database) -> None:
    watcher = ChangeWatcher(database, 0.01, Heard())
    await watcher.stop()
    await watcher.start()
    await watcher.start()
    await watcher.stop()
    await watcher.stop()


async def test_a_database_in_memory_needs_no_watching() -> None:
    database = await Database.open(url="sqlite://", logs_url="sqlite://")
    watcher = ChangeWatcher(database, 0.01, Heard())
    await watcher.start()
    # With one connection in all, a watcher that held it would block this for ever.
    await asyncio.wait_for(change(database, "a"), PATIENCE)
    await watcher.stop()
    await database.close()
