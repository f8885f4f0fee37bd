"""Opening, reading and writing the two databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from authpipe.errors import InvalidArgument
from authpipe.storage.database import Database, in_memory


@pytest.mark.parametrize("url", ["", "not a url", "mysql://localhost/x", "sqlite+pysqlite:///x.db", "/var/lib/x.db"])
async def test_a_url_of_no_known_database_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^The database must be"):
        await Database.open(url=url, logs_url=url)


async def test_sqlite_is_set_up_for_many_readers_and_a_patient_writer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    database = await Database.open(url=url, logs_url=url)
    async with database.read(database.main) as connection:
        found = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    await database.close()
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 15000}


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    insert = text("INSERT INTO changes (pool_id, at) VALUES ('p', 1)")
    with pytest.raises(LookupError):
        async with database.write(database.main) as connection:
            await connection.execute(insert)
            raise LookupError
    async with database.read(database.main) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM changes"))).scalar_one() == 0


async def test_writers_of_one_process_take_turns(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.write(database.main) as connection:
            await connection.execute(text("INSERT INTO changes (pool_id, at) VALUES (:p, 1)"), {"p": str(number)})

    await asyncio.gather(*(write(number) for number in range(40)))
    async with database.read(database.main) as connection:
        assert (await connection.execute(text("SELECT count(DISTINCT pool_id) FROM changes"))).scalar_one() == 40


@pytest.mark.parametrize("url", ["sqlite://", "sqlite+aiosqlite://", "sqlite:///:memory:"])
async def test_a_database_in_memory_keeps_its_rows_under_concurrent_use(url: str) -> None:
    database = await Database.open(url=url, logs_url=url)
    assert in_memory(database.main)

    async def write(number: int) -> None:
        async with database.write(database.main) as connection:
            await connection.execute(text("INSERT INTO changes (pool_id, at) VALUES (:p, 1)"), {"p": str(number)})

    async def count() -> int:
        async with database.read(database.main) as connection:
            return (await connection.execute(text("SELECT count(*) FROM changes"))).scalar_one()

    await asyncio.gather(*(write(number) for number in range(10)), *(count() for _ in range(10)))
    assert await count() == 10
    await database.close()
