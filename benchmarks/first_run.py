"""How long does the first run of a user pool take, with and without a blank worker waiting?"""

from __future__ import annotations

import asyncio

import workload
from measure import Row, Scale, latency

from authpipe.app import Application

_WARM_UP = 3


def rows(scale: Scale) -> list[Row]:
    """Two rows: a spare taken, a worker started."""
    return workload.execute(_rows(scale))


async def _rows(scale: Scale) -> list[Row]:
    note = "plan read from the database"
    spare = await _first_runs(scale.first_runs)
    planned = await _first_runs(scale.first_runs, plan_ready=True)
    started = await _first_runs(scale.first_runs, spares=0)
    return [
        latency("first_run_spare", "first run of a user pool, a spare waiting", spare, 3.0, note),
        latency("first_run_spare_planned", "the same, plan already in memory", planned),
        latency("first_run_started", "first run of a user pool, nothing waiting", started, 40.0, note),
    ]


async def _first_runs(count: int, *, plan_ready: bool = False, **changes: int) -> list[float]:
    async with workload.application(**changes) as opened:
        pools = [await workload.create_pool(opened) for _ in range(count + _WARM_UP)]
        taken = []
        for pool_id in pools:
            if plan_ready:
                await opened.engine._plans.get(pool_id=pool_id, scene=workload.ONE)
            await _calm(opened)
            taken.append(await workload.run(opened, pool_id, workload.ONE))
    return taken[_WARM_UP:]


async def _calm(opened: Application) -> None:
    """Return when the spares are ready and nothing is starting or running."""
    wanted = opened.settings.runtime.spares
    while (stats := opened.workers.stats())["spare"] != wanted or stats["starting"] or stats["busy"]:
        await asyncio.sleep(0.005)
    await opened.recorder.flush()
