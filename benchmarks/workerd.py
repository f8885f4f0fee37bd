"""The same function on workerd, as the measure of speed over HTTP."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import load
import served
import workload

_START_SECONDS = 30

#: what carries `pipe` there: event in, user and context out
_CARRIER = """
const call = (user, context) => new Promise((resolve, reject) => {
  pipe(user, context, (error, u, c) => (error ? reject(error) : resolve({ user: u, context: c })));
});
export default {
  async fetch(request) {
    const { user, context } = await request.json();
    return Response.json(await call(user, context));
  },
};
"""

_CONFIG = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "pipe", worker = .pipe)],
  sockets = [(name = "http", address = "127.0.0.1:%d", http = (), service = "pipe")],
);
const pipe :Workerd.Worker = (
  modules = [(name = "pipe.js", esModule = embed "pipe.js")],
  compatibilityDate = "2025-06-01",
);
"""


@contextlib.contextmanager
def serving(binary: str) -> Iterator[load.Request]:
    """Start workerd with the one-function pipeline; the request to send it."""
    (template,) = workload.TEMPLATES[workload.ONE]
    event = json.dumps({"user": workload.USER, "context": workload.CONTEXT}).encode()
    with tempfile.TemporaryDirectory(prefix="authpipe-bench-") as folder:
        port = _free_port()
        Path(folder, "pipe.js").write_text(workload.source(template) + _CARRIER, encoding="utf-8")
        Path(folder, "config.capnp").write_text(_CONFIG % port, encoding="utf-8")
        process = subprocess.Popen([binary, "serve", str(Path(folder, "config.capnp"))])
        try:
            request = load.Request(url=f"http://127.0.0.1:{port}/", body=event)
            _wait_until_right(process, request)
            yield request
        finally:
            served.stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_right(process: subprocess.Popen[bytes], request: load.Request) -> None:
    end = time.monotonic() + _START_SECONDS
    with httpx.Client(trust_env=False, timeout=5) as client:
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(httpx.ConnectError):
                answer = client.post(request.url, content=request.body, headers=request.headers)
                if answer.status_code != 200 or answer.json()["user"] != workload.USER:
                    raise workload.WentWrong(f"workerd answered {answer.status_code} {answer.text[:200]}")
                return
            time.sleep(0.05)
    raise workload.WentWrong("workerd did not start")
