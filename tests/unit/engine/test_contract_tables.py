"""The tables of the written contract say what the tables in code say."""

import re
from pathlib import Path

import pytest

from authpipe.engine import context, fields
from authpipe.engine.body import PAYLOADS, SECRET_MEMBERS
from authpipe.model import OUTCOMES, Scene

CONTRACT = Path(__file__).parents[3] / "docs" / "reference" / "contract.md"


def section(number: str) -> str:
    text = CONTRACT.read_text(encoding="utf-8")
    return re.split(r"^#{2,3} ", text.split(f"\n### {number} ")[1], flags=re.MULTILINE)[0]


def names(text: str) -> set[str]:
    return set(re.findall(r"`([^`\s]+)`", text))


def rows(number: str) -> list[list[str]]:
    lines = [line.strip("| ").split("|") for line in section(number).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in cells] for cells in lines]


def test_scenes_and_outcomes_are_all_there():
    assert {row[0].strip("`") for row in rows("1.1")[1:]} == set(Scene)
    assert {row[0].strip("`") for row in rows("1.2")[1:]} == set(Scene)
    assert {row[0].strip("`") for row in rows("2.4")[1:]} == set(OUTCOMES)


def test_accumulators_count_where_the_contract_says():
    written = {row[0].strip("`"): names(row[3]) for row in rows("3.2")[1:]}
    assert written == {
        name: {scene.value for scene in Scene if name in fields.accumulators(scene)} for name in fields.ACCUMULATORS
    }


def test_user_fields_are_those_of_the_code():
    profile, blocked, seeds, closed = (names(row[0]) for row in rows("3.4")[1:5])
    assert profile | blocked == set(fields.PROFILE_FIELDS)
    assert seeds == set(fields.SEED_FIELDS) and closed == set(fields.READ_ONLY)


@pytest.mark.parametrize(("row", "accumulator"), list(enumerate(fields.PROTECTED_CLAIMS, start=1)))
def test_protected_claims_are_those_of_the_code(row: int, accumulator: str):
    _, always, unless_allowed = rows("3.5")[row]
    assert names(always) == fields.SIGNER_CLAIMS
    assert names(unless_allowed) == fields.PROTECTED_CLAIMS[accumulator]


def test_hidden_and_reserved_names_are_those_of_the_code():
    assert names(section("4.3")) >= context.HIDDEN_HEADERS
    assert names(section("4.4")) >= set(PAYLOADS) | set(PAYLOADS.values())
    assert {name.lower() for name in names(section("4.4"))} >= SECRET_MEMBERS
    assert names(section("4.5")) >= context.RESERVED
