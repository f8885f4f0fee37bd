"""Every command line shown in the documentation is one that `authpipe` takes."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from authpipe.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
_LINE = re.compile(r"^\$ (?:\.venv/bin/|/opt/authpipe/bin/)?authpipe (.*?)(?: &)?$", re.MULTILINE)


def _shown() -> list[str]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted({line for page in pages for line in _LINE.findall(page.read_text(encoding="utf-8"))})


def test_the_documentation_shows_commands() -> None:
    assert len(_shown()) >= 10


@pytest.mark.parametrize("line", _shown())
def test_a_command_line_shown_is_understood(line: str) -> None:
    command, words = get_command(app), shlex.split(line)
    while (nested := getattr(command, "commands", None)) is not None:
        assert words, f"authpipe {line} names no command"
        assert words[0] in nested, f"authpipe has no {words[0]!r}"
        command, words = nested[words[0]], words[1:]
    known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
    assert {word for word in words if word.startswith("-")} - known == set()
    given = [word for word in words if not word.startswith("-")]
    needed = [item for item in command.params if item.param_type_name == "argument" and item.required]
    assert len(given) >= len(needed)
