"""Every module says in one sentence what it answers for."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

_SECOND_SENTENCE = re.compile(r"(?<!e\.g)(?<!i\.e)[.!?]\s+[A-Z]")


def test_every_module_begins_with_one_sentence(parsed: dict[Path, ast.Module], short: Callable[[Path], str]) -> None:
    wrong = {short(path): said for path, tree in parsed.items() if not _is_one_sentence(said := _first_paragraph(tree))}
    assert wrong == {}


def test_every_file_of_the_worker_program_begins_with_its_responsibility(javascript_files: list[Path]) -> None:
    wrong = [path.name for path in javascript_files if not _javascript_sentence(path).endswith((".", "?"))]
    assert wrong == []


def _first_paragraph(tree: ast.Module) -> str:
    text = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    return text.partition(" Source: ")[0]


def _is_one_sentence(text: str) -> bool:
    return len(text) >= 12 and text[-1] in ".:?" and not _SECOND_SENTENCE.search(text)


def _javascript_sentence(path: Path) -> str:
    """The first paragraph of the comment a file begins with, `// @ts-check` aside."""
    lines = [line.strip(" /*") for line in path.read_text(encoding="utf-8").splitlines()]
    start = next((n for n, line in enumerate(lines) if line and not line.startswith(("@ts-", "deno-lint"))), 0)
    end = next((n for n in range(start, len(lines)) if lines[n] in ("", "@module")), start + 1)
    return " ".join(lines[start:end])
