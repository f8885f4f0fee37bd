"""Asynchronous invocations that were promised and not yet done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.storage import pools
from authpipe.storage.cipher import Cipher, SealBroken
from authpipe.storage.database import Database
from authpipe.storage.tables import invocation_queue as queue


class QueuedInvocation(msgspec.Struct, kw_only=True):
    """One asynchronous invocation."""

    invocation_id: str
    pool_id: str
    function_id: str
    scene: str
    #: the run that reached it
    run_id: str
    request_id: str
    user_id: str | None = None
    app_id: str | None = None
    #: JSON text of {"user", "context"} as they were at its place in the order
    snapshot: bytes
    #: how often it was claimed
    attempts: int = 0
    #: seconds since the epoch
    created_at: float


class InvocationQueue:
    """Rows of the queue; snapshots are sealed. A claim is a lease, so a crashed process's claims come back."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def add(self, items: Sequence[QueuedInvocation]) -> None:
        """Promise the invocations: stored when this returns. Raises `NotFound` when the user pool is gone."""
        rows = [self._row(item) for item in items]
        try:
            async with self._database.write(self._database.main) as connection:
                await connection.execute(insert(queue), rows)
        except IntegrityError as error:
            raise pools.unknown() from error

    async def claim(self, *, limit: int, now: float, lease_seconds: float) -> list[QueuedInvocation]:
        """Up to `limit` due invocations of any user pool, nobody else's until the lease ends; counts an attempt."""
        query = select(queue).where(queue.c.due_at <= now).order_by(queue.c.due_at, queue.c.invocation_id)
        async with self._database.write(self._database.main) as connection:
            rows = (await connection.execute(query.limit(limit).with_for_update(skip_locked=True))).all()
            if not rows:
                return []
            await _lease(connection, rows, until=now + lease_seconds)
            return [item for row in rows if (item := await self._open(connection, row)) is not None]

    async def done(self, *, pool_id: str, invocation_id: str) -> None:
        """The invocation is over; forget it."""
        async with self._database.write(self._database.main) as connection:
            await connection.execute(
                delete(queue).where(queue.c.pool_id == pool_id, queue.c.invocation_id == invocation_id)
            )

    async def retry(self, *, pool_id: str, invocation_id: str, at: float) -> None:
        """Let it be claimed again from `at` (seconds since the epoch) on."""
        async with self._database.write(self._database.main) as connection:
            await _set(connection, pool_id=pool_id, invocation_id=invocation_id, values={"due_at": at})

    async def fail(self, *, pool_id: str, invocation_id: str, reason: str) -> None:
        """Give it up and keep it as failed."""
        async with self._database.write(self._database.main) as connection:
            values = {"due_at": None, "failure": reason}
            await _set(connection, pool_id=pool_id, invocation_id=invocation_id, values=values)

    async def waiting(self) -> int:
        """How many of any user pool are not over, claimed ones included."""
        query = select(func.count()).select_from(queue).where(queue.c.due_at.is_not(None))
        async with self._database.read(self._database.main) as connection:
            return int((await connection.execute(query)).scalar_one())

    async def failures(self, *, pool_id: str) -> list[tuple[str, str]]:
        """(invocation id, reason) of what was given up in the user pool, oldest first."""
        query = select(queue.c.invocation_id, queue.c.failure).where(
            queue.c.pool_id == pool_id, queue.c.due_at.is_(None)
        )
        async with self._database.read(self._database.main) as connection:
            rows = await connection.execute(query.order_by(queue.c.invocation_id))
            return [(row.invocation_id, row.failure or "") for row in rows]

    async def prune(self, *, now: float, retention_days: int) -> int:
        """Forget, in every user pool, what failed and was promised more than `retention_days` ago; how many."""
        old = queue.c.created_at < now - retention_days * 86_400
        async with self._database.write(self._database.main) as connection:
            return (await connection.execute(delete(queue).where(queue.c.due_at.is_(None), old))).rowcount

    def _row(self, item: QueuedInvocation) -> dict[str, Any]:
        row = msgspec.structs.asdict(item)
        name = _sealed_as(item.invocation_id)
        row["sealed_snapshot"] = self._cipher.seal(row.pop("snapshot"), pool_id=item.pool_id, name=name)
        return row | {"due_at": item.created_at}

    async def _open(self, connection: AsyncConnection, row: Row[Any]) -> QueuedInvocation | None:
        values = {name: row._mapping[name] for name in QueuedInvocation.__struct_fields__ if name != "snapshot"}
        values["attempts"] += 1
        name = _sealed_as(row.invocation_id)
        try:
            snapshot = self._cipher.open(row.sealed_snapshot, pool_id=row.pool_id, name=name)
        except SealBroken as error:
            # One row that cannot be read must not hold up everybody's queue.
            lost = {"due_at": None, "failure": str(error)}
            await _set(connection, pool_id=row.pool_id, invocation_id=row.invocation_id, values=lost)
            return None
        return QueuedInvocation(snapshot=snapshot, **values)


async def _lease(connection: AsyncConnection, rows: Sequence[Row[Any]], *, until: float) -> None:
    mine = (queue.c.pool_id == bindparam("of_pool"), queue.c.invocation_id == bindparam("of_invocation"))
    claimed = update(queue).where(*mine).values(due_at=until, attempts=queue.c.attempts + 1)
    await connection.execute(claimed, [{"of_pool": row.pool_id, "of_invocation": row.invocation_id} for row in rows])


async def _set(connection: AsyncConnection, *, pool_id: str, invocation_id: str, values: dict[str, Any]) -> None:
    mine = (queue.c.pool_id == pool_id, queue.c.invocation_id == invocation_id)
    await connection.execute(update(queue).where(*mine).values(**values))


def _sealed_as(invocation_id: str) -> str:
    return f"snapshot of invocation {invocation_id}"
