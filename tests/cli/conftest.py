"""The real command line in its own process, alone and against a real server."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

AUTHPIPE = Path(sys.executable).with_name("authpipe")


@dataclasses.dataclass(frozen=True)
class Shell:
    """Types commands in a folder of its own, with a home of its own."""

    folder: Path
    variables: dict[str, str] = dataclasses.field(default_factory=dict)

    def __call__(self, *words: object, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", **self.variables}
        command = [str(AUTHPIPE), *map(str, words)]
        return subprocess.run(
            command, cwd=self.folder, env=environment, input=typed or "", capture_output=True, text=True, timeout=60
        )

    def json(self, *words: object, code: int = 0) -> Any:
        """What a command prints with --json."""
        done = self(*words, "--json")
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)

    def write(self, name: str, text: str) -> Path:
        """A file in the folder."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return self.folder / name


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell with nothing set up."""
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """URL and data folder of a running server."""
    folder = tmp_path_factory.mktemp("cli-server")
    command = [AUTHPIPE, "serve", "--port", "0", "--data-dir", folder / "data", "--json"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        greeting = json.loads(b"".join(iter(process.stdout.readline, b"}\n")) + b"}")
        yield greeting["url"], folder / "data"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def keys(server: tuple[str, Path]) -> dict[str, str]:
    """A user pool made beside the running server, as variables for the HTTP commands."""
    url, data_dir = server
    made = Shell(data_dir.parent).json("pool", "create", "cli", "--data-dir", data_dir)
    return {
        "AUTHPIPE_SERVER": url,
        "AUTHPIPE_ACCESS_KEY_ID": made["accessKeyId"],
        "AUTHPIPE_ACCESS_KEY_SECRET": made["accessKeySecret"],
    }


@pytest.fixture
def remote(tmp_path: Path, keys: dict[str, str]) -> Shell:
    """A shell that speaks to the server as the user pool."""
    return Shell(tmp_path, keys)
