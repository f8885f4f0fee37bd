"""Runs a case of cases.json and says what came of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from deno import find_deno_bin

from authpipe.catalogue.catalogue import Catalogue, load

FOLDER = Path(__file__).parent
TABLE = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
ACCUMULATORS = {"customData": "customData", "idToken": "idToken", "accessToken": "customAccessTokenClaims"}

Case = dict[str, Any]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The shipped catalogue."""
    return load()


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    """Every case of the table."""
    return TABLE["cases"]


@pytest.fixture
def run_case(catalogue: Catalogue) -> Callable[[Case], Awaitable[dict[str, Any]]]:
    """Case → {verdict, message, threw, profile, customData, idToken, accessToken, logs}."""

    async def run(case: Case) -> dict[str, Any]:
        prologue = TABLE["prologues"].get(case.get("prologue"), "")
        user = None if case.get("settings") == {"m2mUser": "null"} else case.get("user", {})
        order = {
            "code": prologue + catalogue.get(case["template"]).code,
            "scene": case["scene"],
            "user": user,
            "context": case.get("context", {}),
            "env": case.get("env", {}),
        }
        return _changes(user or {}, await _deno(order))

    return run


async def _deno(order: dict[str, Any]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(find_deno_bin(), "run", "--quiet", "--no-prompt", "--no-config", "--no-remote", FOLDER / "stand_in.js"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"TZ": "UTC", "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"},
    )
    out, _ = await process.communicate(json.dumps(order).encode())
    assert process.returncode == 0
    return json.loads(out)


def _changes(before: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    after = answer.get("user") or {}
    fields = {key: value for key, value in after.items() if key not in ACCUMULATORS.values()}
    changes = {"profile": _difference(before, fields)}
    for name, accumulator in ACCUMULATORS.items():
        changes[name] = _difference(before.get(accumulator, {}), after.get(accumulator, {}))
    return {"message": None, "threw": False, **answer, **changes}


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in after.items() if key not in before or before[key] != value}
