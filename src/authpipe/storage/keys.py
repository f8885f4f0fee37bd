"""Access keys: what programs prove with that they may manage or use a user pool."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select, update

from authpipe.errors import NotFound, QuotaExceeded
from authpipe.storage import pools
from authpipe.storage.changes import announce
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.sealed_keys import SealedKey, store
from authpipe.storage.tables import access_keys


class AccessKey(msgspec.Struct, frozen=True, kw_only=True):
    """One access key; its secret is elsewhere."""

    access_key_id: str
    pool_id: str
    #: seconds since the epoch
    created_at: float
    revoked_at: float | None


class AccessKeys:
    """Rows of access keys; secrets are sealed."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def seal(self, *, pool_id: str, access_key_id: str, secret: str, at: float) -> SealedKey:
        """The row of a new key, ready to be stored."""
        sealed = self._cipher.seal(secret.encode(), pool_id=pool_id, name=_sealed_as(access_key_id))
        return SealedKey(access_key_id=access_key_id, sealed_secret=sealed, created_at=at)

    async def add(self, key: SealedKey, *, pool_id: str, quota: int) -> AccessKey:
        """Store another key. Raises `NotFound` for an unknown user pool, `QuotaExceeded` at `quota` active keys."""
        active = (access_keys.c.pool_id == pool_id, access_keys.c.revoked_at.is_(None))
        async with self._database.write(self._database.main) as connection:
            await pools.lock(connection, pool_id=pool_id)
            query = select(func.count()).select_from(access_keys).where(*active)
            if (await connection.execute(query)).scalar_one() >= quota:
                raise QuotaExceeded(f"The user pool already has {quota} access keys, which is all it may have.")
            await store(connection, key, pool_id=pool_id)
        return AccessKey(access_key_id=key.access_key_id, pool_id=pool_id, created_at=key.created_at, revoked_at=None)

    async def find_active(self, access_key_id: str) -> tuple[str, str] | None:
        """(pool_id, secret) of a key that is not revoked, else None."""
        query = select(access_keys).where(
            access_keys.c.access_key_id == access_key_id, access_keys.c.revoked_at.is_(None)
        )
        async with self._database.read(self._database.main) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        secret = self._cipher.open(row.sealed_secret, pool_id=row.pool_id, name=_sealed_as(access_key_id))
        return row.pool_id, secret.decode()

    async def list(self, *, pool_id: str) -> list[AccessKey]:
        """The pool's keys, oldest first, revoked ones too."""
        query = select(access_keys).where(access_keys.c.pool_id == pool_id)
        async with self._database.read(self._database.main) as connection:
            rows = await connection.execute(query.order_by(access_keys.c.created_at, access_keys.c.access_key_id))
            return [
                AccessKey(
                    access_key_id=row.access_key_id,
                    pool_id=row.pool_id,
                    created_at=row.created_at,
                    revoked_at=row.revoked_at,
                )
                for row in rows
            ]

    async def revoke(self, *, pool_id: str, access_key_id: str, at: float) -> None:
        """Refuse that key from now on; again is fine. Raises `NotFound`."""
        mine = (access_keys.c.pool_id == pool_id, access_keys.c.access_key_id == access_key_id)
        async with self._database.write(self._database.main) as connection:
            if (await connection.execute(select(access_keys.c.access_key_id).where(*mine))).one_or_none() is None:
                raise NotFound("There is no such access key in this user pool.")
            await connection.execute(
                update(access_keys).where(*mine, access_keys.c.revoked_at.is_(None)).values(revoked_at=at)
            )
            await announce(connection, pool_id=pool_id)


def _sealed_as(access_key_id: str) -> str:
    return f"access key {access_key_id}"
