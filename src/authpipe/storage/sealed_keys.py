"""A new access key as it is stored, with its user pool or later."""

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.storage.tables import access_keys


class SealedKey(msgspec.Struct, frozen=True, kw_only=True):
    """An access key whose secret is sealed for its user pool."""

    access_key_id: str
    sealed_secret: bytes
    #: seconds since the epoch
    created_at: float


async def store(connection: AsyncConnection, key: SealedKey, *, pool_id: str) -> None:
    """Insert the key, in the caller's transaction."""
    await connection.execute(insert(access_keys).values(pool_id=pool_id, **msgspec.structs.asdict(key)))
