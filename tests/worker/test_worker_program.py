"""The worker program type-checks, is formatted, and passes its own tests, which are JavaScript like it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import deno
import pytest

from authpipe.packages import build

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "src" / "authpipe" / "runtime" / "worker"
TESTS = Path(__file__).parent
_MAY = ("--allow-run", "--allow-read", "--allow-env")


@pytest.fixture(scope="session", autouse=True)
def bundles() -> None:
    """The bundles that the program imports as text."""
    build.build()


def run_deno(tmp_path: Path, *arguments: str) -> str:
    environment = os.environ | {"DENO_DIR": str(tmp_path), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    command = [deno.find_deno_bin(), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_program_type_checks(tmp_path: Path) -> None:
    run_deno(tmp_path, "check", "--quiet", str(PROGRAM / "main.js"))


def test_program_is_formatted_and_clean(tmp_path: Path) -> None:
    config = ("--config", str(PROGRAM / "deno.json"))
    run_deno(tmp_path, "fmt", "--check", *config, str(PROGRAM), *map(str, sorted(TESTS.glob("*.js"))))
    run_deno(tmp_path, "lint", *config, str(PROGRAM))


@pytest.mark.parametrize("file", sorted(TESTS.glob("*_test.js")), ids=lambda file: file.stem)
def test_javascript(file: Path, tmp_path: Path) -> None:
    printed = run_deno(tmp_path, "test", "--quiet", "--no-check", "--no-config", "--no-lock", *_MAY, str(file))
    assert re.search(r"^ok \| [1-9]\d* passed .*\| 0 failed", printed, re.MULTILINE), printed


def test_every_file_of_the_program_is_small() -> None:
    sizes = {file.name: len(file.read_text().splitlines()) for file in PROGRAM.glob("*.js")}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > 400} == {}
