"""What Prometheus is told: runs, functions let through, durations, workers; never a user pool's name."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from authpipe.storage.runs import RunRecord

#: upper bounds of the duration histogram, seconds
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counts of one server. Counting is done on the path of every run, so it is plain addition; families are made
    when they are scraped. `workers` tells workers by state and, as `waiting`, runs that wait for one.
    """

    def __init__(self, workers: Callable[[], Mapping[str, int]], asynchronous_running: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._workers, self._asynchronous_running = workers, asynchronous_running
        self._runs: Counter[tuple[str, str, str]] = Counter()
        self._invocations: Counter[tuple[str, str]] = Counter()
        self._let_through: Counter[str] = Counter()
        #: scene → counts by bucket, the last one for what is above all bounds
        self._durations: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def observe(self, record: RunRecord) -> None:
        """Count a run."""
        scene, seconds = record.scene, record.duration / 1000
        self._runs[scene, record.reason, record.origin] += 1
        buckets = self._durations.get(scene)
        if buckets is None:
            buckets = self._durations[scene] = [0] * (len(_BUCKETS) + 1)
        buckets[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds[scene] = self._seconds.get(scene, 0.0) + seconds
        for step in record.steps:
            self._invocations[scene, step.outcome] += 1
            if step.skipped:
                self._let_through[scene] += 1

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry at each scrape."""
        yield _counter("authpipe_runs", "Runs by scene, reason and origin", ("scene", "reason", "origin"), self._runs)
        yield _counter("authpipe_invocations", "Functions called", ("scene", "outcome"), self._invocations)
        let_through = {(scene,): count for scene, count in self._let_through.items()}
        yield _counter("authpipe_let_through", "Functions the flow went on without", ("scene",), let_through)
        yield self._histogram()
        states = dict(self._workers())
        waiting = states.pop("waiting", 0)
        workers = GaugeMetricFamily("authpipe_workers", "Workers by state", labels=("state",))
        for state, count in states.items():
            workers.add_metric((state,), count)
        yield workers
        yield GaugeMetricFamily("authpipe_runs_waiting", "Runs waiting for a worker", value=waiting)
        running = self._asynchronous_running()
        yield GaugeMetricFamily("authpipe_asynchronous_running", "Asynchronous invocations being run", value=running)

    def _histogram(self) -> HistogramMetricFamily:
        family = HistogramMetricFamily("authpipe_run_seconds", "Time of a run", labels=("scene",))
        bounds = [*map(str, _BUCKETS), "+Inf"]
        for scene, counts in self._durations.items():
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric((scene,), buckets, sum_value=self._seconds[scene])
        return family


def _counter(name: str, help: str, labels: tuple[str, ...], counts: Mapping[Any, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, help, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family
