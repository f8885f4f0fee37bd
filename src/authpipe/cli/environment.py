"""`authpipe env …`: variables and secrets of a user pool, over HTTP."""

from __future__ import annotations

import sys
from typing import Annotated
from urllib.parse import quote

import typer

from authpipe.cli import output
from authpipe.cli.output import AsJson
from authpipe.cli.session import ProfileOption, client

app = typer.Typer(no_args_is_help=True, help="Variables and secrets that functions read as env.NAME.")

_PATH = "/api/v1/env"


@app.command(name="set")
def put(
    name: Annotated[str, typer.Argument(help="Letters, digits and underscores.")],
    value: Annotated[
        str | None, typer.Argument(help="Text; a secret has at least 8 characters. Asked for when absent.")
    ] = None,
    secret: Annotated[
        bool | None,
        typer.Option("--secret/--variable", help="A secret is write-only, and redacted wherever text is kept."),
    ] = None,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Set a variable or a secret. A value typed as an argument stays in the shell's history; asked for, it does not.

    Example: authpipe env set SLACK_WEBHOOK --secret
    """
    if value is None:
        value = typer.prompt(name, hide_input=sys.stdin.isatty(), err=True)
    made = client(profile).call("PUT", _PATH, {"key": name, "value": value, "secret": secret})
    if as_json:
        output.show_json(made)
    else:
        output.say(f"{name} is set" + (" (secret)" if made["secret"] else ""))


@app.command(name="list")
def listed(profile: ProfileOption = "default", as_json: AsJson = False) -> None:
    """List names and values; a secret's value is not shown.

    Example: authpipe env list
    """
    found = client(profile).call("GET", _PATH)["list"]
    if as_json:
        output.show_json(found)
    else:
        rows = [(each["key"], "(secret)" if each.get("secret") else each.get("value")) for each in found]
        output.show_table(("name", "value"), rows)


@app.command()
def delete(
    name: Annotated[str, typer.Argument(help="As `env list` prints it.")],
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Delete a variable or a secret.

    Example: authpipe env delete REGION
    """
    client(profile).call("DELETE", f"{_PATH}/{quote(name, safe='')}")
    if as_json:
        output.show_json({"deleted": name})
    else:
        output.say(f"{name} is gone")
