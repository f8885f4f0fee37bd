"""With many user pools warm at once, what does each worker weigh, and does every user pool get its own answer?"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import workload
from measure import Row, Scale, latency

from authpipe.app import Application
from authpipe.model import Scene

_SCENE = Scene.POST_AUTHENTICATION
_ANSWER = "async function pipe(user, context, callback) { user.nickname = env.WHO; callback(null, user, context) }"
_WITH_AXIOS = "const axios = require('axios'); const post = axios.post;\n" + _ANSWER
_ROUNDS = 5
_MEGABYTE = 1024 * 1024
_IN_FLIGHT = 8


def rows(scale: Scale) -> list[Row]:
    """Memory with and without axios, latency across all user pools, wrong answers."""
    plain = workload.execute(_warm(scale, _ANSWER))
    axios = workload.execute(_warm(scale, _WITH_AXIOS))
    many = f"{scale.warm_pools} user pools warm at once"
    wrong = sum(right is not True for right in plain.right + axios.right)
    return [
        _weight("memory", f"memory of a warm worker, {scale.warm_pools} workers", plain.megabytes, 12),
        _weight("memory_axios", f"the same with require('axios'), {scale.warm_pools} workers", axios.megabytes, 20),
        latency("warm_pools", f"{many}: one-function run, one at a time", plain.seconds),
        Row(
            id="warm_pools_wrong",
            question=f"{many}, {_IN_FLIGHT} in flight: answers that were not the user pool's own",
            unit="",
            statistic="count",
            figure=wrong,
            budget=0,
            samples=len(plain.right + axios.right),
        ),
    ]


class _Found:
    def __init__(self) -> None:
        self.megabytes: list[float] = []
        self.seconds: list[float] = []
        self.right: list[bool] = []


def _weight(id: str, question: str, megabytes: list[float], budget: float) -> Row:
    mean, count = statistics.fmean(megabytes), len(megabytes)
    note = "PSS, each after a run; 1 MB is 1,048,576 bytes"
    return Row(
        id=id, question=question, unit="MB", statistic="mean", figure=mean, budget=budget, samples=count, note=note
    )


async def _warm(scale: Scale, text: str) -> _Found:
    found = _Found()
    # No spares, so that every worker there is has had a run.
    async with workload.application(spares=0) as opened:
        pools = {}
        for number in range(scale.warm_pools):
            who = f"user-pool-{number:06}"
            pools[await workload.create_pool(opened, sources={_SCENE: (text,)}, environment={"WHO": (who, True)})] = who
        await workload.settle(opened)
        for pool_id, who in pools.items():
            found.right.append(await _is_right(opened, pool_id, who))
        if opened.workers.stats()["idle"] != scale.warm_pools:
            raise workload.WentWrong(f"not one warm worker a user pool: {opened.workers.stats()}")
        found.megabytes = _workers_megabytes(scale.warm_pools)
        for _ in range(_ROUNDS):
            found.seconds += [await workload.run(opened, pool_id, _SCENE) for pool_id in pools]
            found.right += await _all_at_once(opened, pools)
    return found


async def _is_right(opened: Application, pool_id: str, who: str) -> bool:
    user, context = dict(workload.USER), dict(workload.CONTEXT)
    verdict = await opened.engine.run(pool_id=pool_id, scene=_SCENE, user=user, context=context)
    return verdict.allowed and verdict.effects.profile == {"nickname": who}


async def _all_at_once(opened: Application, pools: dict[str, str]) -> list[bool]:
    allowed = asyncio.Semaphore(_IN_FLIGHT)

    async def one(pool_id: str, who: str) -> bool:
        async with allowed:
            return await _is_right(opened, pool_id, who)

    return await asyncio.gather(*(one(pool_id, who) for pool_id, who in pools.items()))


def _workers_megabytes(expected: int) -> list[float]:
    """Proportional set size of each worker, with whatever process wraps it, in MiB."""
    end = time.monotonic() + 5
    while True:
        workers = [worker for launcher in _children("self") for worker in _children(launcher)]
        if len(workers) == expected:
            return [sum(map(_pss, _family(worker))) / _MEGABYTE for worker in workers]
        if time.monotonic() > end:
            raise workload.WentWrong(f"{len(workers)} worker processes instead of {expected}")


def _family(process: str) -> Iterator[str]:
    yield process
    for child in _children(process):
        yield from _family(child)


def _children(process: str) -> list[str]:
    tasks = Path("/proc", process, "task").glob("*/children")
    return [child for task in tasks for child in task.read_text().split()]


def _pss(process: str) -> int:
    lines = Path("/proc", process, "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
