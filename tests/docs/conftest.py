"""The documentation as the docs tests see it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def docs() -> Path:
    """The documentation's folder."""
    return ROOT / "docs"


@pytest.fixture
def pages() -> list[Path]:
    """Every Markdown page of the checkout's root and of the documentation."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
