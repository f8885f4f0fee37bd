"""User pools and their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.errors import NotFound
from authpipe.model import PoolSettings, UserPool
from authpipe.storage.changes import announce
from authpipe.storage.database import Database
from authpipe.storage.sealed_keys import SealedKey, store
from authpipe.storage.tables import user_pools
from authpipe.storage.timestamps import rfc3339


class Pools:
    """Rows of user pools; deleting one deletes everything of it in the main database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, *, pool_id: str, name: str, first_key: SealedKey, at: float) -> UserPool:
        """A new user pool with default settings and one access key."""
        settings = msgspec.json.encode(PoolSettings())
        row = {"pool_id": pool_id, "name": name, "settings": settings, "created_at": at}
        async with self._database.write(self._database.main) as connection:
            await connection.execute(insert(user_pools).values(row))
            await store(connection, first_key, pool_id=pool_id)
            await announce(connection, pool_id=pool_id)
            return await find(connection, pool_id=pool_id)

    async def get(self, *, pool_id: str) -> UserPool:
        """That user pool. Raises `NotFound`."""
        async with self._database.read(self._database.main) as connection:
            return await find(connection, pool_id=pool_id)

    async def list(self) -> list[UserPool]:
        """Every user pool, oldest first."""
        query = select(user_pools).order_by(user_pools.c.created_at, user_pools.c.pool_id)
        async with self._database.read(self._database.main) as connection:
            return [user_pool(row) for row in await connection.execute(query)]

    async def update_settings(self, *, pool_id: str, change: Callable[[PoolSettings], PoolSettings]) -> UserPool:
        """Apply `change` to the settings as they are then. Raises `NotFound` and what `change` raises."""
        async with self._database.write(self._database.main) as connection:
            current = await lock(connection, pool_id=pool_id)
            settings = change(current.settings)
            await connection.execute(
                update(user_pools).where(user_pools.c.pool_id == pool_id).values(settings=msgspec.json.encode(settings))
            )
            await announce(connection, pool_id=pool_id)
        return msgspec.structs.replace(current, settings=settings)

    async def delete(self, *, pool_id: str) -> None:
        """Delete the user pool with its keys, functions, environment and queue. Raises `NotFound`."""
        async with self._database.write(self._database.main) as connection:
            gone = await connection.execute(delete(user_pools).where(user_pools.c.pool_id == pool_id))
            if not gone.rowcount:
                raise unknown()
            await announce(connection, pool_id=pool_id)


async def find(connection: AsyncConnection, *, pool_id: str) -> UserPool:
    """That user pool, read in the caller's transaction. Raises `NotFound`."""
    return _one(await connection.execute(select(user_pools).where(user_pools.c.pool_id == pool_id)))


async def lock(connection: AsyncConnection, *, pool_id: str) -> UserPool:
    """As `find`, and no other transaction changes the pool's rows until this one ends: quotas hold."""
    query = select(user_pools).where(user_pools.c.pool_id == pool_id).with_for_update()
    return _one(await connection.execute(query))


def unknown() -> NotFound:
    """The error for a user pool that does not exist."""
    return NotFound("There is no such user pool.")


def user_pool(row: Row[Any]) -> UserPool:
    """The user pool of a row."""
    settings = msgspec.json.decode(row.settings, type=PoolSettings)
    return UserPool(pool_id=row.pool_id, name=row.name, settings=settings, created_at=rfc3339(row.created_at))


def _one(result: Any) -> UserPool:
    row = result.one_or_none()
    if row is None:
        raise unknown()
    return user_pool(row)
