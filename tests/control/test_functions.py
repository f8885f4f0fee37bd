"""Functions as their author sees them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from authpipe.errors import InvalidArgument, NotFound, PayloadTooLarge, QuotaExceeded
from authpipe.model import Scene

DRAFT = {"sourceCode": "function pipe() {}", "scene": "PRE_REGISTER", "funcName": "n"}


@pytest.fixture
def create(control: Any, pool_id: str) -> Any:
    async def create(**fields: Any) -> Any:
        return await control.functions.create(pool_id=pool_id, draft=DRAFT | fields)

    return create


@pytest.fixture
def update(control: Any, pool_id: str) -> Any:
    async def update(func_id: str, **fields: Any) -> Any:
        return await control.functions.update(pool_id=pool_id, draft={"funcId": func_id} | fields)

    return update


async def steps(control: Any, pool_id: str) -> list[tuple[str, str | None]]:
    plan = await control.plans.load(pool_id=pool_id, scene=Scene.PRE_REGISTER)
    return [(step.source, step.broken) for step in plan.steps]


async def test_a_new_function_on_the_wire(create: Any) -> None:
    made = await create()
    assert msgspec.to_builtins(made) == {
        "funcId": made.func_id,
        "funcName": "n",
        "funcDescription": "",
        "scene": "PRE_REGISTER",
        "createdAt": "2023-11-14T22:13:20.000Z",
        "updatedAt": "2023-11-14T22:13:20.000Z",
        "isAsynchronous": False,
        "timeout": 3,
        "terminateOnTimeout": True,
        "enabled": True,
        "sourceCode": "function pipe() {}",
        "status": "success",
        "isCloud": False,
        "lastExecuteStatus": {},
    }


@pytest.mark.parametrize(
    ("scene", "policy", "given", "shown"),
    [
        ("PRE_REGISTER", "safe", None, True),
        ("PRE_REGISTER", "genauth", None, False),
        ("PRE_OIDC_ID_TOKEN_ISSUED", "safe", None, True),
        ("PRE_COMPLETE_USER_INFO", "safe", None, True),
        ("POST_REGISTER", "safe", None, False),
        ("POST_REGISTER", "genauth", None, False),
        ("PRE_REGISTER", "safe", False, False),
        ("PRE_REGISTER", "genauth", True, True),
        ("POST_REGISTER", "safe", True, True),
    ],
)
async def test_terminate_on_timeout_shows_what_happens(
    control: Any, pool_id: str, create: Any, scene: str, policy: str, given: bool | None, shown: bool
) -> None:
    await control.user_pools.update_settings(pool_id=pool_id, changes={"failurePolicy": policy})
    assert (await create(scene=scene, terminateOnTimeout=given)).terminate_on_timeout is shown


async def test_an_alias_of_a_scene_is_stored_by_its_name(create: Any) -> None:
    assert (await create(scene="PRE_OIDCTOKENISSUED")).scene is Scene.PRE_OIDC_ID_TOKEN_ISSUED


@pytest.mark.parametrize("missing", ["sourceCode", "scene", "funcName"])
async def test_what_is_required_is_asked_for_by_name(control: Any, pool_id: str, missing: str) -> None:
    draft = {name: value for name, value in DRAFT.items() if name != missing}
    for incomplete in (draft, draft | {missing: None}):
        with pytest.raises(InvalidArgument, match=rf"^{missing} is required\.$"):
            await control.functions.create(pool_id=pool_id, draft=incomplete)
    assert (await control.functions.list(pool_id=pool_id), control.checked) == ([], [])


async def test_a_wrong_value_is_refused_before_anything_is_compiled(control: Any, create: Any, update: Any) -> None:
    made = await create()
    control.checked.clear()
    for fields in ({"timeout": 61}, {"enabled": "yes"}, {"funcName": 7}, {"sourceCode": 7}):
        for attempt in (create(**fields), update(made.func_id, **{"sourceCode": "new"} | fields)):
            with pytest.raises(InvalidArgument, match=f"^{next(iter(fields))} must"):
                await attempt
    assert control.checked == []


async def test_a_bad_source_is_kept_failed_and_breaks_the_run(control: Any, pool_id: str, create: Any) -> None:
    made = await create(sourceCode="bad")
    assert (made.status, made.upload_err_msg, made.source_code) == ("failed", "Unexpected token (1:5)", "bad")
    assert await steps(control, pool_id) == [("", "Unexpected token (1:5)")]


async def test_a_bad_update_is_shown_and_the_good_source_keeps_running(
    control: Any, pool_id: str, create: Any, update: Any
) -> None:
    made = await create()
    changed = await update(made.func_id, sourceCode="bad", funcName="new name")
    assert (changed.status, changed.source_code, changed.func_name) == ("failed", "bad", "new name")
    assert await steps(control, pool_id) == [(DRAFT["sourceCode"], None)]
    repaired = await update(made.func_id, sourceCode="better")
    assert (repaired.status, repaired.upload_err_msg) == ("success", msgspec.UNSET)
    assert await steps(control, pool_id) == [("better", None)]


async def test_going_back_to_the_live_source_repairs_the_status(create: Any, update: Any) -> None:
    made = await create()
    await update(made.func_id, sourceCode="bad")
    repaired = await update(made.func_id, sourceCode=DRAFT["sourceCode"])
    assert (repaired.status, repaired.source_code) == ("success", DRAFT["sourceCode"])


async def test_the_same_source_again_is_not_compiled_again(control: Any, create: Any, update: Any) -> None:
    made = await create()
    control.checked.clear()
    await update(made.func_id, sourceCode=DRAFT["sourceCode"], enabled=False)
    assert control.checked == []


async def test_reupload_compiles_the_latest_source(
    control: Any, pool_id: str, create: Any, update: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await create()
    await update(made.func_id, sourceCode="bad")
    control.checked.clear()
    again = await control.functions.reupload(pool_id=pool_id, function_id=made.func_id)
    assert (again.status, control.checked) == ("failed", ["bad"])
    await update(made.func_id, sourceCode="fine")
    again = await control.functions.reupload(pool_id=pool_id, function_id=made.func_id)
    assert (again.status, control.checked[-1]) == ("success", "fine")


async def test_an_update_leaves_what_it_does_not_name_and_the_scene(
    control: Any, pool_id: str, create: Any, update: Any
) -> None:
    made = await create(timeout=9, funcDescription="kept", isAsynchronous=True)
    control.clock.time += 60
    changed = await update(made.func_id, enabled=False, scene="POST_REGISTER", unknown={"x": 1}, timeout=None)
    assert changed == msgspec.structs.replace(made, enabled=False, updated_at="2023-11-14T22:14:20.000Z")
    assert await control.functions.get(pool_id=pool_id, function_id=made.func_id) == changed
    assert await steps(control, pool_id) == []


@pytest.mark.parametrize("source", ["\ufefffunction pipe() {}\r\n", "\t企业\u2028\u2029", "// \0 \x7f", " x "])
async def test_the_source_comes_back_byte_for_byte(control: Any, pool_id: str, create: Any, source: str) -> None:
    made = await create(sourceCode=source)
    assert made.source_code == source
    assert (await control.functions.list(pool_id=pool_id))[0].source_code == source
    assert await steps(control, pool_id) == [(source, None)]


async def test_a_source_above_the_limit_is_too_large(create: Any, update: Any) -> None:
    made = await create(sourceCode="x" * 200)
    for attempt in (create(sourceCode="x" * 201), update(made.func_id, sourceCode="企" * 67)):
        with pytest.raises(PayloadTooLarge, match="200"):
            await attempt


async def test_the_quota_holds_also_at_once(control: Any, pool_id: str, create: Any) -> None:
    results = await asyncio.gather(*(create() for _ in range(7)), return_exceptions=True)
    assert sum(isinstance(result, QuotaExceeded) for result in results) == 3
    with pytest.raises(QuotaExceeded, match="4 functions"):
        await create(scene="POST_REGISTER")
    assert len(await control.functions.list(pool_id=pool_id)) == 4


async def test_the_list_is_of_one_scene_or_all(control: Any, pool_id: str, create: Any) -> None:
    for name, scene in (("a", "POST_REGISTER"), ("b", "PRE_REGISTER"), ("c", "PRE_OIDCTOKENISSUED")):
        await create(funcName=name, scene=scene)
    listed = {}
    for scene in (None, "", "PRE_REGISTER", "PRE_OIDCTOKENISSUED", "PRE_MFA_VERIFY"):
        listed[scene] = [each.func_name for each in await control.functions.list(pool_id=pool_id, scene=scene)]
    every = ["b", "a", "c"]
    assert listed == {
        None: every, "": every, "PRE_REGISTER": ["b"], "PRE_OIDCTOKENISSUED": ["c"], "PRE_MFA_VERIFY": []
    }  # fmt: skip
    with pytest.raises(InvalidArgument, match="scene"):
        await control.functions.list(pool_id=pool_id, scene="NO_SCENE")


async def test_the_order_takes_effect_and_is_checked(control: Any, pool_id: str, create: Any) -> None:
    first, second, third = [(await create(sourceCode=name)).func_id for name in ("1", "2", "3")]
    await control.functions.set_order(pool_id=pool_id, scene="PRE_REGISTER", order=[third])
    assert [source for source, _ in await steps(control, pool_id)] == ["3", "1", "2"]
    for order in ([first, first], ["unknown"], "123", None, [first, None]):
        with pytest.raises(InvalidArgument, match=r"^order "):
            await control.functions.set_order(pool_id=pool_id, scene="PRE_REGISTER", order=order)
    with pytest.raises(InvalidArgument, match=second):
        await control.functions.set_order(pool_id=pool_id, scene="POST_REGISTER", order=[second])
    assert [source for source, _ in await steps(control, pool_id)] == ["3", "1", "2"]


async def test_an_unknown_or_foreign_function_is_not_found(control: Any, pool_id: str, create: Any) -> None:
    made = await create()
    other = (await control.user_pools.create("other")).user_pool.pool_id
    for function_id in (made.func_id, "unknown"):
        for attempt in (
            control.functions.get(pool_id=other, function_id=function_id),
            control.functions.delete(pool_id=other, function_id=function_id),
            control.functions.reupload(pool_id=other, function_id=function_id),
            control.functions.update(pool_id=other, draft={"funcId": function_id, "sourceCode": "mine"}),
        ):
            with pytest.raises(NotFound):
                await attempt
    assert await control.functions.get(pool_id=pool_id, function_id=made.func_id) == made


async def test_a_missing_function_id_is_a_wrong_argument(control: Any, pool_id: str) -> None:
    for attempt in (
        control.functions.delete(pool_id=pool_id, function_id=None),
        control.functions.get(pool_id=pool_id, function_id=""),
        control.functions.reupload(pool_id=pool_id, function_id=7),
        control.functions.update(pool_id=pool_id, draft={"timeout": 3}),
    ):
        with pytest.raises(InvalidArgument, match=r"^funcId "):
            await attempt


async def test_every_change_is_announced_and_no_refusal_is(
    control: Any, pool_id: str, create: Any, update: Any
) -> None:
    made = await create()
    await update(made.func_id, enabled=False)
    await control.functions.set_order(pool_id=pool_id, scene="PRE_REGISTER", order=[made.func_id])
    await control.functions.reupload(pool_id=pool_id, function_id=made.func_id)
    await control.functions.delete(pool_id=pool_id, function_id=made.func_id)
    assert control.announced == [pool_id] * 5
    with pytest.raises(NotFound):
        await control.functions.delete(pool_id=pool_id, function_id=made.func_id)
    assert control.announced == [pool_id] * 5


async def test_an_unknown_pool_has_no_functions(control: Any) -> None:
    with pytest.raises(NotFound):
        await control.functions.list(pool_id="nobody")
    with pytest.raises(NotFound):
        await control.functions.create(pool_id="nobody", draft=DRAFT)
