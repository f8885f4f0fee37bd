"""A PostgreSQL server of the test run's own, from the binaries Debian installs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DEBIAN = Path("/usr/lib/postgresql")
#: existing accounts that a server may run as when the tests run as root, which it refuses
_UNPRIVILEGED = ("postgres", "nobody")
#: durability is of no use to a database that lives for a minute
_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=200")


def binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, newest server first; None when there is none."""
    found = sorted(_DEBIAN.glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]), reverse=True)
    on_path = shutil.which("pg_ctl")
    paths = [*found, *([Path(on_path)] if on_path else [])]
    return next((path.parent for path in paths if (path.parent / "initdb").exists()), None)


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A running server on a free port of 127.0.0.1; yields its URL without a database name."""
    user = _user()
    # Not below pytest's own folder: an unprivileged user may not enter that, and socket paths are short.
    home = Path(tempfile.mkdtemp(prefix="authpipe-pg-"))
    try:
        if user:
            shutil.chown(home, user)
        port = _free_port()
        _run([folder / "initdb", "-D", home / "data", "-U", "authpipe", "-A", "trust", "-E", "UTF8", "-N"], user)
        options = " ".join(f"-c {option}" for option in _OPTIONS)
        address = f"-h 127.0.0.1 -p {port} -k {home} {options}"
        _run([folder / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log", "-o", address, "start"], user)
        try:
            yield f"postgresql://authpipe@127.0.0.1:{port}"
        finally:
            _run([folder / "pg_ctl", "-D", home / "data", "-w", "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(home)


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


def _run(command: list[str | Path], user: str | None) -> None:
    # No pipes: the server would inherit them and keep them open for as long as it lives.
    subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        **({"user": user, "extra_groups": []} if user else {}),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
