"""Compares the version in the changelog, the package, its metadata and, when there is one, the tag on HEAD."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def versions() -> dict[str, str]:
    """Where a version is stated → the version."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    package = (ROOT / "src" / "authpipe" / "__init__.py").read_text(encoding="utf-8")
    with (ROOT / "pyproject.toml").open("rb") as file:
        metadata = tomllib.load(file)
    found = {
        "CHANGELOG.md": _first(r"^## \[(\d[^\]]*)\]", changelog),
        "authpipe.__version__": _first(r'^__version__ = "([^"]+)"', package),
        "pyproject.toml": metadata["project"]["version"],
    }
    tags = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    return found | {f"tag {tag}": tag.removeprefix("v") for tag in tags.split()}


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else "none"


def main() -> int:
    """0 when they all agree."""
    stated = versions()
    agree = len(set(stated.values())) == 1
    for place, version in stated.items():
        print(f"{version:10} {place}")
    print("versions agree" if agree else "versions differ")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
