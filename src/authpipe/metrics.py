"""What Prometheus is told: runs, functions let through, durations, workers, queue; never a user pool's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from authpipe.storage.runs import RunRecord

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of one server. `workers` is asked at each scrape."""

    def __init__(self, workers: Callable[[], Mapping[str, int]], waiting_invocations: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._workers, self._waiting = workers, waiting_invocations
        self._runs: dict[tuple[str, str, str], Counter] = {}
        self._functions: dict[tuple[str, str], Counter] = {}
        self._durations: dict[str, Histogram] = {}
        self._run_counter = Counter(
            "authpipe_runs", "Runs by scene, reason and origin", ["scene", "reason", "origin"], registry=self._registry
        )
        self._function_counter = Counter(
            "authpipe_invocations",
            "Functions called, by scene and outcome",
            ["scene", "outcome"],
            registry=self._registry,
        )
        self._let_through = Counter(
            "authpipe_let_through", "Functions the flow went on without", ["scene"], registry=self._registry
        )
        self._duration = Histogram(
            "authpipe_run_seconds", "Time of a run", ["scene"], buckets=_BUCKETS, registry=self._registry
        )
        self._worker_gauge = Gauge("authpipe_workers", "Workers by state", ["state"], registry=self._registry)
        self._waiting_gauge = Gauge("authpipe_runs_waiting", "Runs waiting for a worker", registry=self._registry)
        self._queue_gauge = Gauge(
            "authpipe_asynchronous_running", "Asynchronous invocations being run", registry=self._registry
        )

    def observe(self, record: RunRecord) -> None:
        """Count a run."""
        key = (record.scene, record.reason, record.origin)
        counter = self._runs.get(key)
        if counter is None:
            counter = self._runs[key] = self._run_counter.labels(*key)
            self._durations[record.scene] = self._duration.labels(record.scene)
        counter.inc()
        self._durations[record.scene].observe(record.duration / 1000)
        for step in record.steps:
            self._count(record.scene, step.outcome.value, step.skipped)

    def _count(self, scene: str, outcome: str, skipped: bool) -> None:
        counter = self._functions.get((scene, outcome))
        if counter is None:
            counter = self._functions[scene, outcome] = self._function_counter.labels(scene, outcome)
        counter.inc()
        if skipped:
            self._let_through.labels(scene).inc()

    def render(self) -> bytes:
        """The Prometheus text format."""
        for state, count in self._workers().items():
            if state == "waiting":
                self._waiting_gauge.set(count)
            else:
                self._worker_gauge.labels(state).set(count)
        self._queue_gauge.set(self._waiting())
        return generate_latest(self._registry)
