"""`authpipe run` and `authpipe debug`: one event through a server's pipeline, or through a draft."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from authpipe.cli import output, verdicts
from authpipe.cli.functions import source_of
from authpipe.cli.output import AsJson
from authpipe.cli.session import ProfileOption, client
from authpipe.cli.verdicts import SceneOption

UserFile = Annotated[Path | None, typer.Option("--user", help="JSON file of the user.")]
ContextFile = Annotated[Path | None, typer.Option("--context", help="JSON file of the context.")]


def run(
    scene: SceneOption,
    user: UserFile = None,
    context: ContextFile = None,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Run the live pipeline of a scene; functions do what they do.

    Exit code: 0 the flow continues, 3 it is denied.

    Example: authpipe run --scene PRE_REGISTER --context context.json
    """
    body = {"scene": scene, "user": verdicts.read(user) or {}, "context": verdicts.read(context) or {}}
    with output.progress("running"):
        answer = client(profile).call("POST", "/api/v1/run", body)
    verdicts.show(answer, as_json=as_json)
    raise typer.Exit(verdicts.flow_exit_code(answer))


def debug(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The draft.")],
    scene: SceneOption,
    user: UserFile = None,
    context: ContextFile = None,
    timeout: Annotated[int | None, typer.Option(min=1, max=60, help="Seconds it may take.")] = None,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Run a draft against the user pool's real environment; nothing is stored.

    User and context are generated for the scene when they are not given.
    Exit code: 0 the flow would continue, 3 it would be denied, 1 the draft failed.

    Example: authpipe debug whitelist.js --scene PRE_REGISTER
    """
    body = {
        "sourceCode": source_of(file),
        "scene": scene,
        "funcName": file.stem,
        "user": verdicts.read(user),
        "context": verdicts.read(context),
        "timeout": timeout,
    }
    with output.progress("running"):
        given = {name: value for name, value in body.items() if value is not None}
        answer = client(profile).call("POST", "/api/v1/debug", given)
    verdicts.show(answer, as_json=as_json)
    raise typer.Exit(verdicts.exit_code(answer))
