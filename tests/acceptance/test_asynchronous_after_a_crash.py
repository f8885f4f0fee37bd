"""An asynchronous invocation that was promised is run, even when the server is killed in the middle of it."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

CLI = Path(sys.executable).parent / "authpipe"
#: the lease of 15 s, and slack for a busy machine
_PATIENCE = 75.0
SLOW = """async function pipe(user, context, callback) {
  log('began')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  callback(null, user, context)
}"""


class Server:
    """`authpipe serve` in its own process, on one data folder across restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [CLI, "serve", "--port", str(self.port), "--data-dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self.is_ready)

    def is_ready(self) -> bool:
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.http.request(method, path, json=body).json()


def until(condition: Callable[[], Any]) -> Any:
    """What `condition` gives once it is true; fails when it takes too long."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {_PATIENCE} s in vain for {condition}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    command = [CLI, "pool", "create", "acme", "--json", "--data-dir", str(tmp_path)]
    key = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    made.http.auth = (key["accessKeyId"], key["accessKeySecret"])
    token = made.call("POST", "/api/v1/token", {name: key[name] for name in ("accessKeyId", "accessKeySecret")})
    made.http.auth = None
    made.http.headers["authorization"] = f"Bearer {token['data']['access_token']}"
    yield made
    made.http.close()
    assert made.stop() == 0


def _workers_of(pid: int) -> list[int]:
    """Every process below `pid`."""
    found, front = [], [pid]
    while front:
        parent = front.pop()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(stat.parent.name))
                front.append(found[-1])
    return found


def test_a_promised_invocation_survives_the_server_and_no_worker_does(server: Server) -> None:
    body = {"sourceCode": SLOW, "scene": "POST_REGISTER", "funcName": "slow", "isAsynchronous": True}
    function_id = server.call("POST", "/api/v3/create-pipeline-function", body)["data"]["funcId"]
    answer = server.call("POST", "/api/v1/run", {"scene": "POST_REGISTER", "user": {"id": "u1"}})
    assert answer["verdict"] == "continue" and answer["steps"] == []
    assert [queued["funcId"] for queued in answer["queued"]] == [function_id]
    assert server.process is not None
    below = _workers_of(server.process.pid)
    assert len(below) >= 2
    server.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    server.start()
    path = f"/api/v3/get-pipeline-logs?funcId={function_id}"
    entries = until(lambda: server.call("GET", path)["data"]["list"])
    assert entries[0]["outcome"] == "ok"
    assert entries[0]["logs"] == [["began"]]
