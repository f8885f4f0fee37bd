"""How long does the first run of a user pool take, with and without a blank worker waiting?"""

from __future__ import annotations

import asyncio

import workload
from measure import Row, Scale, latency

from authpipe.app import Application

_WARM_UP = 3
_CALM_SECONDS = 30


def rows(scale: Scale) -> list[Row]:
    """Two rows: a spare taken, a worker started."""
    return workload.execute(_rows(scale))


async def _rows(scale: Scale) -> list[Row]:
    note = "plan read from the database"
    spare = await _first_runs(scale.first_runs)
    started = await _first_runs(scale.first_runs, spares=0)
    return [
        latency("first_run_spare", "first run of a user pool, a spare waiting", spare, 3.0, note),
        latency("first_run_started", "first run of a user pool, nothing waiting", started, 40.0, note),
    ]


async def _first_runs(count: int, **changes: int) -> list[float]:
    async with workload.application(**changes) as opened:
        pools = [await workload.create_pool(opened) for _ in range(count + _WARM_UP)]
        await workload.settle(opened)
        taken = []
        for pool_id in pools:
            await _calm(opened)
            taken.append(await workload.run(opened, pool_id, workload.ONE))
    return taken[_WARM_UP:]


async def _calm(opened: Application) -> None:
    """Return when the spares are ready and nothing is starting or running."""
    await opened.recorder.flush()
    async with asyncio.timeout(_CALM_SECONDS):
        while not _is_calm(opened):
            await asyncio.sleep(0.005)


def _is_calm(opened: Application) -> bool:
    stats = opened.workers.stats()
    return stats["spare"] == opened.settings.runtime.spares and not stats["starting"] + stats["busy"]
