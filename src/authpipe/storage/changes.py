"""Tells every process that a user pool's plans have changed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import asyncpg  # type: ignore[import-untyped]
import structlog
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.storage.database import Database, in_memory
from authpipe.storage.tables import changes

CHANNEL = "authpipe_changes"
#: how long a change is kept for processes that were away, seconds
KEPT_SECONDS = 86_400
_RECONNECT_SECONDS = 1.0

OnChange = Callable[[str], Awaitable[None]]
_log = structlog.get_logger(__name__)


async def announce(connection: AsyncConnection, *, pool_id: str) -> None:
    """Tell the other processes, once the caller's transaction commits."""
    now = time.time()
    await connection.execute(delete(changes).where(changes.c.at < now - KEPT_SECONDS))
    await connection.execute(insert(changes).values(pool_id=pool_id, at=now))
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_notify(CHANNEL, pool_id)))


class ChangeWatcher:
    """Calls `on_change(pool_id)` for committed changes, of this process too.

    SQLite is looked at every `interval` seconds; PostgreSQL notifies. `start` returns once nothing can be missed.
    """

    def __init__(self, database: Database, interval: float, on_change: OnChange) -> None:
        self._database = database
        self._interval = interval
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Begin to watch; a second call does nothing."""
        if self._task is not None or in_memory(self._database.main):
            return
        on_sqlite = self._database.main.dialect.name == "sqlite"
        self._task = asyncio.create_task(self._forever(self._poll if on_sqlite else self._listen))
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()

    async def stop(self) -> None:
        """Stop watching and close the connection."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _forever(self, watch: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await watch()
            except Exception as error:
                _log.warning("changes_not_watched", error=str(error))
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _poll(self) -> None:
        connection = await self._database.watch_connection()
        try:
            version, seen = None, await _last_seq(connection) if not self._ready.is_set() else 0
            self._ready.set()
            while True:
                current = (await connection.exec_driver_sql("PRAGMA data_version")).scalar()
                if current != version:
                    version = current
                    seen = await self._tell(connection, seen)
                await asyncio.sleep(self._interval)
        finally:
            await connection.close()

    async def _tell(self, connection: AsyncConnection, seen: int) -> int:
        query = select(changes.c.seq, changes.c.pool_id).where(changes.c.seq > seen).order_by(changes.c.seq)
        rows = (await connection.execute(query)).all()
        for pool_id in dict.fromkeys(row.pool_id for row in rows):
            await self._on_change(pool_id)
        return int(rows[-1].seq) if rows else seen

    async def _listen(self) -> None:
        url = self._database.main.url.set(drivername="postgresql")
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            connection.add_termination_listener(lambda _: heard.put_nowait(None))
            await connection.add_listener(CHANNEL, lambda *notice: heard.put_nowait(str(notice[3])))
            await self._catch_up()
            while (pool_id := await heard.get()) is not None:
                await self._on_change(pool_id)
        finally:
            await connection.close(timeout=1)

    async def _catch_up(self) -> None:
        # Sequence numbers do not commit in order, so after an absence every recent change is told again.
        if self._ready.is_set():
            async with self._database.read(self._database.main) as connection:
                await self._tell(connection, 0)
        self._ready.set()


async def _last_seq(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.coalesce(func.max(changes.c.seq), 0)))).scalar_one())
