"""Plans: what a worker needs to run the pipeline of a user pool and a scene."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, and_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.model import Plan, Scene, Step
from authpipe.storage import environment, pools
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.tables import functions, revisions


class Plans:
    """Reads plans; caching them is the engine's."""

    def __init__(self, database: Database, cipher: Cipher, default_timeout: int = 3) -> None:
        self._database = database
        self._cipher = cipher
        self._default_timeout = default_timeout

    async def load(self, *, pool_id: str, scene: Scene) -> Plan:
        """The enabled functions of `scene` in order, each at its live revision. Raises `NotFound` for an unknown pool.

        A function whose source never compiled is there too, `broken`, so that the run fails instead of passing by.
        """
        async with self._database.read(self._database.main) as connection:
            pool = await pools.find(connection, pool_id=pool_id)
            rows = await _enabled(connection, pool_id=pool_id, scene=scene)
            values = await environment.read(connection, self._cipher, pool_id=pool_id, reveal=True)
        return Plan(
            pool=pool,
            scene=scene,
            steps=tuple(self._step(row) for row in rows),
            environment={each.name: each.value or "" for each in values},
            secret_names=frozenset(each.name for each in values if each.secret),
        )

    def _step(self, row: Row[Any]) -> Step:
        broken = None
        if row.live_revision is None:
            broken = row.upload_error or "The source was never compiled."
        return Step(
            function_id=row.function_id,
            name=row.name,
            revision=row.live_revision or 0,
            source=(row.source or b"").decode(),
            parameters=row.parameters,
            asynchronous=row.asynchronous,
            timeout=row.timeout or self._default_timeout,
            terminate_on_timeout=row.terminate_on_timeout,
            broken=broken,
        )


async def _enabled(connection: AsyncConnection, *, pool_id: str, scene: Scene) -> list[Row[Any]]:
    live = and_(
        revisions.c.pool_id == functions.c.pool_id,
        revisions.c.function_id == functions.c.function_id,
        revisions.c.number == functions.c.live_revision,
    )
    query = (
        select(functions, revisions.c.source, revisions.c.parameters)
        .select_from(functions.outerjoin(revisions, live))
        .where(functions.c.pool_id == pool_id, functions.c.scene == scene.value, functions.c.enabled == true())
        .order_by(functions.c.position, functions.c.function_id)
    )
    return list((await connection.execute(query)).all())
