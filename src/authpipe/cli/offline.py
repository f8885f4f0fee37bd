"""Commands that need no server: run a file through the very same engine, and look the machine over."""

from __future__ import annotations

import asyncio
import os
import platform
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from authpipe import settings as settings_module
from authpipe.cli import output, verdicts
from authpipe.cli.functions import source_of
from authpipe.cli.output import AsJson
from authpipe.cli.serve import DatabaseUrl, DataDir
from authpipe.cli.verdicts import SceneOption
from authpipe.errors import InvalidArgument
from authpipe.model import JsonObject, Scene, Verdict
from authpipe.runtime import deno, sandbox

_CHECK = "async function pipe(user, context, callback) { user.nickname = 'works'; callback(null, user, context) }"


def test(
    file: Annotated[Path, typer.Argument(help="The function.", exists=True, dir_okay=False)],
    scene: SceneOption,
    user: Annotated[Path | None, typer.Option(help="JSON file; generated for the scene when absent.")] = None,
    context: Annotated[Path | None, typer.Option(help="JSON file; generated for the scene when absent.")] = None,
    env: Annotated[list[str] | None, typer.Option(help="KEY=VALUE, as often as needed.")] = None,
    timeout: Annotated[int | None, typer.Option(min=1, max=60, help="Seconds. Default: 3")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a function here, offline, in the very same engine a server has.

    Exit code: 0 the flow continues, 3 it is denied, 1 the function failed.

    Example: authpipe test whitelist.js --scene PRE_REGISTER --env DOMAIN=example.com
    """
    environment = dict(_pair(each) for each in env or ())
    trial = {"source": source_of(file), "name": file.stem, "timeout": timeout, "environment": environment}
    given = {"user": verdicts.read(user), "context": verdicts.read(context)}
    with output.progress("running"):
        verdict = asyncio.run(_test(Scene.parse(scene), given, trial))
    verdicts.show(verdicts.as_answer(verdict), as_json=as_json)
    raise typer.Exit(verdicts.exit_code(verdicts.as_answer(verdict)))


async def _test(scene: Scene, given: dict[str, JsonObject | None], trial: dict[str, Any]) -> Verdict:
    """A debug run in a database of its own; user and context are made up where `given` has None."""
    from authpipe.api import test_data
    from authpipe.app import Application

    with tempfile.TemporaryDirectory() as folder:
        loaded = settings_module.load({}, data_dir=folder, spares=0)
        async with Application.open(loaded) as application:
            pool = (await application.user_pools.create("offline")).user_pool
            user, context = test_data.generate(scene, pool)
            event: dict[str, Any] = {
                "user": user if given["user"] is None else given["user"],
                "context": context if given["context"] is None else given["context"],
            }
            return await application.engine.debug(pool_id=pool.pool_id, scene=scene, **event, **trial)


def doctor(as_json: AsJson = False, database: DatabaseUrl = None, data_dir: DataDir = None) -> None:
    """Look the machine over: engine, isolation layers, database, a function run for real.

    Exit code: 0 functions can run here, 1 they cannot.

    Example: authpipe doctor --data-dir ./authpipe-data
    """
    checks: list[dict[str, Any]] = [
        {"check": "Python", "state": "active", "detail": platform.python_version()},
        _engine_check(),
        *({"check": f"isolation: {x.name}", "state": x.state, "detail": x.detail} for x in sandbox.layers()),
    ]
    with output.progress("running a function"):
        checks.append(asyncio.run(_database_check(database, data_dir)))
        checks.append(asyncio.run(_run_check()))
    if as_json:
        output.show_json(checks)
    else:
        output.show_table(("", "check", "detail"), [(_MARKS[c["state"]], c["check"], c["detail"]) for c in checks])
    raise typer.Exit(1 if any(check["state"] == "failed" for check in checks) else 0)


_MARKS = {"active": "ok", "off": "off", "unavailable": "n/a", "failed": "FAIL"}


def _engine_check() -> dict[str, Any]:
    try:
        found = subprocess.run([deno.binary(), "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        return {"check": "Deno", "state": "failed", "detail": str(error)}
    return {"check": "Deno", "state": "active", "detail": found.stdout.splitlines()[0]}


async def _database_check(database: str | None, data_dir: Path | None) -> dict[str, Any]:
    from sqlalchemy.engine import make_url

    from authpipe.app import Application, urls

    loaded = settings_module.load(os.environ, database=database, data_dir=data_dir)
    shown = make_url(urls(loaded)[0]).render_as_string(hide_password=True)
    if not loaded.storage.database and not loaded.storage.data_dir.exists():
        return {"check": "database", "state": "active", "detail": f"{shown}, made at the first start"}
    try:
        async with Application.open(loaded, serving=False) as application:
            pools = len(await application.user_pools.list())
    except Exception as error:
        return {"check": "database", "state": "failed", "detail": f"{shown}: {error}"}
    return {"check": "database", "state": "active", "detail": f"{shown}, user pools: {pools}"}


async def _run_check() -> dict[str, Any]:
    try:
        verdict = await _test(Scene.POST_AUTHENTICATION, {"user": None, "context": None}, {"source": _CHECK})
    except Exception as error:
        return {"check": "a function runs", "state": "failed", "detail": f"{type(error).__name__}: {error}"}
    works = verdict.effects.profile == {"nickname": "works"}
    detail = f"{verdict.steps[0].duration:.2f} ms" if works else f"{verdict.steps[0].outcome}"
    return {"check": "a function runs", "state": "active" if works else "failed", "detail": detail}


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise InvalidArgument(f"--env takes KEY=VALUE, not {text!r}.")
    return name, value
