"""Pages find each other, and the budget of the architecture page holds."""

import re
from pathlib import Path

_LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)([^)#]+)(?:#[^)]*)?\)")


def test_every_relative_link_leads_somewhere(pages: list[Path]) -> None:
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_can_be_reached_from_the_index(docs: Path) -> None:
    reached, waiting = set(), [docs / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [(page.parent / target).resolve() for target in _LINK.findall(page.read_text(encoding="utf-8"))]
    unreached = set(docs.rglob("*.md")) - reached - set((docs / "decisions").glob("*.md"))
    assert unreached == set()


def test_the_architecture_fits_in_its_budget(docs: Path) -> None:
    assert len((docs.parent / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 200


def test_the_first_screen_of_the_readme_has_the_two_commands(docs: Path) -> None:
    first_screen = "\n".join((docs.parent / "README.md").read_text(encoding="utf-8").splitlines()[:24])
    assert "$ make demo" in first_screen
    assert "$ make test" in first_screen
