"""Functions with their immutable numbered revisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, Select, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.errors import InvalidArgument, NotFound, QuotaExceeded
from authpipe.model import FailurePolicy, PoolSettings, Scene
from authpipe.storage import pools
from authpipe.storage.changes import announce
from authpipe.storage.database import Database
from authpipe.storage.tables import functions, revisions, user_pools


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A submitted source and what the compile check said of it."""

    source: str
    parameters: int | None
    #: None when the source is good
    error: str | None


class StoredFunction(msgspec.Struct, frozen=True, kw_only=True):
    """One function as its author sees it."""

    function_id: str
    pool_id: str
    name: str
    description: str
    scene: Scene
    position: int
    enabled: bool
    asynchronous: bool
    #: seconds; None means the server's default
    timeout: int | None
    #: None means what the pool's failure policy says
    terminate_on_timeout: bool | None
    #: the revision that runs, None while no source ever compiled
    live_revision: int | None
    #: why the last submitted source does not compile
    upload_error: str | None
    #: as last submitted, whether it compiles or not
    source: str
    #: the user pool's
    failure_policy: FailurePolicy
    #: seconds since the epoch
    created_at: float
    updated_at: float


#: what `Functions.update` may change
CHANGEABLE = frozenset({"name", "description", "enabled", "asynchronous", "timeout", "terminate_on_timeout"})


class Functions:
    """Rows of functions; a good upload becomes a revision and goes live, a bad one never replaces it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, *, pool_id: str, function_id: str, scene: Scene, values: Mapping[str, Any], upload: Upload, quota: int,
        at: float,
    ) -> StoredFunction:  # fmt: skip
        """A new function at the end of its scene; `values` has every name of `CHANGEABLE`.

        Raises `QuotaExceeded` when the user pool already has `quota` functions, `NotFound` for an unknown pool.
        """
        async with self._database.write(self._database.main) as connection:
            await pools.lock(connection, pool_id=pool_id)
            await _check_quota(connection, pool_id=pool_id, quota=quota)
            row = {name: values[name] for name in CHANGEABLE} | {"scene": scene.value, "created_at": at}
            row |= {"pool_id": pool_id, "function_id": function_id, "updated_at": at}
            row["position"] = await _next_position(connection, pool_id=pool_id, scene=scene)
            await connection.execute(insert(functions).values(row))
            await _store_upload(connection, pool_id=pool_id, function_id=function_id, upload=upload, at=at)
            await announce(connection, pool_id=pool_id)
            return await _find(connection, pool_id=pool_id, function_id=function_id)

    async def update(
        self, *, pool_id: str, function_id: str, values: Mapping[str, Any], upload: Upload | None, at: float
    ) -> StoredFunction:
        """Change the given values and, with `upload`, the source. Raises `NotFound`."""
        changed = {name: values[name] for name in CHANGEABLE if name in values} | {"updated_at": at}
        async with self._database.write(self._database.main) as connection:
            await pools.lock(connection, pool_id=pool_id)
            await _find(connection, pool_id=pool_id, function_id=function_id)
            await _set(connection, pool_id=pool_id, function_id=function_id, values=changed)
            if upload is not None:
                await _store_upload(connection, pool_id=pool_id, function_id=function_id, upload=upload, at=at)
            await announce(connection, pool_id=pool_id)
            return await _find(connection, pool_id=pool_id, function_id=function_id)

    async def get(self, *, pool_id: str, function_id: str) -> StoredFunction:
        """That function. Raises `NotFound`."""
        async with self._database.read(self._database.main) as connection:
            return await _find(connection, pool_id=pool_id, function_id=function_id)

    async def list(self, *, pool_id: str, scene: Scene | None = None) -> list[StoredFunction]:
        """The pool's functions by scene (in the order of `Scene`), each scene in running order."""
        query = _query(pool_id=pool_id).order_by(functions.c.position, functions.c.function_id)
        if scene is not None:
            query = query.where(functions.c.scene == scene.value)
        async with self._database.read(self._database.main) as connection:
            found = [_function(row) for row in await connection.execute(query)]
        order = list(Scene)
        return sorted(found, key=lambda each: order.index(each.scene))

    async def delete(self, *, pool_id: str, function_id: str) -> None:
        """Delete the function and its revisions. Raises `NotFound`."""
        mine = (functions.c.pool_id == pool_id, functions.c.function_id == function_id)
        async with self._database.write(self._database.main) as connection:
            if not (await connection.execute(delete(functions).where(*mine))).rowcount:
                raise _unknown()
            await announce(connection, pool_id=pool_id)

    async def set_order(self, *, pool_id: str, scene: Scene, order: Sequence[str]) -> None:
        """Run the named functions first, in that order, then the others as they were.

        Raises `InvalidArgument` for an id that is not a function of this scene.
        """
        async with self._database.write(self._database.main) as connection:
            await pools.lock(connection, pool_id=pool_id)
            present = await _ids_in_order(connection, pool_id=pool_id, scene=scene)
            foreign = [function_id for function_id in order if function_id not in present]
            if foreign:
                raise InvalidArgument(f"order names {foreign[0]}, which is not a function of scene {scene.value}.")
            rest = [function_id for function_id in present if function_id not in order]
            for position, function_id in enumerate([*order, *rest], start=1):
                await _set(connection, pool_id=pool_id, function_id=function_id, values={"position": position})
            await announce(connection, pool_id=pool_id)


