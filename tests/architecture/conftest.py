"""The source tree as the architecture tests see it."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "authpipe"


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def package() -> Path:
    """The folder of the `authpipe` package."""
    return PACKAGE


@pytest.fixture(scope="session")
def python_files() -> list[Path]:
    """Every Python module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


@pytest.fixture(scope="session")
def javascript_files() -> list[Path]:
    """Every file of the worker program."""
    return sorted((PACKAGE / "runtime" / "worker").glob("*.js"))


@pytest.fixture(scope="session")
def parsed(python_files: list[Path]) -> dict[Path, ast.Module]:
    """Path → syntax tree of every Python module."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in python_files}


@pytest.fixture
def short() -> Callable[[Path], str]:
    """A path as people say it: below the package."""
    return lambda path: path.relative_to(PACKAGE).as_posix()
