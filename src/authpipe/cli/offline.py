"""Commands that need no server: run a file through the very same engine, and look the machine over."""

from __future__ import annotations

import asyncio
import platform
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from authpipe import settings as settings_module
from authpipe.api import test_data
from authpipe.app import Application
from authpipe.cli import output, verdicts
from authpipe.cli.output import AsJson
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
    with output.progress("running"):
        verdict = asyncio.run(
            _test(file, Scene.parse(scene), verdicts.read(user), verdicts.read(context), environment, timeout)
        )
    verdicts.show(verdicts.as_answer(verdict), as_json=as_json)
    raise typer.Exit(verdicts.exit_code(verdicts.as_answer(verdict)))


async def _test(
    file: Path,
    scene: Scene,
    user: JsonObject | None,
    context: JsonObject | None,
    environment: dict[str, str],
    seconds: int | None,
) -> Verdict:
    try:
        source = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{file} is not UTF-8 text.") from error
    with tempfile.TemporaryDirectory() as folder:
        loaded = settings_module.load({}, data_dir=folder, spares=0)
        async with Application.open(loaded) as application:
            made = await application.user_pools.create("offline")
            generated_user, generated_context = test_data.generate(scene, made.user_pool)
            return await application.engine.debug(
                pool_id=made.user_pool.pool_id,
                scene=scene,
                source=source,
                name=file.stem,
                user=generated_user if user is None else user,
                context=generated_context if context is None else context,
                timeout=seconds,
                environment=environment,
            )


def doctor(as_json: AsJson = False) -> None:
    """Look the machine over: engine, isolation layers, a function run for real.

    Exit code: 0 functions can run here, 1 they cannot.
    """
    checks: list[dict[str, Any]] = [
        {"check": "Python", "state": "active", "detail": platform.python_version()},
        _engine_check(),
        *({"check": f"isolation: {x.name}", "state": x.state, "detail": x.detail} for x in sandbox.layers()),
    ]
    with output.progress("running a function"):
        checks.append(asyncio.run(_run_check()))
    if as_json:
        output.show_json(checks)
    else:
        output.show_table(("", "check", "detail"), [(_MARKS[c["state"]], c["check"], c["detail"]) for c in checks])
    raise typer.Exit(0 if checks[-1]["state"] == "active" else 1)


_MARKS = {"active": "ok", "off": "off", "unavailable": "n/a", "failed": "FAIL"}


def _engine_check() -> dict[str, Any]:
    try:
        found = subprocess.run([deno.binary(), "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        return {"check": "Deno", "state": "failed", "detail": str(error)}
    return {"check": "Deno", "state": "active", "detail": found.stdout.splitlines()[0]}


async def _run_check() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "check.js")
        file.write_text(_CHECK)
        try:
            verdict = await _test(file, Scene.POST_AUTHENTICATION, None, None, {}, None)
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
