"""Does a run cost more when the server holds more user pools, or more stored runs?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import workload
from measure import Row, Scale, latency, percentile

from authpipe.app import Application
from authpipe.ids import id_maker
from authpipe.model import Invocation
from authpipe.storage.cipher import load_or_create
from authpipe.storage.runs import RunRecord, Runs

#: user pools that take turns, whatever the number stored
_TURNS = 10
_BATCH = 5000
_SLICES = 20
#: how much slower the fullest server may be before we call it growth; less is noise
_GROWTH = 1.15


@dataclass
class _Server:
    opened: Application
    #: those that take turns
    pools: list[str]
    taken: list[float] = field(default_factory=list)


def rows(scale: Scale) -> list[Row]:
    """A row a number of user pools and a number of stored runs, and the ratio of fullest to emptiest."""
    return workload.execute(_pools(scale)) + workload.execute(_stored(scale))


async def _pools(scale: Scale) -> list[Row]:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(_with_pools(count)) for count in scale.stored_pools]
        await _measure(servers, scale)
    question = "three-function run with {:,} user pools"
    return _found("pools", question, scale.stored_pools, servers)


async def _stored(scale: Scale) -> list[Row]:
    counts = (0, scale.stored_runs)
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(_with_runs(count)) for count in counts]
        await _measure(servers, scale)
    return _found("runs", "three-function run with {:,} stored runs of its user pool", counts, servers)


async def _measure(servers: list[_Server], scale: Scale) -> None:
    """Take turns in short slices: what else the machine does then falls on all alike."""
    for number in range(_SLICES + 1):
        for server in servers:
            for turn in range(max(_TURNS, scale.runs // _SLICES)):
                pool_id = server.pools[turn % len(server.pools)]
                taken = await workload.run(server.opened, pool_id, workload.THREE)
                if number:
                    server.taken.append(taken)
            await server.opened.recorder.flush()


def _found(name: str, question: str, counts: tuple[int, ...], servers: list[_Server]) -> list[Row]:
    found = [
        latency(f"{name}_{place}", question.format(count), server.taken)
        for place, (count, server) in enumerate(zip(counts, servers, strict=True))
    ]
    ratio = Row(
        id=f"{name}_growth",
        question=f"p50 at {counts[-1]:,} over p50 at {counts[0]:,}",
        unit="×",
        statistic="ratio of p50s",
        figure=percentile(servers[-1].taken, 50) / percentile(servers[0].taken, 50),
        budget=_GROWTH,
        samples=len(servers[-1].taken),
    )
    return [*found, ratio]


@asynccontextmanager
async def _with_pools(count: int) -> AsyncIterator[_Server]:
    async with workload.application() as opened:
        sources = {workload.THREE: tuple(map(workload.source, workload.TEMPLATES[workload.THREE]))}
        pools = [await workload.create_pool(opened, sources=sources) for _ in range(count)]
        for pool_id in pools:
            # A scene without functions needs no worker, but its plan is kept like any other.
            await workload.run(opened, pool_id, workload.ONE)
        await workload.settle(opened)
        yield _Server(opened, pools[:_TURNS])


@asynccontextmanager
async def _with_runs(count: int) -> AsyncIterator[_Server]:
    async with workload.application() as opened:
        pool_id = await workload.create_pool(opened)
        cipher = load_or_create(opened.settings.storage.data_dir / "server.key")
        runs, new_id = Runs(opened.database, cipher), id_maker()
        records = [_record(pool_id, new_id()) for _ in range(count)]
        for first in range(0, count, _BATCH):
            await runs.add(records[first : first + _BATCH])
        await workload.settle(opened)
        yield _Server(opened, [pool_id])


def _record(pool_id: str, run_id: str) -> RunRecord:
    names = workload.TEMPLATES[workload.THREE]
    return RunRecord(
        run_id=run_id,
        pool_id=pool_id,
        scene=str(workload.THREE),
        verdict="continue",
        reason="ok",
        request_id=run_id,
        started_at=int(run_id[:8], 16),
        duration=0.2,
        steps=[Invocation(function_id=f"{place:024}", name=name, revision=1) for place, name in enumerate(names)],
    )
