"""`authpipe function …`: the functions of a user pool, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from authpipe.cli import output
from authpipe.cli.output import AsJson
from authpipe.cli.session import ProfileOption, client
from authpipe.cli.verdicts import SceneOption
from authpipe.errors import AuthpipeError, InvalidArgument

app = typer.Typer(no_args_is_help=True, help="Create, list, change, order and delete functions; read their logs.")

FunctionId = Annotated[str, typer.Argument(help="funcId, as `function list` prints it.")]
Timeout = Annotated[int | None, typer.Option(min=1, max=60, help="Seconds it may take.")]
Terminate = Annotated[
    bool | None,
    typer.Option("--terminate-on-timeout/--skip-on-timeout", help="Deny, or go on without it, when time is up."),
]
Asynchronous = Annotated[
    bool | None, typer.Option("--asynchronous/--synchronous", help="Run it beside the flow, without influence on it.")
]
Enabled = Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether it runs.")]


@app.command()
def create(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The JavaScript.")],
    scene: SceneOption,
    name: Annotated[str, typer.Option(help="What people call it.")],
    description: Annotated[str | None, typer.Option(help="One line on what it does.")] = None,
    asynchronous: Asynchronous = None,
    timeout: Timeout = None,
    terminate_on_timeout: Terminate = None,
    enabled: Enabled = None,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Deploy a function at the end of a scene's pipeline.

    Example: authpipe function create --scene PRE_REGISTER --name whitelist whitelist.js
    """
    body = {
        "sourceCode": source_of(file),
        "scene": scene,
        "funcName": name,
        "funcDescription": description,
        **_options(asynchronous, timeout, terminate_on_timeout, enabled),
    }
    _deployed(client(profile).call("POST", "/api/v3/create-pipeline-function", body), as_json)


@app.command()
def update(
    function_id: FunctionId,
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="New JavaScript.")] = None,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    description: Annotated[str | None, typer.Option(help="New description.")] = None,
    asynchronous: Asynchronous = None,
    timeout: Timeout = None,
    terminate_on_timeout: Terminate = None,
    enabled: Enabled = None,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Change a function; what is not given stays. A source that does not compile never replaces the live one.

    Example: authpipe function update 6560… whitelist.js --timeout 5
    """
    body = {
        "funcId": function_id,
        "sourceCode": None if file is None else source_of(file),
        "funcName": name,
        "funcDescription": description,
        **_options(asynchronous, timeout, terminate_on_timeout, enabled),
    }
    given = {key: value for key, value in body.items() if value is not None}
    _deployed(client(profile).call("POST", "/api/v3/update-pipeline-function", given), as_json)


@app.command(name="list")
def listed(
    scene: Annotated[str | None, typer.Option(help="Only this scene.")] = None,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """List functions in the order they run.

    Example: authpipe function list --scene PRE_REGISTER
    """
    found = client(profile).call("GET", "/api/v3/list-pipeline-functions", scene=scene)["list"]
    if as_json:
        output.show_json(found)
        return
    columns = ("funcId", "scene", "name", "state", "timeout", "asynchronous")
    output.show_table(columns, [_row(each) for each in found])


@app.command()
def show(function_id: FunctionId, profile: ProfileOption = "default", as_json: AsJson = False) -> None:
    """Print a function: its options, and its source.

    Example: authpipe function show 6560…
    """
    found = client(profile).call("GET", "/api/v3/get-pipeline-function", funcId=function_id)
    if as_json:
        output.show_json(found)
        return
    source = found.pop("sourceCode")
    output.show_table(("field", "value"), found.items())
    print(source)


@app.command()
def delete(function_id: FunctionId, profile: ProfileOption = "default", as_json: AsJson = False) -> None:
    """Delete a function.

    Example: authpipe function delete 6560…
    """
    client(profile).call("POST", "/api/v3/delete-pipeline-function", {"funcId": function_id})
    _done({"deleted": function_id}, as_json)


@app.command()
def order(
    scene: SceneOption,
    function_ids: Annotated[list[str], typer.Argument(help="funcIds in the order they shall run.")],
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Order the functions of a scene; those not named keep their order at the end.

    Example: authpipe function order --scene PRE_REGISTER 6560…02 6560…01
    """
    body = {"scene": scene, "order": function_ids}
    client(profile).call("POST", "/api/v3/update-pipeline-order", body)
    _done({"scene": scene, "order": function_ids}, as_json)


@app.command()
def logs(
    function_id: FunctionId,
    page: Annotated[int, typer.Option(min=1, help="Which page, newest first.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Entries a page.")] = 10,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """What a function did lately, newest first.

    Example: authpipe function logs 6560… --limit 20
    """
    path = "/api/v3/get-pipeline-logs"
    found = client(profile).call("GET", path, funcId=function_id, page=page, limit=limit)
    if as_json:
        output.show_json(found)
        return
    for each in found["list"]:
        output.say(f"{each['triggerTime']}  {each['outcome']}  {each['duration']} ms  {each.get('errorMessage') or ''}")
        for arguments in each["logs"]:
            output.say("  " + " ".join(msgspec.json.encode(one).decode() for one in arguments))


def source_of(file: Path) -> str:
    """The text of a source file. Raises `InvalidArgument`."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{file} is not UTF-8 text.") from error


def _options(
    asynchronous: bool | None, timeout: int | None, terminate: bool | None, enabled: bool | None
) -> dict[str, Any]:
    options = {
        "isAsynchronous": asynchronous,
        "timeout": timeout,
        "terminateOnTimeout": terminate,
        "enabled": enabled,
    }
    return {name: value for name, value in options.items() if value is not None}


def _deployed(function: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.show_json(function)
    else:
        output.say(f"{function['funcId']}  {function['scene']}  {function['funcName']}: {function['status']}")
    if function["status"] == "failed":
        raise AuthpipeError(f"it does not compile: {function.get('uploadErrMsg')}")


def _row(function: dict[str, Any]) -> tuple[Any, ...]:
    state = function["status"] if function["enabled"] else "disabled"
    names = (function["funcId"], function["scene"], function["funcName"], state)
    return (*names, f"{function['timeout']} s", "yes" if function["isAsynchronous"] else "")


def _done(what: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.show_json(what)
    else:
        output.say("done")
