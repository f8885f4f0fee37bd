"""A real `authpipe serve` in its own process, with user pools made by command line and HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import load
import workload

from authpipe.model import Scene

_AUTHPIPE = Path(sys.executable).with_name("authpipe")
_STOP_SECONDS = 30


@dataclass(frozen=True)
class Served:
    """A running server at default settings."""

    url: str
    data_dir: Path

    def create_pool(self, **settings: Any) -> str:
        """A new user pool with the workload's functions and environment; a management token of it."""
        command = [str(_AUTHPIPE), "pool", "create", "bench", "--json", "--data-dir", str(self.data_dir)]
        made = json.loads(subprocess.run(command, check=True, capture_output=True, env=_environment()).stdout)
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            keys = {name: made[name] for name in ("accessKeyId", "accessKeySecret")}
            token = str(_call(client, "POST", "/api/v1/token", keys)["access_token"])
            client.headers["authorization"] = f"Bearer {token}"
            _call(client, "PATCH", "/api/v1/settings", settings)
            for key, (value, secret) in workload.ENVIRONMENT.items():
                _call(client, "PUT", "/api/v1/env", {"key": key, "value": value, "secret": secret})
            for scene, templates in workload.TEMPLATES.items():
                for name in templates:
                    draft = {"funcName": name, "scene": str(scene), "sourceCode": workload.source(name)}
                    _call(client, "POST", "/api/v3/create-pipeline-function", draft)
        return token

    def request(self, scene: Scene, token: str) -> load.Request:
        """A run of the scene; it was sent once and the flow went on."""
        event = {"scene": str(scene), "user": workload.USER, "context": workload.CONTEXT}
        request = load.Request(url=f"{self.url}/api/v1/run", body=json.dumps(event).encode(), token=token)
        with httpx.Client(trust_env=False, timeout=60) as client:
            answer = client.post(request.url, content=request.body, headers=request.headers).json()
        outcomes = [step["outcome"] for step in answer.get("steps", [])]
        if answer.get("verdict") != "continue" or outcomes != ["ok"] * len(workload.TEMPLATES[scene]):
            raise workload.WentWrong(f"the server answered {answer}")
        return request


@contextlib.contextmanager
def serving() -> Iterator[Served]:
    """Start a server on a free port with data in a folder of its own; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="authpipe-bench-") as folder:
        data_dir = Path(folder) / "data"
        command = [str(_AUTHPIPE), "serve", "--port", "0", "--json", "--data-dir", str(data_dir)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=_environment(), start_new_session=True)
        try:
            assert process.stdout is not None
            greeting = json.loads(b"".join(iter(process.stdout.readline, b"}\n")) + b"}")
            yield Served(greeting["url"], data_dir)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server of ours, kindly first."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _environment() -> dict[str, str]:
    """Ours without any setting of authpipe: defaults are what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AUTHPIPE_")}


def _call(client: httpx.Client, method: str, path: str, body: dict[str, Any]) -> Any:
    answer = client.request(method, path, json=body).json()
    if answer.get("statusCode") != 200 or (answer.get("data") or {}).get("status") == "failed":
        raise workload.WentWrong(f"{method} {path}: {answer}")
    return answer["data"]
