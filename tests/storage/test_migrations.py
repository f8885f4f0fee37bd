"""What the migrations build is what the tables say, on both databases, also when opened twice at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from authpipe.storage.database import Database
from authpipe.storage.tables import LOGS, MAIN


def _differences(connection: Connection, metadata: MetaData) -> list[Any]:
    options = {"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables, "compare_type": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def _shape(connection: Connection, tables: list[str]) -> dict[str, Any]:
    inspector = inspect(connection)
    return {
        name: {
            "columns": [{**column, "type": repr(column["type"])} for column in inspector.get_columns(name)],
            "primary key": inspector.get_pk_constraint(name),
            "foreign keys": inspector.get_foreign_keys(name),
            "indexes": inspector.get_indexes(name),
            "checks": inspector.get_check_constraints(name),
            "unique": inspector.get_unique_constraints(name),
        }
        for name in tables
    }


async def test_migrations_build_what_the_tables_say(database: Database) -> None:
    for engine, metadata in ((database.main, MAIN), (database.logs, LOGS)):
        async with database.read(engine) as connection:
            assert await connection.run_sync(_differences, metadata) == []


async def test_a_table_that_no_migration_makes_would_be_seen(database: Database) -> None:
    async with database.write(database.main) as connection:
        await connection.execute(text("DROP TABLE changes"))
    async with database.read(database.main) as connection:
        found = await connection.run_sync(_differences, MAIN)
    assert [(difference[0], difference[1].name) for difference in found] == [("add_table", "changes")]


@pytest.mark.postgres
async def test_keys_and_indexes_are_the_same_on_postgres(database_on_postgres: Database, postgres_empty: str) -> None:
    await _same_shape(database_on_postgres, postgres_empty.replace("postgresql:", "postgresql+asyncpg:"))


async def test_keys_and_indexes_are_the_same_on_sqlite(database_on_sqlite: Database, tmp_path: Path) -> None:
    await _same_shape(database_on_sqlite, f"sqlite+aiosqlite:///{tmp_path / 'created.db'}")


async def _same_shape(migrated: Database, empty_url: str) -> None:
    created = create_async_engine(empty_url)
    try:
        for engine, metadata in ((migrated.main, MAIN), (migrated.logs, LOGS)):
            async with created.begin() as connection:
                await connection.run_sync(metadata.create_all)
                expected = await connection.run_sync(_shape, list(metadata.tables))
            async with migrated.read(engine) as connection:
                assert await connection.run_sync(_shape, list(metadata.tables)) == expected
    finally:
        await created.dispose()


async def test_sqlite_tables_are_written_the_same(database_on_sqlite: Database, tmp_path: Path) -> None:
    """Reflection does not tell WITHOUT ROWID and AUTOINCREMENT; the statements do."""
    created = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'created.db'}")
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'authpipe_version%'")
    for engine, metadata in ((database_on_sqlite.main, MAIN), (database_on_sqlite.logs, LOGS)):
        async with created.begin() as connection:
            await connection.run_sync(metadata.create_all)
            expected = {name: _words(sql) for name, sql in await connection.execute(query) if name in metadata.tables}
        async with database_on_sqlite.read(engine) as connection:
            found = {name: _words(sql) for name, sql in await connection.execute(query) if name in metadata.tables}
        assert found == expected and found
    await created.dispose()


def _words(statement: str) -> list[str]:
    return sorted(line.strip().rstrip(",") for line in statement.splitlines() if line.strip())


async def test_opening_again_changes_nothing(database: Database, urls: tuple[str, str], make_pool: Any) -> None:
    made = await make_pool("kept")
    again = await Database.open(url=urls[0], logs_url=urls[1])
    async with again.read(again.main) as connection:
        assert (await connection.execute(text("SELECT pool_id FROM user_pools"))).scalars().all() == [made.pool_id]
    await again.close()


async def test_two_that_open_an_empty_sqlite_file_at_once_both_work(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    opened = await asyncio.gather(*(Database.open(url=url, logs_url=url) for _ in range(3)))
    for each in opened:
        async with each.read(each.logs) as connection:
            assert (await connection.execute(text("SELECT count(*) FROM runs"))).scalar_one() == 0
        await each.close()


@pytest.mark.postgres
async def test_two_that_open_an_empty_postgres_database_at_once_both_work(postgres_empty: str) -> None:
    opened = await asyncio.gather(*(Database.open(url=postgres_empty, logs_url=postgres_empty) for _ in range(3)))
    for each in opened:
        async with each.read(each.logs) as connection:
            assert (await connection.execute(text("SELECT count(*) FROM runs"))).scalar_one() == 0
        await each.close()


@pytest.fixture
async def database_on_sqlite(tmp_path: Path):
    opened = await Database.open(url=f"sqlite:///{tmp_path / 'm.db'}", logs_url=f"sqlite:///{tmp_path / 'l.db'}")
    yield opened
    await opened.close()


@pytest.fixture
async def database_on_postgres(postgres_migrated: str):
    opened = await Database.open(url=postgres_migrated, logs_url=postgres_migrated)
    yield opened
    await opened.close()
