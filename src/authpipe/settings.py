"""Every setting of the server, once: name, type, default, meaning; read from AUTHPIPE_* variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from authpipe.errors import InvalidArgument

PREFIX = "AUTHPIPE_"


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Where the HTTP server listens and what it accepts."""

    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8090, "TCP port to listen on")
    body_limit: int = _setting(2_097_152, "largest request body, bytes")
    token_lifetime: int = _setting(7200, "life of a management token, seconds")
    drain_seconds: float = _setting(10.0, "how long running pipelines may finish at shutdown, seconds")


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Where rows are kept and for how long."""

    data_dir: Path = _setting(Path("authpipe-data"), "folder of the embedded database, the server key and run files")
    database: str = _setting("", "SQLAlchemy URL; empty means SQLite in data_dir")
    logs_database: str = _setting("", "SQLAlchemy URL of run records; empty means logs.db in data_dir, or `database`")
    retention_days: int = _setting(30, "age at which run records are deleted, days")
    retention_runs: int = _setting(100_000, "run records kept per user pool")
    record_batch_rows: int = _setting(500, "run records written in one transaction")
    record_batch_seconds: float = _setting(0.2, "longest a run record waits for its batch, seconds")
    watch_seconds: float = _setting(0.1, "how often changes by other processes are looked for (SQLite), seconds")


@dataclass(frozen=True, kw_only=True)
class RuntimeSettings:
    """How many workers there are and what each may use."""

    spares: int = _setting(2, "blank workers kept ready")
    queue_ahead: int = _setting(4, "further runs that may lie in a busy worker's pipe")
    workers_per_pool: int = _setting(32, "workers one user pool may have")
    workers_maximum: int = _setting(0, "workers in all; 0 means memory / 64 MB")
    queue_per_pool: int = _setting(256, "runs of one user pool that may wait for a worker")
    queue_seconds: float = _setting(5.0, "longest a run waits for a worker, seconds")
    idle_seconds: float = _setting(300.0, "age at which an idle worker is retired, seconds")
    heap_megabytes: int = _setting(64, "JavaScript heap of a worker, MB")
    buffer_megabytes: int = _setting(64, "memory of a worker outside the JavaScript heap, MB")
    kill_grace_seconds: float = _setting(0.25, "how long after its time-out a function is killed, seconds")
    load_seconds: float = _setting(5.0, "longest a source's top-level code may take, seconds")

    @property
    def maximum(self) -> int:
        """Workers in all, resolved."""
        return self.workers_maximum or max(8, _physical_memory() // (64 * 1024 * 1024))


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """What one user pool may store and one run may carry."""

    source_bytes: int = _setting(262_144, "largest source of a function, bytes")
    functions_per_pool: int = _setting(50, "functions of one user pool")
    environment_values: int = _setting(100, "environment values of one user pool")
    environment_value_bytes: int = _setting(4096, "largest environment value, bytes")
    event_bytes: int = _setting(1_048_576, "largest user and context together, bytes of JSON")
    log_lines: int = _setting(200, "log lines kept of an invocation")
    log_bytes: int = _setting(65_536, "log bytes kept of an invocation")
    default_timeout: int = _setting(3, "time-out of a function that sets none, seconds (1 to 60)")
    run_slack_seconds: float = _setting(5.0, "what a whole run may take beyond its functions' time-outs, seconds")
    repeat_seconds: float = _setting(60.0, "how long the answer to a requestId is given again, seconds")
    queue_attempts: int = _setting(3, "attempts at an asynchronous invocation")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All slices; a constructor takes its slice, never the whole."""

    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    limits: LimitSettings = LimitSettings()


@dataclass(frozen=True)
class Setting:
    """One row of the settings table."""

    name: str
    slice: str
    type: str
    default: Any
    help: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()


_SLICES: dict[str, type] = {
    "server": ServerSettings,
    "storage": StorageSettings,
    "runtime": RuntimeSettings,
    "limits": LimitSettings,
}

#: the closed table behind the environment variables, the CLI's help and the reference page
SETTINGS: tuple[Setting, ...] = tuple(
    Setting(item.name, name, str(item.type), item.default, item.metadata["help"])
    for name, slice_type in _SLICES.items()
    for item in fields(slice_type)
)


def load(environ: Mapping[str, str], **overrides: Any) -> Settings:
    """Settings from `AUTHPIPE_*` variables; `overrides` (by setting name, None ignored) win.

    Raises `InvalidArgument` for a value of the wrong type.
    """
    slices = {}
    for slice_name, slice_type in _SLICES.items():
        values = {}
        for item in fields(slice_type):
            value = overrides.get(item.name)
            if value is None:
                value = environ.get(PREFIX + item.name.upper())
            if value is not None:
                values[item.name] = _convert(item.name, value, slice_type)
        slices[slice_name] = slice_type(**values)
    return Settings(**slices)


def _convert(name: str, value: Any, slice_type: type) -> Any:
    default = next(item.default for item in fields(slice_type) if item.name == name)
    if isinstance(default, Path):
        return Path(value)
    try:
        return msgspec.convert(value, type(default), strict=False)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"setting {name}: {error}") from error
