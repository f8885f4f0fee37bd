"""The server process: the API on a socket, signals, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
from collections.abc import Iterator

import structlog
import uvicorn
import uvloop

from authpipe.api.app import create_api
from authpipe.api.parts import Parts
from authpipe.api.protocol import OneWriteProtocol
from authpipe.app import Application, urls
from authpipe.cli import output
from authpipe.errors import AuthpipeError
from authpipe.runtime import sandbox
from authpipe.settings import ServerSettings, Settings


def run(settings: Settings, as_json: bool) -> None:
    """Serve until SIGTERM or SIGINT. Raises `AuthpipeError` when the address is taken."""
    _configure_log()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, as_json))


def _configure_log() -> None:
    """One JSON object a line on standard error; tracebacks without the values of variables, which may be secret."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


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
        http=OneWriteProtocol,
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        log_level="warning",
        timeout_graceful_shutdown=int(application.settings.server.drain_seconds),
    )
    listening.listen(config.backlog)
    _greet(application.settings, listening, as_json)
    # What start-up made stays for good; the collector need not look at it again.
    gc.collect()
    gc.freeze()
    # A run makes hundreds of objects and no cycles; by default every second run would start a collection.
    gc.set_threshold(50_000, 20, 20)
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
