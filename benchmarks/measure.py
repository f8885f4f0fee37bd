"""Figures, the budgets they are held against, and how many samples a full or a quick run takes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much work each question is given."""

    quick: bool
    #: runs whose latency is taken one by one
    runs: int
    #: repetitions of a measurement of throughput
    rounds: int
    #: length of one load over HTTP, seconds
    seconds: int
    #: user pools that have their first run
    first_runs: int
    #: user pools warm at once
    warm_pools: int
    #: user pools stored, from few to many
    stored_pools: tuple[int, int, int]
    #: run records stored in the larger database
    stored_runs: int


FULL = Scale(
    quick=False,
    runs=5000,
    rounds=3,
    seconds=3,
    first_runs=60,
    warm_pools=200,
    stored_pools=(10, 100, 1000),
    stored_runs=100_000,
)
QUICK = Scale(
    quick=True,
    runs=200,
    rounds=1,
    seconds=1,
    first_runs=3,
    warm_pools=6,
    stored_pools=(2, 4, 8),
    stored_runs=1000,
)


class Row(msgspec.Struct, kw_only=True):
    """One line of the result."""

    id: str
    question: str
    #: "ms", "MB", "runs/s" or "×"; empty for a count
    unit: str
    #: what `figure` is: "p50", "median of rounds", "mean" or "count"
    statistic: str
    #: held against the budget; None when it was not measured
    figure: float | None
    p99: float | None = None
    p999: float | None = None
    budget: float | None = None
    #: the budget is a floor, not a ceiling
    at_least: bool = False
    #: None without a figure or a budget
    met: bool | None = None
    samples: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        if self.figure is not None and self.budget is not None:
            self.met = self.figure >= self.budget if self.at_least else self.figure <= self.budget


def latency(id: str, question: str, seconds: Sequence[float], budget: float | None = None, note: str = "") -> Row:
    """A row of times, given in seconds and shown in ms; `budget` is in ms and for the p50."""
    return Row(
        id=id,
        question=question,
        unit="ms",
        statistic="p50",
        figure=percentile(seconds, 50) * 1000,
        p99=percentile(seconds, 99) * 1000 if len(seconds) >= 100 else None,
        p999=percentile(seconds, 99.9) * 1000 if len(seconds) >= 1000 else None,
        budget=budget,
        samples=len(seconds),
        note=note,
    )


def median_row(
    id: str, question: str, unit: str, rounds: Sequence[float], budget: float | None = None, *, at_least: bool = False
) -> Row:
    """A row whose figure is the median of some rounds."""
    return Row(
        id=id,
        question=question,
        unit=unit,
        statistic="median of rounds",
        figure=statistics.median(rounds),
        budget=budget,
        at_least=at_least,
        samples=len(rounds),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` per cent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]
