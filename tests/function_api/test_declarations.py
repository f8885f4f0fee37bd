"""The declarations for function authors check, and fit what authors write."""

import subprocess
from pathlib import Path

import deno
import pytest

from authpipe.engine import fields
from authpipe.model import Scene

HERE = Path(__file__).parent
DECLARATIONS = HERE.parents[1] / "docs" / "reference" / "function-api.d.ts"


@pytest.mark.parametrize("file", [DECLARATIONS, HERE / "declarations.js"], ids=lambda file: file.name)
def test_deno_checks(file: Path, tmp_path: Path):
    command = [deno.find_deno_bin(), "check", "--quiet", "--no-config", "--no-lock", "--no-remote", str(file)]
    environment = {"DENO_DIR": str(tmp_path), "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def test_the_declarations_name_every_scene_and_accumulator():

    text = DECLARATIONS.read_text(encoding="utf-8")
    assert all(f'"{scene}"' in text and f"    {scene}: " in text for scene in Scene)
    assert all(f"    {name}: JsonObject;" in text for name in fields.ACCUMULATORS)
    assert all(f"    {name}?: " in text for name in (*fields.PROFILE_FIELDS, *fields.SEED_FIELDS))
    shown = set(fields.READ_ONLY) - {"password"}
    assert all(f"readonly {name}?: " in text or f"readonly {name}: " in text for name in shown)
