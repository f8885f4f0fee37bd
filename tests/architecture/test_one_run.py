"""The table "One run, followed" in ARCHITECTURE.md names files and functions that exist, from the edge down."""

import ast
import re
from configparser import ConfigParser
from pathlib import Path

import pytest

_ROW = re.compile(r"^\| (?P<number>\d+) \| `(?P<file>[\w/.]+)` · `(?P<name>[\w.]+)` \|", re.MULTILINE)


@pytest.fixture
def rows(root: Path) -> list[tuple[int, str, str]]:
    """(number, file, function) of each row."""
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split("## One run, followed", 1)[1].split("\n## ", 1)[0]
    return [(int(row["number"]), row["file"], row["name"]) for row in _ROW.finditer(section)]


def test_the_rows_are_numbered_without_a_gap(rows: list[tuple[int, str, str]]) -> None:
    assert len(rows) >= 6
    assert [number for number, _, _ in rows] == list(range(1, len(rows) + 1))


def test_every_row_names_a_function_that_exists(rows: list[tuple[int, str, str]], package: Path) -> None:
    missing = [f"{file} · {name}" for _, file, name in rows if name not in _defined(package / file)]
    assert missing == []


def test_the_rows_go_down_the_layers(rows: list[tuple[int, str, str]], root: Path) -> None:
    layers = _layers(root)
    depths = [layers[file.split("/")[0].removesuffix(".py")] for _, file, _ in rows]
    assert depths == sorted(depths)


def _defined(path: Path) -> set[str]:
    if not path.exists():
        return set()
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        return set(re.findall(r"^\s*(?:export )?(?:async )?function\s*\*?\s*(\w+)", source, re.MULTILINE))
    return set(_python_names(ast.parse(source).body, ""))


def _python_names(body: list[ast.stmt], prefix: str) -> list[str]:
    names = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            names += _python_names(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(prefix + node.name)
    return names


def _layers(root: Path) -> dict[str, int]:
    """Package → how far down it lies."""
    config = ConfigParser()
    config.read(root / ".importlinter")
    lines = config["importlinter:contract:layers"]["layers"].split("\n")
    return {name.strip(" ()"): depth for depth, line in enumerate(lines) for name in line.split("|")}
