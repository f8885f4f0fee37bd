"""Commands on the database itself, beside a running server or without one: user pools."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from authpipe import settings as settings_module
from authpipe.app import Application
from authpipe.cli import output
from authpipe.cli.output import AsJson
from authpipe.cli.serve import DatabaseUrl, DataDir
from authpipe.control.user_pools import CreatedPool
from authpipe.model import UserPool

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
    made = asyncio.run(_create(name, database, data_dir))
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
    """List the user pools."""
    found = asyncio.run(_list(database, data_dir))
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
    asyncio.run(_delete(pool_id, database, data_dir))
    if as_json:
        output.show_json({"deleted": pool_id})
    else:
        output.say(f"deleted {pool_id}")


async def _create(name: str, database: str | None, data_dir: object) -> CreatedPool:
    loaded = settings_module.load(os.environ, database=database, data_dir=data_dir)
    async with Application.open(loaded, serving=False) as application:
        return await application.user_pools.create(name)


async def _list(database: str | None, data_dir: object) -> list[UserPool]:
    loaded = settings_module.load(os.environ, database=database, data_dir=data_dir)
    async with Application.open(loaded, serving=False) as application:
        return await application.user_pools.list()


async def _delete(pool_id: str, database: str | None, data_dir: object) -> None:
    loaded = settings_module.load(os.environ, database=database, data_dir=data_dir)
    async with Application.open(loaded, serving=False) as application:
        await application.user_pools.delete(pool_id=pool_id)