async def _check_quota(connection: AsyncConnection, *, pool_id: str, quota: int) -> None:
    query = select(func.count()).select_from(functions).where(functions.c.pool_id == pool_id)
    if (await connection.execute(query)).scalar_one() >= quota:
        raise QuotaExceeded(f"The user pool already has {quota} functions, which is all it may have.")


async def _next_position(connection: AsyncConnection, *, pool_id: str, scene: Scene) -> int:
    query = select(func.coalesce(func.max(functions.c.position), 0) + 1)
    query = query.where(functions.c.pool_id == pool_id, functions.c.scene == scene.value)
    return int((await connection.execute(query)).scalar_one())


async def _ids_in_order(connection: AsyncConnection, *, pool_id: str, scene: Scene) -> list[str]:
    query = select(functions.c.function_id).where(functions.c.pool_id == pool_id, functions.c.scene == scene.value)
    return list((await connection.execute(query.order_by(functions.c.position, functions.c.function_id))).scalars())


async def _set(connection: AsyncConnection, *, pool_id: str, function_id: str, values: Mapping[str, Any]) -> None:
    mine = (functions.c.pool_id == pool_id, functions.c.function_id == function_id)
    await connection.execute(update(functions).where(*mine).values(**values))


async def _store_upload(
    connection: AsyncConnection, *, pool_id: str, function_id: str, upload: Upload, at: float
) -> None:
    current = await _find(connection, pool_id=pool_id, function_id=function_id)
    live = await _live_source(connection, pool_id=pool_id, function_id=function_id)
    source = upload.source.encode()
    values: dict[str, Any] = {"upload_error": upload.error, "failed_source": None}
    if upload.error is not None:
        values["failed_source"] = None if source == live else source
    elif source != live:
        number = (current.live_revision or 0) + 1
        values["live_revision"] = number
        row = {"pool_id": pool_id, "function_id": function_id, "number": number, "created_at": at}
        await connection.execute(insert(revisions).values(row | {"source": source, "parameters": upload.parameters}))
    await _set(connection, pool_id=pool_id, function_id=function_id, values=values)


async def _live_source(connection: AsyncConnection, *, pool_id: str, function_id: str) -> bytes | None:
    query = select(revisions.c.source).where(revisions.c.pool_id == pool_id, revisions.c.function_id == function_id)
    return (await connection.execute(query.order_by(revisions.c.number.desc()).limit(1))).scalar_one_or_none()


def _query(*, pool_id: str) -> Select[Any]:
    live = and_(
        revisions.c.pool_id == functions.c.pool_id,
        revisions.c.function_id == functions.c.function_id,
        revisions.c.number == functions.c.live_revision,
    )
    columns = select(functions, revisions.c.source.label("live_source"), user_pools.c.settings)
    owned = functions.join(user_pools, user_pools.c.pool_id == functions.c.pool_id)
    return columns.select_from(owned.outerjoin(revisions, live)).where(functions.c.pool_id == pool_id)


async def _find(connection: AsyncConnection, *, pool_id: str, function_id: str) -> StoredFunction:
    query = _query(pool_id=pool_id).where(functions.c.function_id == function_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise _unknown()
    return _function(row)


def _function(row: Row[Any]) -> StoredFunction:
    elsewhere = ("scene", "source", "failure_policy")
    values = {name: getattr(row, name) for name in StoredFunction.__struct_fields__ if name not in elsewhere}
    source = row.failed_source if row.failed_source is not None else row.live_source
    settings = msgspec.json.decode(row.settings, type=PoolSettings)
    return StoredFunction(
        scene=Scene(row.scene), source=(source or b"").decode(), failure_policy=settings.failure_policy, **values
    )


def _unknown() -> NotFound:
    return NotFound("There is no such function in this user pool.")
