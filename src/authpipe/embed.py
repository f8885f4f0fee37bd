"""authpipe inside a Python program: the same engine, without the HTTP server.

async with Pipelines.open("sqlite+aiosqlite:///authpipe.db") as pipelines:
    pool = await pipelines.create_user_pool("Acme")
    await pipelines.deploy(pool.pool_id, Scene.PRE_REGISTER, "whitelist", source)
    verdict = await pipelines.run(pool.pool_id, Scene.PRE_REGISTER, context={"request": {"body": {...}}})
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from authpipe import settings as settings_module
from authpipe.app import Application
from authpipe.control.functions import PipelineFunction
from authpipe.model import JsonObject, Scene, UserPool, Verdict


class Pipelines:
    """User pools, their functions, and running them. Made by `Pipelines.open`."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @classmethod
    @asynccontextmanager
    async def open(
        cls, database: str = "", *, data_dir: str | Path | None = None, **overrides: Any
    ) -> AsyncIterator[Pipelines]:
        """Open (and, when new, create) the database and make workers ready; everything ends with the block.

        `database` is a SQLAlchemy URL of SQLite (aiosqlite) or PostgreSQL (asyncpg); empty means a SQLite file in
        `data_dir`. The key that seals secrets lies in `data_dir`, by default `authpipe-data` beside a SQLite file.
        Other settings go by their names in reference/settings.md. Raises `InvalidArgument` for a wrong setting.
        """
        folder = data_dir or _beside(database)
        loaded = settings_module.load(os.environ, database=database or None, data_dir=folder, **overrides)
        async with Application.open(loaded) as application:
            yield cls(application)

    async def create_user_pool(self, name: str) -> UserPool:
        """A new user pool."""
        return (await self._application.user_pools.create(name)).user_pool

    async def deploy(
        self, pool_id: str, scene: Scene | str, name: str, source: str, **options: Any
    ) -> PipelineFunction:
        """Create a function at the end of the scene's pipeline; `status` says whether it compiled.

        Options are those of `create-pipeline-function`: isAsynchronous, timeout, terminateOnTimeout, enabled,
        funcDescription. Raises `InvalidArgument`, `QuotaExceeded`, `PayloadTooLarge`.
        """
        draft = {"sourceCode": source, "scene": str(scene), "funcName": name, **options}
        return await self._application.functions.create(pool_id=pool_id, draft=draft)

    async def set_environment(self, pool_id: str, key: str, value: str, *, secret: bool = False) -> None:
        """Set a variable or secret of the user pool."""
        await self._application.environment.put(pool_id=pool_id, key=key, value=value, secret=secret)

    async def run(
        self,
        pool_id: str,
        scene: Scene | str,
        *,
        user: JsonObject | None = None,
        context: JsonObject | None = None,
        identifiers: JsonObject | None = None,
        deadline_ms: int | None = None,
        request_id: str | None = None,
    ) -> Verdict:
        """Run the pipeline of `scene`; see `Engine.run` for arguments and errors."""
        return await self._application.engine.run(
            pool_id=pool_id,
            scene=Scene.parse(scene),
            user={} if user is None else user,
            context=context or {},
            identifiers=identifiers,
            deadline_ms=deadline_ms,
            request_id=request_id,
        )


def _beside(database: str) -> Path | None:
    """The data folder that goes with a SQLite URL: `authpipe-data` in the folder of its file."""
    _, found, file = database.partition(":///")
    if not found or not database.startswith("sqlite") or not file or file == ":memory:":
        return None
    return Path(file).parent / "authpipe-data"
