"""`authpipe serve`: the server in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from authpipe import settings as settings_module
from authpipe.cli.output import AsJson

DataDir = Annotated[Path | None, typer.Option(help="Folder of database and keys. Default: ./authpipe-data")]
DatabaseUrl = Annotated[str | None, typer.Option(help="SQLAlchemy URL. Default: SQLite in the data folder")]


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. Default: 8090; 0 takes a free one")] = None,
    database: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Run the server until it is interrupted.

    Every setting can also be given as a variable AUTHPIPE_<NAME>; see docs/reference/settings.md.

    Example: authpipe serve --port 8090 --data-dir ./authpipe-data
    """
    loaded = settings_module.load(os.environ, host=host, port=port, database=database, data_dir=data_dir)
    # Late, so that the other commands do not wait for a server's modules.
    from authpipe.cli import server

    server.run(loaded, as_json)
