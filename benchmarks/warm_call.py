"""How long does a run take in process, on a warm worker, one at a time?"""

from __future__ import annotations

import workload
from measure import Row, Scale, latency

from authpipe.model import Scene

#: scene → what its row is called and its budget, ms
_ASKED: dict[Scene, tuple[str, str, float | None]] = {
    workload.ONE: ("one_function", "one-function run in process, one at a time", 0.2),
    workload.THREE: ("three_functions", "three-function run in process, one at a time", None),
    workload.FIVE: ("five_functions", "five-function run in process, one at a time", 0.3),
}
_WARM_UP = 200


def rows(scale: Scale) -> list[Row]:
    """One row a pipeline."""
    return workload.execute(_rows(scale))


async def _rows(scale: Scale) -> list[Row]:
    found = []
    async with workload.application() as opened:
        pool_id = await workload.create_pool(opened)
        await workload.settle(opened)
        for scene, (name, question, budget) in _ASKED.items():
            for _ in range(_WARM_UP):
                await workload.run(opened, pool_id, scene)
            taken = [await workload.run(opened, pool_id, scene) for _ in range(scale.runs)]
            found.append(latency(name, question, taken, budget))
    return found
