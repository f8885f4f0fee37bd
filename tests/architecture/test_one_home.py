"""What is dangerous or replaceable is used in one file each."""

import ast
import fnmatch
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

#: imported package → the files that may; a file's absence is no error
IMPORTERS = {
    "cryptography": ("storage/cipher.py",),
    "joserfc": ("control/tokens.py",),
    "deno": ("runtime/deno.py", "packages/build.py"),
    "multiprocessing": (),
    "pickle": (),
    "marshal": (),
    "prometheus_client": ("metrics.py",),
    "alembic": ("storage/migrate.py", "storage/migrations/*"),
}
#: dotted name called → the files that may
CALLERS = {
    "subprocess.*": ("runtime/launcher.py", "packages/build.py", "cli/*"),
    "os.fork": ("runtime/launcher.py",),
    "os.forkpty": (),
    "os.posix_spawn*": (),
    "os.exec*": ("runtime/launcher.py",),
    "os.system": (),
    "os.popen": (),
    "asyncio.create_subprocess_*": (),
    "ctypes.CDLL": ("runtime/sandbox.py",),
    "eval": (),
    "exec": (),
}


@pytest.mark.parametrize("name", IMPORTERS)
def test_it_is_imported_only_at_home(name: str, parsed: dict[Path, ast.Module], short: Callable[[Path], str]) -> None:
    found = {short(path) for path, tree in parsed.items() if name in {item.split(".")[0] for item in _imports(tree)}}
    assert _strangers(found, IMPORTERS[name]) == set()


@pytest.mark.parametrize("pattern", CALLERS)
def test_it_is_called_only_at_home(pattern: str, parsed: dict[Path, ast.Module], short: Callable[[Path], str]) -> None:
    found = {short(path) for path, tree in parsed.items() if any(fnmatch.fnmatch(c, pattern) for c in _calls(tree))}
    assert _strangers(found, CALLERS[pattern]) == set()


def _strangers(found: set[str], homes: tuple[str, ...]) -> set[str]:
    return {file for file in found if not any(fnmatch.fnmatch(file, home) for home in homes)}


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _calls(tree: ast.Module) -> Iterator[str]:
    """Dotted names called, with names imported by `from` spelt out."""
    origin = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
            yield origin.get(name, name)


def test_a_call_in_disguise_would_be_seen() -> None:
    tree = ast.parse("from subprocess import run as go\nimport os\ngo([])\nos.fork()")
    assert list(_calls(tree)) == ["subprocess.run", "os.fork"]
