"""The two databases of an installation: opened, migrated, read and written in transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from authpipe.errors import InvalidArgument
from authpipe.storage import migrate

#: how long a writer waits for another process's write, seconds
BUSY_SECONDS = 15
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}")
#: execution option: what opens a transaction on SQLite
_BEGIN = "authpipe_begin"


class Database:
    """Main rows and run records, each behind its own engine; they may be one PostgreSQL database."""

    def __init__(self, main: AsyncEngine, logs: AsyncEngine) -> None:
        self.main = main
        self.logs = logs
        # SQLite lets waiting writers poll; inside one process a queue is fairer and quicker.
        self._writers = {engine: asyncio.Lock() for engine in (main, logs)}

    @classmethod
    async def open(cls, *, url: str, logs_url: str) -> Database:
        """Connect and migrate both. URLs as SQLAlchemy writes them, the driver may be left out.

        Raises `InvalidArgument` for a URL that is none, or of another kind of database.
        """
        database = cls(_engine(url), _engine(logs_url))
        try:
            for engine, which in ((database.main, "main"), (database.logs, "logs")):
                async with database.write(engine) as connection:
                    await connection.run_sync(migrate.upgrade, which)
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close every connection."""
        await self.main.dispose()
        await self.logs.dispose()

    @asynccontextmanager
    async def read(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one state of the rows (SQLite) or committed rows (PostgreSQL)."""
        async with engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end; on SQLite it holds the write lock from the start."""
        if engine.dialect.name != "sqlite":
            async with engine.begin() as connection:
                yield connection
            return
        async with self._writers[engine], engine.connect() as connection:
            await connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            async with connection.begin():
                yield connection

    async def watch_connection(self) -> AsyncConnection:
        """A SQLite connection on the main rows that opens no transactions; the caller closes it."""
        connection = await self.main.connect()
        return await connection.execution_options(**{_BEGIN: ""})


def in_memory(engine: AsyncEngine) -> bool:
    """Whether the rows live in this process alone."""
    return engine.dialect.name == "sqlite" and engine.url.database in (None, "", ":memory:")


def _engine(text: str) -> AsyncEngine:
    url = _parse(text)
    if url.get_backend_name() == "postgresql":
        return create_async_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10)
    options: dict[str, Any] = {"connect_args": {"isolation_level": None, "timeout": BUSY_SECONDS}}
    if url.database in (None, "", ":memory:"):
        # One connection holds the whole database, and one transaction at a time may use it.
        options |= {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}
    engine = create_async_engine(url, **options)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _parse(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise InvalidArgument("The database must be a SQLAlchemy URL.") from error
    driver = _DRIVERS.get(url.drivername, url.drivername)
    if driver not in _DRIVERS.values():
        raise InvalidArgument(f"The database must be SQLite or PostgreSQL, not {url.drivername}.")
    return url.set(drivername=driver)


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)
