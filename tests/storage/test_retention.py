"""Deletion of run records by age and number, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from authpipe.ids import id_maker
from authpipe.model import Invocation
from authpipe.storage import retention
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.runs import RunRecord, Runs

DAY = 86_400
NOW = 1_800_000_000.0


@pytest.fixture
def runs(database: Database, cipher: Cipher) -> Runs:
    return Runs(database, cipher)


@pytest.fixture
def made_at(runs: Runs) -> Any:
    """Stores a run of `pool_id` made at `seconds`, with two steps and a snapshot; its id."""
    times: list[float] = [0.0]
    new_id = id_maker(lambda: times[0])

    async def make(pool_id: str, seconds: float, count: int = 1) -> list[str]:
        times[0] = seconds
        records = [
            RunRecord(
                run_id=new_id(),
                pool_id=pool_id,
                scene="PRE_REGISTER",
                verdict="continue",
                reason="ok",
                request_id="r",
                started_at=seconds,
                duration=1.0,
                steps=[Invocation(function_id=name, name="n", revision=1) for name in ("f", "g")],
                snapshot=b"{}",
            )
            for _ in range(count)
        ]
        await runs.add(records)
        return [record.run_id for record in records]

    return make


async def rows(database: Database) -> tuple[int, ...]:
    async with database.read(database.logs) as connection:
        return tuple(
            [
                (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
                for table in ("runs", "run_snapshots", "invocations")
            ]
        )


async def ids(runs: Runs, pool_id: str) -> list[str]:
    return [record.run_id for record in await runs.list(pool_id=pool_id, limit=100)][::-1]


async def test_old_runs_go_with_their_steps_and_snapshots(database: Database, runs: Runs, made_at: Any) -> None:
    await made_at("a", NOW - 31 * DAY)
    await made_at("b", NOW - 30 * DAY - 1, 2)
    kept_a, kept_b = await made_at("a", NOW - 30 * DAY), await made_at("b", NOW - 1)
    assert await runs.prune(now=NOW, retention_days=30, retention_runs=100) == 3
    assert (await ids(runs, "a"), await ids(runs, "b")) == (kept_a, kept_b)
    assert await rows(database) == (2, 2, 4)


async def test_each_pool_keeps_its_newest_runs(database: Database, runs: Runs, made_at: Any) -> None:
    made = await made_at("a", NOW, 7)
    few = await made_at("b", NOW, 3)
    assert await runs.prune(now=NOW, retention_days=30, retention_runs=3) == 4
    assert (await ids(runs, "a"), await ids(runs, "b")) == (made[4:], few)
    assert await rows(database) == (6, 6, 12)


async def test_nothing_due_deletes_nothing(runs: Runs, made_at: Any) -> None:
    assert await runs.prune(now=NOW, retention_days=30, retention_runs=3) == 0
    await made_at("a", NOW, 3)
    assert await runs.prune(now=NOW, retention_days=30, retention_runs=3) == 0


async def test_many_are_deleted_a_lot_at_a_time(
    database: Database, runs: Runs, made_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 4)
    made = await made_at("a", NOW, 11)
    assert await runs.prune(now=NOW, retention_days=30, retention_runs=1) == 10
    assert await ids(runs, "a") == made[-1:]
    assert await rows(database) == (1, 1, 2)


async def test_keeping_none_deletes_all(database: Database, runs: Runs, made_at: Any) -> None:
    await made_at("a", NOW, 2)
    assert await runs.prune(now=NOW, retention_days=30, retention_runs=0) == 2
    assert await rows(database) == (0, 0, 0)
