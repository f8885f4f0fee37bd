"""Runs and function logs as their author reads them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from authpipe.errors import InvalidArgument, NotFound
from authpipe.ids import id_maker
from authpipe.model import Invocation, Outcome
from authpipe.storage.runs import RunRecord

DRAFT = {"sourceCode": "function pipe() {}", "scene": "PRE_REGISTER", "funcName": "n"}


@pytest.fixture
async def func_id(control: Any, pool_id: str) -> str:
    return (await control.functions.create(pool_id=pool_id, draft=DRAFT)).func_id


@pytest.fixture
def record(control: Any, pool_id: str) -> Any:
    """Records a run with one step of `function_id`; the record."""
    new_id = id_maker()

    async def record(function_id: str, *, outcome: Outcome = Outcome.OK, **fields: Any) -> RunRecord:
        step = Invocation(
            function_id=function_id, name="n", revision=3, outcome=outcome, duration=2.5, logs=[["a", {"b": 1}], [1]],
            console=[{"level": "warn", "args": ["c"]}], message="m", detail="d", warnings=["w"],
        )  # fmt: skip
        given = {
            "run_id": new_id(), "pool_id": pool_id, "scene": "PRE_REGISTER", "verdict": "continue", "reason": "ok",
            "request_id": "q", "user_id": "u", "app_id": "a", "started_at": 1_700_000_000.5, "duration": 4.5,
            "steps": [step],
        }  # fmt: skip
        made = RunRecord(**(given | fields))
        await control.runs.add([made])
        return made

    return record


async def test_a_log_entry_has_every_field_of_its_function_and_more(
    control: Any, pool_id: str, func_id: str, record: Any
) -> None:
    run = await record(func_id)
    total, (entry,) = await control.run_log.function_logs(pool_id=pool_id, function_id=func_id)
    function = msgspec.to_builtins(await control.functions.get(pool_id=pool_id, function_id=func_id))
    began = "2023-11-14T22:13:20.500Z"
    assert total == 1
    assert msgspec.to_builtins(entry) == function | {
        "createdAt": began,
        "updatedAt": began,
        "triggerTime": began,
        "logId": f"{run.run_id}-{func_id}",
        "runId": run.run_id,
        "requestId": "q",
        "duration": 2.5,
        "outcome": "ok",
        "skipped": False,
        "errorMessage": "m",
        "errorDetail": "d",
        "logs": [["a", {"b": 1}], [1]],
        "console": [{"level": "warn", "args": ["c"]}],
        "warnings": ["w"],
        "userId": "u",
        "appId": "a",
        "debug": False,
    }


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_status_tells_whether_it_went_as_the_function_wanted(
    control: Any, pool_id: str, func_id: str, record: Any, outcome: Outcome
) -> None:
    await record(func_id, outcome=outcome)
    _, (entry,) = await control.run_log.function_logs(pool_id=pool_id, function_id=func_id)
    assert entry.status == ("success" if outcome in (Outcome.OK, Outcome.DENIED) else "failed")
    assert entry.outcome is outcome


async def test_logs_of_a_function_that_does_not_compile_any_more_are_still_of_its_runs(
    control: Any, pool_id: str, func_id: str, record: Any
) -> None:
    await record(func_id)
    await control.functions.update(pool_id=pool_id, draft={"funcId": func_id, "sourceCode": "bad"})
    _, (entry,) = await control.run_log.function_logs(pool_id=pool_id, function_id=func_id)
    assert (entry.status, entry.upload_err_msg) == ("success", msgspec.UNSET)


async def test_log_pages(control: Any, pool_id: str, func_id: str, record: Any) -> None:
    made = [(await record(func_id)).run_id for _ in range(12)][::-1]

    async def page(**options: Any) -> list[str]:
        total, entries = await control.run_log.function_logs(pool_id=pool_id, function_id=func_id, **options)
        assert total == 12
        return [entry.run_id for entry in entries]

    assert await page() == made[:10]
    assert await page(page=2) == made[10:]
    assert await page(page=2, limit=5) == made[5:10]
    assert await page(limit=10_000) == made
    assert await page(page=10**30) == []


@pytest.mark.parametrize("field", ["page", "limit"])
@pytest.mark.parametrize("value", [0, -1, "1", 1.5, None, True])
async def test_page_and_limit_are_whole_numbers(
    control: Any, pool_id: str, func_id: str, field: str, value: Any
) -> None:
    with pytest.raises(InvalidArgument, match=f"^{field} must"):
        await control.run_log.function_logs(pool_id=pool_id, function_id=func_id, **{field: value})


async def test_at_most_fifty_log_entries_a_page(control: Any, pool_id: str, func_id: str, record: Any) -> None:
    first = await record(func_id)
    steps = [msgspec.structs.replace(first.steps[0]) for _ in range(60)]
    await record(func_id, steps=steps)
    total, entries = await control.run_log.function_logs(pool_id=pool_id, function_id=func_id, limit=51)
    assert (total, len(entries)) == (61, 50)


async def test_runs_are_listed_and_shown(control: Any, pool_id: str, func_id: str, record: Any) -> None:
    first = await record(func_id, snapshot=b'{"user":{"id":"u"},"context":{}}')
    second = await record(func_id, scene="POST_REGISTER", verdict="deny", reason="denied", message="no")
    listed = await control.run_log.runs(pool_id=pool_id)
    assert [run.run_id for run in listed] == [second.run_id, first.run_id]
    assert (listed[0].verdict, listed[0].reason, listed[0].message) == ("deny", "denied", "no")
    assert listed[1].steps[0].logs == [] and listed[1].snapshot is msgspec.UNSET
    only = await control.run_log.runs(pool_id=pool_id, scene="POST_REGISTER", limit=1)
    assert only == listed[:1]
    assert await control.run_log.runs(pool_id=pool_id, before=second.run_id) == listed[1:]
    shown = msgspec.to_builtins(await control.run_log.run(pool_id=pool_id, run_id=first.run_id))
    assert shown["snapshot"] == {"user": {"id": "u"}, "context": {}}
    assert shown["steps"][0]["logs"] == [["a", {"b": 1}], [1]]
    assert (shown["startedAt"], shown["durationMs"]) == ("2023-11-14T22:13:20.500Z", 4.5)


@pytest.mark.parametrize(
    ("field", "value"), [("scene", "NO_SCENE"), ("before", 7), ("before", "a\nb"), ("limit", 0), ("limit", "9")]
)
async def test_a_wrong_filter_is_refused_by_name(control: Any, pool_id: str, field: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=f"^{field} must"):
        await control.run_log.runs(pool_id=pool_id, **{field: value})


async def test_every_read_waits_for_what_was_just_recorded(control: Any, pool_id: str, func_id: str) -> None:
    await control.run_log.runs(pool_id=pool_id)
    await control.run_log.function_logs(pool_id=pool_id, function_id=func_id)
    with pytest.raises(NotFound):
        await control.run_log.run(pool_id=pool_id, run_id="unknown")
    assert control.flushes == 3


async def test_another_pools_runs_and_logs_are_not_found(control: Any, pool_id: str, func_id: str, record: Any) -> None:
    run = await record(func_id)
    other = (await control.user_pools.create("other")).user_pool.pool_id
    assert await control.run_log.runs(pool_id=other) == []
    with pytest.raises(NotFound):
        await control.run_log.run(pool_id=other, run_id=run.run_id)
    with pytest.raises(NotFound):
        await control.run_log.function_logs(pool_id=other, function_id=func_id)
