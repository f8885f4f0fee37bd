"""Small programs run by the pinned Deno, with the flags that workers get."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import deno
import pytest

FLAGS = "--quiet --no-prompt --no-remote --no-npm --cached-only --no-config --no-lock --no-code-cache --allow-env"
HEAP = "--max-old-space-size=64"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program's text: `run(source, v8=…, before=…)`; `before` is called in the child before it becomes Deno."""

    def run(
        source: str, *, v8: str = f"--jitless,{HEAP}", before: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        program = tmp_path / "program.js"
        program.write_text(source)
        command = [deno.find_deno_bin(), "run", *FLAGS.split(), f"--v8-flags={v8}", str(program)]
        environment = {"DENO_DIR": "/nonexistent", "NO_COLOR": "1"}
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            preexec_fn=before,
            check=False,
        )

    return run


@pytest.fixture
def printed(run: Run) -> Callable[..., str]:
    """What a program prints when it goes well."""

    def printed(source: str, **options: object) -> str:
        done = run(source, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return printed
