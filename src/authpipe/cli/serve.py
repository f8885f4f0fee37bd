"""`authpipe serve`: the server in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
import uvloop

from authpipe import settings as settings_module
from authpipe.api.app import create_api
from authpipe.api.parts import Parts
from authpipe.api.protocol import OneWriteProtocol
from authpipe.app import Application, urls
from authpipe.cli import output
from authpipe.cli.output import AsJson
from authpipe.errors import AuthpipeError
from authpipe.runtime import sandbox
from authpipe.settings import ServerSettings, Settings

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
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(loaded, as_json))


class _Server(uvicorn.Server):
    """Leaves signals to us: what was opened before it has to be closed after it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(settings: Settings, as_json: bool) -> None:
    _raise_file_limit()
    with _bind(settings.server) as listening:
        async with Application.open(settings) as application:
            await _answer(application, listening, as_json)


async def _answer(application: Application, listening: socket.socket, as_json: bool) -> None:
    config = uvicorn.Config(
        create_api(parts_of(application)),
        http="httptools",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=int(application.settings.server.drain_seconds),
    )
    listening.listen(config.backlog)
    _greet(application.settings, listening, as_json)
    # What start-up made stays for good; the collector need not look at it again.
    gc.collect()
    gc.freeze()
    await _Server(config).serve(sockets=[listening])


def _bind(server: ServerSettings) -> socket.socket:
    """The address taken, so that a second server fails at once and port 0 has a number."""
    listening = socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((server.host, server.port))
    except OSError as error:
        listening.close()
        raise AuthpipeError(f"cannot listen on {server.host} port {server.port}: {error.strerror}.") from error
    return listening


def parts_of(application: Application) -> Parts:
    """What the API takes of an application."""

    async def ready() -> str | None:
        return None if application.workers.is_ready() else "The server is starting or shutting down."

    return Parts(
        engine=application.engine,
        tokens=application.tokens,
        user_pools=application.user_pools,
        functions=application.functions,
        environment=application.environment,
        run_log=application.run_log,
        catalogue=application.catalogue,
        metrics=application.metrics,
        limits=application.settings.limits,
        body_limit=application.settings.server.body_limit,
        ready=ready,
    )


def _raise_file_limit() -> None:
    """Every worker takes three descriptors; a soft limit of 1,024 is soon reached."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _greet(settings: Settings, listening: socket.socket, as_json: bool) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    folder, layers = str(settings.storage.data_dir.absolute()), sandbox.layers()
    active = [layer.name for layer in layers if layer.state == "active"]
    missing = [layer.name for layer in layers if layer.state != "active"]
    if as_json:
        output.show_json({"url": url, "dataDir": folder, "isolation": {"active": active, "missing": missing}})
    else:
        output.say(f"authpipe listens on {url}  (API: {url}/docs)")
        output.say(f"data in {folder}, rows in {urls(settings)[0].partition(':')[0]}")
        output.say(f"isolation: {len(active)} layers active; not active: {', '.join(missing) or 'none'}")
    sys.stdout.flush()
