"""Files and functions stay small enough to be read in one go."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 30
#: a migration is a list of columns that nobody edits again
_MIGRATIONS = "storage/migrations/"
#: functions that are longer on purpose, each with its reason
LONGER = {"app.py:_build": "the wiring, on one screen"}

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_OPENING = re.compile(r"^(?P<indent>\s*)(?:export )?(?:default )?(?:async )?function\s*\*?\s*(?P<name>\w+)")


def test_no_file_is_longer_than_the_budget(python_files: list[Path], javascript_files: list[Path]) -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files + javascript_files}
    assert {str(path): count for path, count in lines.items() if count > FILE_LINES} == {}


def test_no_python_function_is_longer_than_the_budget(
    parsed: dict[Path, ast.Module], short: Callable[[Path], str]
) -> None:
    found = {
        f"{short(path)}:{node.name}": size
        for path, tree in parsed.items()
        if not short(path).startswith(_MIGRATIONS)
        for node in ast.walk(tree)
        if isinstance(node, _FUNCTIONS) and (size := _body_lines(node)) > FUNCTION_LINES
    }
    assert found.keys() == LONGER.keys(), found


def test_no_function_of_the_worker_program_is_longer_than_the_budget(javascript_files: list[Path]) -> None:
    found = {
        f"{path.name}:{name}": size
        for path in javascript_files
        for name, size in _javascript_functions(path.read_text(encoding="utf-8"))
        if size > FUNCTION_LINES
    }
    assert found == {}


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring; functions defined inside count for themselves."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    inner = [child for child in ast.walk(node) if child is not node and isinstance(child, _FUNCTIONS)]
    taken = {line for child in inner for line in range(child.lineno, (child.end_lineno or child.lineno) + 1)}
    return len(set(range(body[0].lineno, (body[-1].end_lineno or 0) + 1)) - taken) if body else 0


def _javascript_functions(source: str) -> Iterator[tuple[str, int]]:
    """Name and lines of each declared function, told by the indentation of its closing brace."""
    lines = source.splitlines()
    for number, line in enumerate(lines):
        if opening := _OPENING.match(line):
            closing = opening["indent"] + "}"
            end = next((n for n in range(number, len(lines)) if lines[n].startswith(closing)), number)
            yield opening["name"], max(end - number - 1, 0)


def test_a_long_javascript_function_would_be_seen() -> None:
    source = "function small() {\n}\nasync function large() {\n" + "  step()\n" * 31 + "}\n"
    assert list(_javascript_functions(source)) == [("small", 0), ("large", 31)]
