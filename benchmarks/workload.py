"""What is run in every measurement: catalogue functions, a 2 kB context, a sealed environment, default settings."""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvloop

from authpipe import settings
from authpipe.app import Application, SystemClock
from authpipe.catalogue.catalogue import FOLDER
from authpipe.control.functions import PipelineFunctions
from authpipe.ids import id_maker
from authpipe.model import CompileReport, Outcome, Scene, Verdict
from authpipe.storage.functions import Functions
from authpipe.storage.pools import Pools

Result = TypeVar("Result")

_FIVE = (
    "persist-metadata",
    "fill-user-address-field",
    "change-avatar-to-ui-avatars",
    "add-location-to-metadata",
    "change-default-avatar",
)
ONE, THREE, FIVE = Scene.PRE_REGISTER, Scene.POST_REGISTER, Scene.POST_AUTHENTICATION
#: scene → the templates deployed there; the scenes are named by their number of functions
TEMPLATES: Mapping[Scene, tuple[str, ...]] = {ONE: ("email-domain-whitelist",), THREE: _FIVE[:3], FIVE: _FIVE}

USER = {"id": "ada", "email": "ada@example.com", "username": "ada", "emailVerified": True}
_REQUEST = {
    "ip": "203.0.113.7",
    "body": {"email": "ada@example.com", "connection": "email"},
    "geo": {"province": "Berlin", "city": "Berlin", "adcode": "10115", "address": "Invalidenstr. 117"},
}
_CONTEXT_BYTES = 2048
_BARE = {"appId": "5f2b0c1e8d3a4f6b7c9d0e1f", "request": _REQUEST, "note": ""}
CONTEXT = {**_BARE, "note": "n" * (_CONTEXT_BYTES - len(json.dumps(_BARE)))}
_EVENT = msgspec.json.encode([USER, CONTEXT])

#: one variable and one secret, both sealed at rest
ENVIRONMENT = {"GREETING": ("hello", False), "API_TOKEN": ("a-secret-of-some-length", True)}


class WentWrong(Exception):
    """A run did not come out as it should: what was measured means nothing."""


def source(template: str) -> str:
    """The source of a catalogue template."""
    return (FOLDER / f"{template}.js").read_text(encoding="utf-8")


def execute(work: Coroutine[Any, Any, Result]) -> Result:
    """Run on the event loop that `authpipe serve` uses."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@asynccontextmanager
async def application(**changes: Any) -> AsyncIterator[Application]:
    """Everything built on SQLite files in a folder of its own; `changes` to settings by name."""
    with tempfile.TemporaryDirectory(prefix="authpipe-bench-") as folder:
        loaded = settings.load({}, data_dir=Path(folder) / "data", **changes)
        async with Application.open(loaded) as opened:
            # As `serve` does once it has started.
            gc.collect()
            gc.freeze()
            try:
                yield opened
            finally:
                gc.unfreeze()


async def create_pool(
    opened: Application,
    *,
    sources: Mapping[Scene, tuple[str, ...]] | None = None,
    environment: Mapping[str, tuple[str, bool]] = ENVIRONMENT,
) -> str:
    """A new user pool with functions (by default `TEMPLATES`) and environment; its id."""
    pool_id = (await opened.user_pools.create("bench")).user_pool.pool_id
    for key, (value, secret) in environment.items():
        await opened.environment.put(pool_id=pool_id, key=key, value=value, secret=secret)
    if sources is None:
        sources = {scene: tuple(map(source, names)) for scene, names in TEMPLATES.items()}
    functions = _unchecked_functions(opened)
    for scene, texts in sources.items():
        for place, text in enumerate(texts):
            draft = {"sourceCode": text, "scene": str(scene), "funcName": f"f{place}"}
            await functions.create(pool_id=pool_id, draft=draft)
    return pool_id


async def settle(opened: Application) -> None:
    """Return when what was just stored is no longer news."""
    # The watcher hears of this process's changes too, and drains workers that began before it did.
    await asyncio.sleep(3 * opened.settings.storage.watch_seconds)


async def run(opened: Application, pool_id: str, scene: Scene) -> float:
    """Run the scene's pipeline once; seconds."""
    user, context = msgspec.json.decode(_EVENT)
    started = time.perf_counter()
    verdict = await opened.engine.run(pool_id=pool_id, scene=scene, user=user, context=context)
    taken = time.perf_counter() - started
    check(verdict)
    return taken


def check(verdict: Verdict) -> None:
    """Raise unless the flow goes on and every function did what it should."""
    if not verdict.allowed or any(step.outcome is not Outcome.OK for step in verdict.steps):
        raise WentWrong(f"{verdict.verdict}: {[(step.name, step.outcome, step.detail) for step in verdict.steps]}")


def _unchecked_functions(opened: Application) -> PipelineFunctions:
    """Stores functions without a compile check: a thousand checks would take longer than all measurements."""

    async def known_to_compile(_: str) -> CompileReport:
        return CompileReport(parameters=3)

    return PipelineFunctions(
        Functions(opened.database),
        Pools(opened.database),
        opened.settings.limits,
        check=known_to_compile,
        announce=opened.announce,
        clock=SystemClock(),
        new_id=id_maker(),
    )
