"""The `authpipe` command: every subcommand on one screen, errors as one line."""

from __future__ import annotations

import sys

import typer

from authpipe import __version__
from authpipe.cli import environment, functions, local, offline, output, runs, serve, session, templates
from authpipe.errors import AuthpipeError

app = typer.Typer(
    name="authpipe",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""Serverless JavaScript pipelines for identity flows.

    On this machine's files: [b]serve[/b], [b]pool[/b], [b]test[/b], [b]doctor[/b].
    Against a running server, after [b]login[/b]: [b]function[/b], [b]env[/b], [b]template[/b], [b]run[/b],
    [b]debug[/b].

    First steps:

        authpipe serve
        authpipe pool create acme
        authpipe login --server http://127.0.0.1:8090
        authpipe function create --scene PRE_REGISTER --name whitelist whitelist.js

    Exit codes: 0 done, or the flow continues; 3 the flow is denied; 1 something failed; 2 wrong usage.
    """,
)
app.command(name="serve")(serve.serve)
app.add_typer(local.pools, name="pool")
app.command(name="test")(offline.test)
app.command(name="doctor")(offline.doctor)
app.command(name="login")(session.login)
app.add_typer(functions.app, name="function")
app.add_typer(environment.app, name="env")
app.add_typer(templates.app, name="template")
app.command(name="run")(runs.run)
app.command(name="debug")(runs.debug)


@app.command(name="version")
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> int:
    """Run the command line of this process; its exit code."""
    try:
        code = typer.main.get_command(app)(standalone_mode=False)
    except typer.TyperException as error:
        return _misused(error)
    except (AuthpipeError, OSError) as error:
        output.complain(str(error))
        return 1
    except (typer.Abort, KeyboardInterrupt):
        output.complain("stopped")
        return 130
    return code if isinstance(code, int) else 0


def _misused(error: typer.TyperException) -> int:
    # A group without a command asks for help; Typer has printed it.
    if error.format_message():
        output.complain(f"{error.format_message()} Try --help.")
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
