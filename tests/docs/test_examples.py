"""Examples marked `run` do what the page says: each page is followed from top to bottom in an empty folder."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(?P<language>\w+) (?P<mark>run|file)=(?P<value>\S+)\n(?P<text>.*?)^```", re.M | re.S)


@dataclass(frozen=True)
class Page:
    """A page with marked examples."""

    path: Path
    #: (mark, value, text) of each, in order
    blocks: list[tuple[str, str, str]]


def _pages() -> list[Page]:
    found = []
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        blocks = [(b["mark"], b["value"], b["text"]) for b in _BLOCK.finditer(path.read_text(encoding="utf-8"))]
        if any(mark == "run" for mark, _, _ in blocks):
            found.append(Page(path, blocks))
    return found


def test_some_pages_have_marked_examples() -> None:
    assert "first-function.md" in {page.path.name for page in _pages()}


@pytest.mark.parametrize("page", _pages(), ids=lambda page: page.path.stem)
def test_the_examples_of_a_page_work(page: Page, tmp_path: Path) -> None:
    for mark, value, text in page.blocks:
        if mark == "file":
            (tmp_path / value).write_text(text, encoding="utf-8")
            continue
        for line in text.splitlines():
            if line.startswith("$ "):
                _run(line[2:], tmp_path, expected=int(value))


def _run(command: str, folder: Path, *, expected: int) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == expected, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
