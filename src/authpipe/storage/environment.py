"""Environment values: variables, which can be read back, and secrets, which cannot."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.errors import NotFound, QuotaExceeded
from authpipe.storage import pools
from authpipe.storage.changes import announce
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.tables import environment


class EnvironmentValue(msgspec.Struct, frozen=True, kw_only=True):
    """One environment value; `value` is None for a secret unless functions need it."""

    name: str
    value: str | None
    secret: bool
    #: seconds since the epoch
    updated_at: float


class Environment:
    """Rows of environment values, every one sealed."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def list(self, *, pool_id: str) -> list[EnvironmentValue]:
        """The pool's values by name, without the secrets' values."""
        async with self._database.read(self._database.main) as connection:
            return await read(connection, self._cipher, pool_id=pool_id, reveal=False)

    async def put(
        self,
        *,
        pool_id: str,
        name: str,
        value: str,
        secret: bool | None,
        check: Callable[[str, bool], None],
        quota: int,
        at: float,
    ) -> EnvironmentValue:
        """Set the value of `name`; `secret` None keeps what it is, or makes a variable.

        `check(value, secret)` may refuse it. Raises what that raises, `NotFound` for an unknown pool, and
        `QuotaExceeded` when `name` is new and the user pool already has `quota` values.
        """
        mine = (environment.c.pool_id == pool_id, environment.c.name == name)
        sealed = self._cipher.seal(value.encode(), pool_id=pool_id, name=_sealed_as(name))
        async with self._database.write(self._database.main) as connection:
            await pools.lock(connection, pool_id=pool_id)
            known = (await connection.execute(select(environment.c.secret).where(*mine))).scalar_one_or_none()
            secret = bool(known) if secret is None else secret
            check(value, secret)
            row = {"sealed_value": sealed, "secret": secret, "updated_at": at}
            if known is None:
                await _check_quota(connection, pool_id=pool_id, quota=quota)
                await connection.execute(insert(environment).values(pool_id=pool_id, name=name, **row))
            else:
                await connection.execute(update(environment).where(*mine).values(**row))
            await announce(connection, pool_id=pool_id)
        return EnvironmentValue(name=name, value=None if secret else value, secret=secret, updated_at=at)

    async def delete(self, *, pool_id: str, name: str) -> None:
        """Forget the value of `name`. Raises `NotFound`."""
        mine = (environment.c.pool_id == pool_id, environment.c.name == name)
        async with self._database.write(self._database.main) as connection:
            if not (await connection.execute(delete(environment).where(*mine))).rowcount:
                raise NotFound(f"There is no environment value {name} in this user pool.")
            await announce(connection, pool_id=pool_id)


async def read(connection: AsyncConnection, cipher: Cipher, *, pool_id: str, reveal: bool) -> list[EnvironmentValue]:
    """The pool's values by name, in the caller's transaction; secrets' values only when `reveal`."""
    query = select(environment).where(environment.c.pool_id == pool_id)
    found = []
    for row in await connection.execute(query):
        value = None
        if reveal or not row.secret:
            value = cipher.open(row.sealed_value, pool_id=pool_id, name=_sealed_as(row.name)).decode()
        found.append(EnvironmentValue(name=row.name, value=value, secret=row.secret, updated_at=row.updated_at))
    # Databases order text by locales of their own.
    return sorted(found, key=lambda each: each.name)


async def _check_quota(connection: AsyncConnection, *, pool_id: str, quota: int) -> None:
    query = select(func.count()).select_from(environment).where(environment.c.pool_id == pool_id)
    if (await connection.execute(query)).scalar_one() >= quota:
        raise QuotaExceeded(f"The user pool already has {quota} environment values, which is all it may have.")


def _sealed_as(name: str) -> str:
    return f"environment value {name}"
