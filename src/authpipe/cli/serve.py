"""`authpipe serve`: the server in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
import uvloop

from authpipe import settings as settings_module
from authpipe.api.app import create_api
from authpipe.api.parts import Parts
from authpipe.app import Application, urls
from authpipe.cli import output
from authpipe.errors import AuthpipeError
from authpipe.runtime import sandbox
from authpipe.settings import Settings

DataDir = Annotated[Path | None, typer.Option(help="Folder of database and keys. Default: ./authpipe-data")]
DatabaseUrl = Annotated[str | None, typer.Option(help="SQLAlchemy URL. Default: SQLite in the data folder")]


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. Default: 8090")] = None,
    database: DatabaseUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Run the server until it is interrupted.

    Every setting can also be given as a variable AUTHPIPE_<NAME>; see docs/reference/settings.md.

    Example: authpipe serve --port 8090 --data-dir ./authpipe-data
    """
    loaded = settings_module.load(os.environ, host=host, port=port, database=database, data_dir=data_dir)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(loaded))


class _Server(uvicorn.Server):
    """Leaves signals to us: what was opened before it has to be closed after it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(settings: Settings) -> None:
    _raise_file_limit()
    async with Application.open(settings) as application:
        config = uvicorn.Config(
            create_api(parts_of(application)),
            host=settings.server.host,
            port=settings.server.port,
            http="httptools",
            lifespan="off",
            access_log=False,
            server_header=False,
            log_level="warning",
            timeout_graceful_shutdown=int(settings.server.drain_seconds),
        )
        server = _Server(config)
        _greet(settings)
        # What start-up made stays for good; the collector need not look at it again.
        gc.collect()
        gc.freeze()
        await server.serve()
        if not server.started:
            raise AuthpipeError(f"could not listen on {settings.server.host}:{settings.server.port}")


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
        server=application.settings.server,
        limits=application.settings.limits,
        ready=ready,
    )


def _raise_file_limit() -> None:
    """Every worker takes three descriptors; a soft limit of 1,024 is soon reached."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _greet(settings: Settings) -> None:
    url = f"http://{settings.server.host}:{settings.server.port}"
    output.say(f"authpipe listens on {url}  (API: {url}/docs)")
    output.say(f"data in {settings.storage.data_dir.absolute()}, rows in {urls(settings)[0].partition(':')[0]}")
    missing = [layer.name for layer in sandbox.layers() if layer.state != "active"]
    active = sum(layer.state == "active" for layer in sandbox.layers())
    output.say(f"isolation: {active} layers active; not active: {', '.join(missing) or 'none'}  (authpipe doctor)")
