"""Every template does what its entry in the catalogue says, and none of the known mistakes."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from authpipe.app import Application
from authpipe.catalogue.catalogue import Catalogue, Template
from authpipe.model import Scene

Case = dict[str, Any]
CASES: list[Case] = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))["cases"]
EFFECTS = ("profile", "customData", "idToken", "accessToken")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("name", ["lark-notify", "slack-notify", "dingtalk-notify"])
async def test_a_notification_is_left_for_later(
    name: str, catalogue: Catalogue, application: Application, make_pool: Callable[[], Awaitable[str]]
) -> None:
    pool_id, scene = await make_pool(), Scene.POST_AUTHENTICATION
    made = await application.functions.create(pool_id=pool_id, draft=_draft(catalogue.get(name), scene))
    verdict = await application.engine.run(pool_id=pool_id, scene=scene, user={"id": "u1"}, context={})
    assert (verdict.verdict, verdict.steps) == ("continue", [])
    assert [item.function_id for item in verdict.queued] == [made.func_id]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['template']}: {case['name']} ({case['kind']})")
async def test_a_template_does_what_the_table_says(
    case: Case, run_case: Callable[[Case], Awaitable[dict[str, Any]]]
) -> None:
    expect = case["expect"]
    came = await run_case(case)
    assert came["verdict"] == expect["verdict"], came
    assert came["threw"] is expect.get("threw", False)
    if not came["threw"]:
        assert came["message"] == expect.get("message")
    _check_effects(came, expect)
    _check_logs(came["logs"], expect)
    _check_warnings(came["warnings"], expect)


@pytest.mark.asyncio(loop_scope="session")
async def test_every_template_can_be_deployed_as_it_is(
    catalogue: Catalogue, application: Application, make_pool: Callable[[], Awaitable[str]]
) -> None:
    pool_id = await make_pool()
    made = [
        await application.functions.create(pool_id=pool_id, draft=_draft(template, template.scenes[0]))
        for template in catalogue.templates
    ]
    assert [function for function in made if function.status != "success"] == []


def test_every_template_has_an_allowing_a_refusing_and_an_edge_case(catalogue: Catalogue) -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    for case in CASES:
        kinds[case["template"]].add("deny" if case["kind"] == "unchanged" else case["kind"])
    assert {template.id for template in catalogue.templates} == set(kinds)
    assert [name for name, found in kinds.items() if not found >= {"allow", "deny", "edge"}] == []


def test_every_case_has_a_name_of_its_own() -> None:
    names = [(case["template"], case["name"]) for case in CASES]
    assert len(names) == len(set(names))


def test_cases_meant_for_the_template_run_in_its_scenes(catalogue: Catalogue) -> None:
    strangers = [
        case
        for case in CASES
        if case["name"] != "out of its scene" and not catalogue.get(case["template"]).suits(Scene.parse(case["scene"]))
    ]
    assert strangers == []


def _draft(template: Template, scene: str) -> dict[str, Any]:
    names = {"funcName": template.id, "funcDescription": template.overview_en}
    return {"sourceCode": template.code, "scene": scene, "isAsynchronous": template.asynchronous, **names}


def _check_effects(came: dict[str, Any], expect: dict[str, Any]) -> None:
    if "customDataLatest" in expect:
        latest = came["customData"]
        # The engine may know more of a place than the case gave, so the place is checked by what was given.
        place = json.loads(latest.pop("latestLocation"))
        assert place.items() >= expect["customDataLatest"]["latestLocation"].items()
        assert latest == {"latestIp": expect["customDataLatest"]["latestIp"]}
        came["customData"] = {}
    for key, longest in expect.get("customDataAtMost", {}).items():
        value = came["customData"].pop(key)
        assert len(json.loads(value)) > 0 and len(value) <= longest
    assert {effect: came[effect] for effect in EFFECTS} == {effect: expect.get(effect, {}) for effect in EFFECTS}


def _check_logs(logs: list[list[Any]], expect: dict[str, Any]) -> None:
    text = json.dumps(logs, ensure_ascii=False, separators=(",", ":"))
    assert [part for part in expect.get("logged", []) if part not in text] == []
    assert [part for part in expect.get("notLogged", []) if part in text] == []


def _check_warnings(warnings: list[list[Any]], expect: dict[str, Any]) -> None:
    wanted = expect.get("warned", [])
    assert len(warnings) == len(wanted)
    assert [part for part in wanted if part not in str(warnings)] == []
