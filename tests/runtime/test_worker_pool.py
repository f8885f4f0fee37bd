"""Workers are shared out, bounded, replaced and ended as they should."""

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

from authpipe.errors import Overloaded
from authpipe.model import Outcome

OK = "function pipe(user, context, callback) { user.nickname = String(env.WHO); callback(null, user, context) }"
WAIT = "function pipe(user, context, callback) { setTimeout(() => callback(null, user, context), 300) }"
HELD = "function pipe(user, context, callback) { setTimeout(() => callback(null, user, context), 30000) }"
POOLS = [f"{number:024x}" for number in range(1, 9)]


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def test_spares_are_made_again(open_pool) -> None:
    async with open_pool(spares=2) as bench:
        await until(lambda: bench.workers.stats()["spare"] == 2)
        await bench.run(bench.program(OK, pool_id=POOLS[0]))
        await until(lambda: bench.workers.stats()["spare"] == 2 and bench.workers.stats()["idle"] == 1)


async def test_more_workers_are_started_while_runs_wait(bench) -> None:
    program = bench.program(WAIT)
    results = await asyncio.gather(*(bench.run(program) for _ in range(6)))
    assert [result.outcome for result in results] == [Outcome.OK] * 6
    assert bench.workers.stats()["idle"] > 1


async def test_the_ceiling_evicts_idle_workers_of_other_user_pools(open_pool) -> None:
    async with open_pool(spares=0, workers_maximum=2) as bench:
        for pool_id in POOLS[:4]:
            program = bench.program(OK, pool_id=pool_id, environment={"WHO": pool_id})
            result = await bench.run(program)
            assert msgspec.json.decode(result.user)["nickname"] == pool_id
            assert sum(bench.workers.stats().values()) <= 3


async def test_a_full_queue_refuses_and_nothing_was_done(open_pool) -> None:
    async with open_pool(workers_per_pool=1, queue_per_pool=2) as bench:
        program = bench.program(HELD, options={"timeout": 1})
        tasks = [asyncio.create_task(bench.run(program)) for _ in range(6)]
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(each, Overloaded) for each in ended) >= 3
        assert sum(not isinstance(each, Overloaded) for each in ended) >= 1


async def test_a_run_that_waits_too_long_is_refused(open_pool) -> None:
    async with open_pool(workers_per_pool=1, queue_seconds=0.2) as bench:
        program = bench.program(HELD, options={"timeout": 2})
        holding = asyncio.create_task(bench.run(program))
        await until(lambda: bench.workers.stats()["busy"] == 1)
        with pytest.raises(Overloaded):
            await bench.run(program)
        await holding


async def test_a_crowd_at_one_user_pool_does_not_starve_another(open_pool) -> None:
    async with open_pool(spares=0, workers_maximum=2) as bench:
        crowd = bench.program(WAIT, pool_id=POOLS[0])
        tasks = [asyncio.create_task(bench.run(crowd)) for _ in range(20)]
        await until(lambda: bench.workers.stats()["busy"] == 2)
        result = await bench.run(bench.program(OK, pool_id=POOLS[1]))
        assert result.outcome is Outcome.OK
        assert not all(task.done() for task in tasks)
        await asyncio.gather(*tasks)


async def test_a_new_generation_never_meets_an_old_worker(bench) -> None:
    for generation in (1, 2, 3):
        program = bench.program(OK, generation=generation, environment={"WHO": f"g{generation}"})
        bench.workers.drain(program.pool_id, generation)
        result = await bench.run(program)
        assert msgspec.json.decode(result.user)["nickname"] == f"g{generation}"


async def test_idle_workers_are_retired(open_pool) -> None:
    async with open_pool(spares=0, idle_seconds=0.1) as bench:
        await bench.run(bench.program(OK))
        await until(lambda: bench.workers.stats()["idle"] == 0)
        assert (await bench.run(bench.program(OK))).outcome is Outcome.OK


async def test_a_kill_takes_the_neighbours_only_where_a_worker_carries_several(bench) -> None:
    source = """function pipe(user, context, callback) {
        log(user.company)
        setTimeout(() => { if (user.company === 'spin') for (;;) {} ; callback(null, user, context) }, 200)
    }"""
    program = bench.program(source, runs_per_worker=4)
    runs = [bench.run(program, {"company": company}) for company in ("a", "b", "spin", "c")]
    results = await asyncio.gather(*runs)
    outcomes = [result.invocations[0].outcome for result in results]
    assert outcomes[2] is Outcome.TIMED_OUT
    assert set(outcomes) <= {Outcome.OK, Outcome.TIMED_OUT, Outcome.CRASHED}
    for company, result in zip(("a", "b", "spin", "c"), results, strict=True):
        assert result.invocations[0].logs == [[company]]


async def test_a_killed_worker_is_replaced(bench) -> None:
    program = bench.program(OK)
    await bench.run(program)
    pids = [worker.pid for worker in bench.workers._workers]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    results = await asyncio.gather(*(bench.run(program) for _ in range(8)))
    assert [result.outcome for result in results] == [Outcome.OK] * 8


async def test_stopping_leaves_no_process(open_pool) -> None:
    async with open_pool() as bench:
        await bench.run(bench.program(OK))
        pids = [worker.pid for worker in bench.workers._workers]
        assert len(pids) >= 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
