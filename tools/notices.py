"""Writes THIRD_PARTY_NOTICES.md from the licence texts of the bundled npm packages; `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LICENCES = ROOT / "src" / "authpipe" / "packages" / "bundles" / "LICENSES.txt"
NOTICES = ROOT / "THIRD_PARTY_NOTICES.md"
HEADING = """# Third-party notices

authpipe's wheel contains bundles of the npm packages below, for functions to `require` and for compile checks.
Everything else it needs is installed from its own package, under its own licence. `make notices` writes this page.

```text
"""


def main() -> int:
    """0 when the page is written, or is what it should be."""
    text = f"{HEADING}{LICENCES.read_text(encoding='utf-8').strip()}\n```\n"
    if "--check" not in sys.argv[1:]:
        NOTICES.write_text(text, encoding="utf-8")
    elif not NOTICES.exists() or NOTICES.read_text(encoding="utf-8") != text:
        print("THIRD_PARTY_NOTICES.md is not what the bundles say; run: make notices", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
