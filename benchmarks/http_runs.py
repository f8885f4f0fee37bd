"""How long does a run take over HTTP, how many a second are done, and how does that compare with workerd?"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable

import load
import workerd
import workload
from load import Load, Request
from measure import Row, Scale, median_row
from served import serving

_ONE, _MANY = 1, 32
#: variable that names the workerd binary
_BINARY = "AUTHPIPE_BENCH_WORKERD"

Put = Callable[[Request, int], Load]
#: (id, question, which side's figure over which, budget, at least)
_RATIOS: tuple[tuple[str, str, float, bool, Callable[[dict[str, Load]], float]], ...] = (
    ("workerd_p50", "p50 over workerd's, one connection", 1.5, False, lambda r: r["one"].p50 / r["w_one"].p50),
    ("workerd_p99", "p99 over workerd's, one connection", 2.0, False, lambda r: r["one"].p99 / r["w_one"].p99),
    ("workerd_rate", "runs/s over workerd's, 32 connections", 1.0, True, lambda r: r["many"].rate / r["w_many"].rate),
    ("workerd_rate_jit", "the same with jit", 1.2, True, lambda r: r["jit"].rate / r["w_many"].rate),
    ("workerd_p99_many", "p99 over workerd's, 32 connections", 1.0, False, lambda r: r["many"].p99 / r["w_many"].p99),
)


def rows(scale: Scale, *, wrk: bool) -> list[Row]:
    """Latency and rate of pipelines over HTTP; ratios when a workerd is given."""

    def put(request: Request, connections: int) -> Load:
        return load.put(request, connections=connections, seconds=scale.seconds, wrk=wrk)

    with serving() as server:
        token = server.create_pool()
        one, three = server.request(workload.ONE, token), server.request(workload.THREE, token)
        put(one, _MANY)
        found = [*_absolute(scale, put, one, "one"), *_absolute(scale, put, three, "three")]
        binary = os.environ.get(_BINARY)
        if not binary:
            return found + [_unmeasured(ratio[0], ratio[1]) for ratio in _RATIOS]
        jit = server.request(workload.ONE, server.create_pool(jit=True))
        with workerd.serving(binary) as theirs:
            # In turns, so that what else the machine does falls on both.
            sides = {"one": (one, _ONE), "w_one": (theirs, _ONE)}
            sides |= {"many": (one, _MANY), "w_many": (theirs, _MANY), "jit": (jit, _MANY)}
            put(jit, _MANY)
            put(theirs, _MANY)
            rounds = [{side: put(*asked) for side, asked in sides.items()} for _ in range(scale.rounds)]
    return found + _compared(rounds)


def _absolute(scale: Scale, put: Put, request: Request, number: str) -> list[Row]:
    single = [put(request, _ONE) for _ in range(scale.rounds)]
    crowd = [put(request, _MANY) for _ in range(scale.rounds)]
    question = f"{number}-function run over HTTP, "
    rate = median_row(f"http_{number}_rate", f"{question}{_MANY} connections", "runs/s", [each.rate for each in crowd])
    return [
        _times(f"http_{number}", f"{question}one connection", single),
        rate,
        _times(f"http_{number}_many", f"{question}{_MANY} connections: each", crowd),
    ]


def _times(id: str, question: str, rounds: list[Load]) -> Row:
    """Percentiles of every round, their medians."""
    return Row(
        id=id,
        question=question,
        unit="ms",
        statistic="p50",
        figure=statistics.median(each.p50 for each in rounds) * 1000,
        p99=statistics.median(each.p99 for each in rounds) * 1000,
        p999=statistics.median(each.p999 for each in rounds) * 1000,
        samples=sum(each.count for each in rounds),
        note=f"medians of {len(rounds)} rounds",
    )


def _compared(rounds: list[dict[str, Load]]) -> list[Row]:
    return [
        median_row(id, question, "×", [ratio(each) for each in rounds], budget, at_least=at_least)
        for id, question, budget, at_least, ratio in _RATIOS
    ]


def _unmeasured(id: str, question: str) -> Row:
    note = f"not measured: {_BINARY} does not name a workerd binary"
    return Row(id=id, question=question, unit="×", statistic="median of rounds", figure=None, note=note)
