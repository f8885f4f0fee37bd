"""Run records, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from authpipe.errors import NotFound
from authpipe.ids import NewId
from authpipe.model import Invocation, Outcome, Scene
from authpipe.storage.cipher import Cipher, SealBroken
from authpipe.storage.database import Database
from authpipe.storage.runs import RunRecord, Runs

POOL = "a" * 24


@pytest.fixture
def runs(database: Database, cipher: Cipher) -> Runs:
    return Runs(database, cipher)


@pytest.fixture
def record(new_id: NewId) -> Any:
    def make(**fields: Any) -> RunRecord:
        given = {
            "run_id": new_id(),
            "pool_id": POOL,
            "scene": "PRE_REGISTER",
            "verdict": "continue",
            "reason": "ok",
            "request_id": "request",
            "started_at": 1_700_000_000.25,
            "duration": 1.5,
        }
        return RunRecord(**(given | fields))

    return make


def step(function_id: str = "f", **fields: Any) -> Invocation:
    return Invocation(**({"function_id": function_id, "name": "a function", "revision": 1} | fields))


FULL_STEP = step(
    outcome=Outcome.THREW,
    skipped=True,
    duration=2.25,
    message="boom",
    detail="at line 1",
    logs=[[{"a": 1}, "企业"], []],
    console=[{"level": "warn", "args": ["x"]}],
    warnings=["odd"],
)


async def test_a_run_comes_back_as_it_was_recorded(runs: Runs, record: Any) -> None:
    made = record(
        verdict="deny",
        reason="failed",
        message="Custom code failed",
        user_id="u",
        app_id="a",
        origin="debug",
        steps=[step("g"), FULL_STEP, step("g", revision=2)],
        snapshot=b'{"user":{},"context":{}}',
    )
    await runs.add([made])
    assert await runs.get(pool_id=POOL, run_id=made.run_id) == made


async def test_a_run_without_functions_is_kept_too(runs: Runs, record: Any) -> None:
    made = record()
    await runs.add([made])
    assert await runs.get(pool_id=POOL, run_id=made.run_id) == made
    assert await runs.list(pool_id=POOL, limit=9) == [made]


async def test_runs_are_listed_newest_first_page_by_page(runs: Runs, record: Any) -> None:
    made = [record(scene=scene, steps=[step()]) for scene in ("PRE_REGISTER", "POST_REGISTER") * 3]
    await runs.add(made)
    newest = made[::-1]
    assert await runs.list(pool_id=POOL, limit=4) == newest[:4]
    assert await runs.list(pool_id=POOL, limit=4, before=newest[3].run_id) == newest[4:]
    assert await runs.list(pool_id=POOL, limit=9, scene=Scene.POST_REGISTER) == newest[::2]


async def test_a_list_leaves_out_what_functions_wrote(runs: Runs, record: Any) -> None:
    await runs.add([record(steps=[FULL_STEP], snapshot=b"{}")])
    (listed,) = await runs.list(pool_id=POOL, limit=9)
    assert (listed.steps[0].logs, listed.steps[0].console, listed.steps[0].warnings) == ([], [], [])
    assert (listed.steps[0].detail, listed.snapshot) == (None, None)
    assert (listed.steps[0].outcome, listed.steps[0].message) == (Outcome.THREW, "boom")


async def test_the_log_of_a_function_is_paged_newest_first(runs: Runs, record: Any) -> None:
    made = [record(steps=[step("other"), step("mine", revision=number)]) for number in range(1, 8)]
    await runs.add(made)
    total, page = await runs.invocations(pool_id=POOL, function_id="mine", page=2, limit=3)
    assert total == 7
    assert [(run.run_id, each.revision) for run, each in page] == [
        (made[index].run_id, index + 1) for index in (3, 2, 1)
    ]
    assert await runs.invocations(pool_id=POOL, function_id="mine", page=4, limit=3) == (7, [])
    assert await runs.invocations(pool_id=POOL, function_id="unknown", page=1, limit=3) == (0, [])


async def test_what_functions_say_cannot_spoil_the_batch(runs: Runs, record: Any) -> None:
    """NUL and halves of surrogate pairs are legal in JavaScript and in neither database's text."""
    hostile = step(
        message="a\0b\ud800c", detail="\0", logs=[["\ud800\0", 2**70]], console=[{"level": "log", "args": ["\udfff"]}]
    )
    made = [record(), record(steps=[hostile], request_id="\0", user_id="\ud800"), record(message="m\0")]
    await runs.add(made)
    assert len(await runs.list(pool_id=POOL, limit=9)) == 3
    found = await runs.get(pool_id=POOL, run_id=made[1].run_id)
    assert found.steps[0].message == "a\ufffdb?c"
    assert found.steps[0].logs == [["\ud800\0", 2**70]]
    assert (found.request_id, found.user_id) == ("\ufffd", "?")


async def test_a_batch_is_stored_as_a_whole_or_not_at_all(runs: Runs, record: Any) -> None:
    made = record()
    with pytest.raises(IntegrityError):
        await runs.add([made, record(), made])
    assert await runs.list(pool_id=POOL, limit=9) == []


async def test_an_empty_batch_is_fine(runs: Runs) -> None:
    await runs.add([])
    assert await runs.list(pool_id=POOL, limit=9) == []


async def test_a_snapshot_is_sealed_for_its_run(database: Database, runs: Runs, record: Any) -> None:
    first, second = [record(snapshot=b'{"user":{"email":"private@example.com"}}') for _ in range(2)]
    await runs.add([first, second])
    async with database.write(database.logs) as connection:
        rows = (await connection.execute(text("SELECT sealed_snapshot FROM run_snapshots"))).scalars().all()
        assert all(b"private" not in bytes(row) for row in rows)
        await connection.execute(
            text("UPDATE run_snapshots SET sealed_snapshot = :other WHERE run_id = :run"),
            {"other": rows[0], "run": second.run_id},
        )
        await connection.execute(
            text("UPDATE run_snapshots SET sealed_snapshot = :other WHERE run_id = :run"),
            {"other": rows[1], "run": first.run_id},
        )
    with pytest.raises(SealBroken):
        await runs.get(pool_id=POOL, run_id=first.run_id)


async def test_another_pools_runs_are_not_found(runs: Runs, record: Any) -> None:
    foreign = record(pool_id="b" * 24, steps=[step()])
    await runs.add([foreign])
    with pytest.raises(NotFound):
        await runs.get(pool_id=POOL, run_id=foreign.run_id)
    assert await runs.list(pool_id=POOL, limit=9) == []
    assert await runs.invocations(pool_id=POOL, function_id="f", page=1, limit=9) == (0, [])


async def test_deleting_a_pools_runs_leaves_the_others(database: Database, runs: Runs, record: Any) -> None:
    kept = record(pool_id="b" * 24, steps=[step()], snapshot=b"{}")
    await runs.add([kept, record(steps=[step()], snapshot=b"{}")])
    await runs.delete_pool(pool_id=POOL)
    async with database.read(database.logs) as connection:
        for table in ("runs", "invocations", "run_snapshots"):
            owners = (await connection.execute(text(f"SELECT pool_id FROM {table}"))).scalars().all()
            assert owners == ["b" * 24], table
