"""How many runs a second does one process do with 8 of them in flight?"""

from __future__ import annotations

import asyncio
import time

import workload
from measure import Row, Scale, latency, median_row

from authpipe.app import Application

_IN_FLIGHT = 8


def rows(scale: Scale) -> list[Row]:
    """The rate, and how long each run took under that load."""
    return workload.execute(_rows(scale))


async def _rows(scale: Scale) -> list[Row]:
    rates, taken = [], []
    async with workload.application() as opened:
        pool_id = await workload.create_pool(opened)
        await workload.settle(opened)
        await _round(opened, pool_id, scale.runs)
        for _ in range(scale.rounds):
            started = time.perf_counter()
            taken += await _round(opened, pool_id, scale.runs)
            rates.append(scale.runs // _IN_FLIGHT * _IN_FLIGHT / (time.perf_counter() - started))
        workers = sum(opened.workers.stats()[state] for state in ("idle", "busy", "settling"))
        await opened.recorder.flush()
        if opened.recorder.dropped:
            raise workload.WentWrong(f"{opened.recorder.dropped} run records were lost")
    question = f"one-function runs in process, {_IN_FLIGHT} in flight"
    rate = median_row("throughput", question, "runs/s", rates, 10_000, at_least=True)
    rate.note = f"{workers} workers, as many as the default settings start"
    return [rate, latency("throughput_latency", f"{question}: each", taken)]


async def _round(opened: Application, pool_id: str, runs: int) -> list[float]:
    async def one_after_another() -> list[float]:
        return [await workload.run(opened, pool_id, workload.ONE) for _ in range(runs // _IN_FLIGHT)]

    lists = await asyncio.gather(*(one_after_another() for _ in range(_IN_FLIGHT)))
    return [seconds for each in lists for seconds in each]
