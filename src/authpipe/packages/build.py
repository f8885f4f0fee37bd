"""Bundles the npm packages that functions may require: `python -m authpipe.packages.build`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import deno  # type: ignore[import-untyped]

HERE = Path(__file__).parent
ENTRIES = HERE / "entries"
PINS = (HERE / "deno.json", HERE / "deno.lock")
BUNDLES = HERE / "bundles"
_STAMP = "stamp"
_LICENCES = "LICENSES.txt"
_LICENCE_NAMES = ("licence", "license", "copying", "notice")


class BuildError(Exception):
    """The bundler failed; the text is what it printed."""


def build(*, into: Path = BUNDLES, force: bool = False) -> bool:
    """Make the bundles and the file of their licences; False when they are up to date. Raises `BuildError`."""
    stamp = fingerprint()
    if not force and _is_current(into, stamp):
        return False
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="authpipe-bundles-") as folder:
        work = Path(folder)
        _bundle_in(work)
        for bundle in sorted((work / "out").glob("*.js")):
            # A worker may be starting while this runs: it must find the old file or the new one, whole.
            shutil.copyfile(bundle, into / f".{bundle.name}")
            (into / f".{bundle.name}").replace(into / bundle.name)
        (into / _LICENCES).write_text(_licences(work / "node_modules"), encoding="utf-8")
    (into / _STAMP).write_text(stamp, encoding="utf-8")
    return True


def fingerprint() -> str:
    """A digest of everything the bundles are made from."""
    digest = hashlib.sha256(metadata.version("deno").encode())
    for file in (Path(__file__), *PINS, *sorted(ENTRIES.iterdir())):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _is_current(folder: Path, stamp: str) -> bool:
    marker = folder / _STAMP
    made = {file.name for file in folder.glob("*.js")} >= {entry.name for entry in ENTRIES.iterdir()}
    return made and marker.is_file() and marker.read_text(encoding="utf-8") == stamp


def _bundle_in(work: Path) -> None:
    for file in (*PINS, *ENTRIES.iterdir()):
        shutil.copyfile(file, work / file.name)
    for entry in sorted(ENTRIES.iterdir()):
        _deno(work, "bundle", "--quiet", "--frozen", "--platform", "browser", "--format", "cjs", "--minify",
              "--output", f"out/{entry.name}", entry.name)  # fmt: skip


def _deno(work: Path, *arguments: str) -> None:
    environment = os.environ | {"DENO_DIR": str(work / "cache"), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    command = (deno.find_deno_bin(), *arguments)
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(done.stderr.strip())


def _licences(modules: Path) -> str:
    """The licence texts of every package that was installed, which are at least those in the bundles."""
    rule = "=" * 78
    blocks = []
    for manifest in sorted(_manifests(modules)):
        package = json.loads(manifest.read_text(encoding="utf-8"))
        title = f"{package['name']} {package['version']} ({package.get('license', 'licence not named')})"
        blocks.append(f"{rule}\n{title}\n{rule}\n{_licence_text(manifest.parent)}\n")
    return "\n".join(blocks)


def _manifests(modules: Path) -> Iterator[Path]:
    for pattern in ("*/node_modules/*/package.json", "*/node_modules/@*/*/package.json"):
        for manifest in (modules / ".deno").glob(pattern):
            if not manifest.parent.is_symlink():
                yield manifest


def _licence_text(package: Path) -> str:
    files = sorted(file for file in package.iterdir() if file.name.lower().startswith(_LICENCE_NAMES))
    texts = [file.read_text(encoding="utf-8", errors="replace").strip() for file in files if file.is_file()]
    return "\n\n".join(texts) or "(the package ships no licence text of its own; see its licence name above)"


def main() -> int:
    """Build what is out of date; the exit code."""
    try:
        made = build(force="--force" in sys.argv[1:])
    except BuildError as error:
        print(f"the bundles cannot be made: {error}", file=sys.stderr)
        return 1
    print("bundles: made" if made else "bundles: up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
