"""Commands on the database itself, beside a running server or without one: user pools."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from authpipe import settings as settings_module
from authpipe.cli import output
from authpipe.cli.output import AsJson
from authpipe.cli.serve import DatabaseUrl, DataDir

if TYPE_CHECKING:
    from authpipe.control.user_pools import UserPools

Result = TypeVar("Result")

pools = typer.Typer(no_args_is_help=True, help="Create, list and delete user pools, on the database itself.")


@pools.command()
def create(
    name: Annotated[str, typer.Argument(help="What people call the user pool.")],
    as_json: AsJson = False,
    database: DatabaseUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Create a user pool and print its first access key; the secret is shown this once.

    Example: authpipe pool create acme --json
    """
    made = _with_pools(database, data_dir, lambda pools: pools.create(name))
    shown = {
        "userPoolId": made.user_pool.pool_id,
        "name": made.user_pool.name,
        "accessKeyId": made.access_key_id,
        "accessKeySecret": made.access_key_secret,
    }
    if as_json:
        output.show_json(shown)
    else:
        output.show_table(("field", "value"), shown.items())
        output.say("Keep the secret: it is not shown again.")


@pools.command(name="list")
def listed(as_json: AsJson = False, database: DatabaseUrl = None, data_dir: DataDir = None) -> None:
    """List the user pools.

    Example: authpipe pool list
    """
    found = _with_pools(database, data_dir, lambda pools: pools.list())
    if as_json:
        output.show_json([{"userPoolId": p.pool_id, "name": p.name, "createdAt": p.created_at} for p in found])
    else:
        output.show_table(("userPoolId", "name", "created"), [(p.pool_id, p.name, p.created_at) for p in found])


@pools.command()
def delete(
    pool_id: Annotated[str, typer.Argument(help="userPoolId, as `pool list` prints it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    database: DatabaseUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Delete a user pool with its functions, keys, environment and runs.

    Example: authpipe pool delete 6560… --yes
    """
    if not yes:
        typer.confirm(f"Delete user pool {pool_id} and everything in it?", abort=True)
    _with_pools(database, data_dir, lambda pools: pools.delete(pool_id=pool_id))
    if as_json:
        output.show_json({"deleted": pool_id})
    else:
        output.say(f"deleted {pool_id}")


def _with_pools(database: str | None, data_dir: Path | None, act: Callable[[UserPools], Awaitable[Result]]) -> Result:
    """What `act` makes of the user pools in the database, opened for it."""
    from authpipe.app import Application

    async def opened() -> Result:
        loaded = settings_module.load(os.environ, database=database, data_dir=data_dir)
        async with Application.open(loaded, serving=False) as application:
            return await act(application.user_pools)

    return asyncio.run(opened())
