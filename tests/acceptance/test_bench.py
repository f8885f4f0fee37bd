"""The benchmark suite still runs and measures every row; how fast things are is not tested."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_PEER = {"workerd_p50", "workerd_p99", "workerd_rate", "workerd_rate_jit", "workerd_p99_many"}
HTTP = {f"http_{number}{what}" for number in ("one", "three") for what in ("", "_rate", "_many")}
ROWS = {
    *("one_function", "three_functions", "five_functions", "throughput", "throughput_latency"),
    *("first_run_spare", "first_run_started", "memory", "memory_axios", "warm_pools", "warm_pools_wrong"),
    *("pools_0", "pools_1", "pools_2", "pools_growth", "runs_0", "runs_1", "runs_growth"),
}


def _measured(folder: Path, *words: str) -> dict[str, Any]:
    output = folder / "result.json"
    command = [sys.executable, ROOT / "benchmarks/suite.py", "--quick", "--output", output, *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHPIPE_")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(output.read_bytes())
    return result


def test_every_row_is_measured(tmp_path: Path) -> None:
    rows = {row["id"]: row for row in _measured(tmp_path)["rows"]}
    assert rows.keys() == ROWS | HTTP | WITHOUT_PEER
    assert {id for id, row in rows.items() if row["figure"] is None} == WITHOUT_PEER
    assert rows["warm_pools_wrong"]["figure"] == 0
    assert all(row["figure"] > 0 for id, row in rows.items() if id not in WITHOUT_PEER | {"warm_pools_wrong"})


def test_http_is_measured_without_wrk(tmp_path: Path) -> None:
    result = _measured(tmp_path, "--no-wrk", "--only", "http_runs")
    assert result["machine"]["http_client"] == "plain sockets"
    assert {row["id"] for row in result["rows"] if row["figure"]} == HTTP
