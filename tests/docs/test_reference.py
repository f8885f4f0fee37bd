"""Reference pages name everything there is: settings, scenes, outcomes, errors, templates, routes, commands."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from authpipe import errors
from authpipe.catalogue.catalogue import load
from authpipe.engine.fields import ACCUMULATORS
from authpipe.model import OUTCOMES, SCENE_NAMES, PoolSettings
from authpipe.settings import SETTINGS


def _family(kind: type[errors.AuthpipeError]) -> Iterable[type[errors.AuthpipeError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reference/settings.md", [row.variable for row in SETTINGS]),
        ("reference/scenes.md", [*SCENE_NAMES, *ACCUMULATORS]),
        ("reference/outcomes.md", [str(outcome) for outcome in OUTCOMES]),
        ("reference/errors.md", sorted({kind.code for kind in _family(errors.AuthpipeError)})),
        ("reference/templates.md", [template.id for template in load().templates]),
        ("explanation/user-pools.md", list(PoolSettings.__struct_encode_fields__)),
        ("reference/contract.md", [*SCENE_NAMES, *map(str, OUTCOMES), *ACCUMULATORS]),
    ],
)
def test_the_page_names_all_of_them(docs: Path, page: str, names: list[str]) -> None:
    text = (docs / page).read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in text] == []


def test_generated_parts_are_what_the_code_says_now(docs: Path) -> None:
    pages = [page for page in sorted(docs.rglob("*.md")) if "[[[cog" in page.read_text(encoding="utf-8")]
    assert len(pages) >= 8
    done = subprocess.run(
        [Path(sys.executable).parent / "cog", "-I", "tools", "-P", "--check", *pages, "ARCHITECTURE.md"],
        cwd=docs.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
