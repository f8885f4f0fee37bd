"""Which run records are too old or too many, and their deletion, bounded so that writers never wait long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

from sqlalchemy import Column, ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.storage.database import Database
from authpipe.storage.tables import invocations, run_snapshots, runs

#: runs deleted in one transaction
_AT_ONCE = 2000


async def prune(database: Database, *, oldest: float, kept: int) -> int:
    """Delete, in every user pool, the runs that began before `oldest` and all but the newest `kept`; how many.

    Run ids begin with the second they were made in, so both limits are one range of ids in each user pool.
    """
    by_age = f"{max(int(oldest), 0) & 0xFFFFFFFF:08x}"
    deleted = 0
    async for pool_id in _pool_ids(database):
        while (bound := await _bound(database, pool_id=pool_id, by_age=by_age, kept=kept)) is not None:
            deleted += await _delete(database, pool_id=pool_id, bound=bound)
    return deleted


async def _pool_ids(database: Database) -> AsyncIterator[str]:
    last = ""
    while True:
        async with database.read(database.logs) as connection:
            # One seek a user pool; DISTINCT would walk every row.
            found = await _smallest(connection, runs.c.pool_id, runs.c.pool_id > last)
        if found is None:
            return
        yield found
        last = found


async def _bound(database: Database, *, pool_id: str, by_age: str, kept: int) -> str | None:
    """The newest run id of the next lot to delete, None when nothing is left to delete."""
    mine = select(runs.c.run_id).where(runs.c.pool_id == pool_id)
    async with database.read(database.logs) as connection:
        surplus = mine.order_by(runs.c.run_id.desc()).limit(1).offset(kept)
        newest_surplus = (await connection.execute(surplus)).scalar() or ""
        doomed = mine.where((runs.c.run_id < by_age) | (runs.c.run_id <= newest_surplus))
        first = doomed.order_by(runs.c.run_id).limit(_AT_ONCE).subquery()
        query = select(func.max(first.c.run_id))
        return cast(str | None, (await connection.execute(query)).scalar_one())


async def _delete(database: Database, *, pool_id: str, bound: str) -> int:
    async with database.write(database.logs) as connection:
        async for function_id in _function_ids(connection, pool_id=pool_id):
            mine = (invocations.c.pool_id == pool_id, invocations.c.function_id == function_id)
            await connection.execute(delete(invocations).where(*mine, invocations.c.run_id <= bound))
        for table in (run_snapshots, runs):
            gone = await connection.execute(delete(table).where(table.c.pool_id == pool_id, table.c.run_id <= bound))
        return gone.rowcount


async def _function_ids(connection: AsyncConnection, *, pool_id: str) -> AsyncIterator[str]:
    last = ""
    while True:
        mine = (invocations.c.pool_id == pool_id, invocations.c.function_id > last)
        found = await _smallest(connection, invocations.c.function_id, *mine)
        if found is None:
            return
        yield found
        last = found


async def _smallest(connection: AsyncConnection, column: Column[str], *where: ColumnElement[bool]) -> str | None:
    query = select(func.min(column)).where(*where)
    return cast(str | None, (await connection.execute(query)).scalar_one())
