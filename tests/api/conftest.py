"""A real server in its own process with user pools on it, and an API over a scripted engine."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from authpipe import settings
from authpipe.api.app import create_api
from authpipe.app import Application
from authpipe.cli.server import parts_of
from authpipe.control.user_pools import CreatedPool
from authpipe.model import Verdict

AUTHPIPE = Path(sys.executable).with_name("authpipe")
PASS = "async function pipe(user, context, callback) { callback(null, user, context) }"


@dataclasses.dataclass(frozen=True)
class Served:
    """`authpipe serve` in its own process."""

    url: str
    data_dir: Path
    log: Path


@dataclasses.dataclass(frozen=True)
class Tenant:
    """A user pool on the server, with clients that act for it."""

    pool_id: str
    secret: str
    token: str
    #: by bearer token
    client: httpx.Client

    def data(self, method: str, path: str, **options: Any) -> Any:
        """`data` of an answer that must be a success."""
        answer = self.client.request(method, path, **options).json()
        assert answer["statusCode"] == 200, answer
        return answer.get("data")

    def create(self, scene: str, source: str = PASS, name: str = "f", **options: Any) -> str:
        """The id of a new function that compiled."""
        draft = {"sourceCode": source, "scene": scene, "funcName": name, **options}
        made = self.data("POST", "/api/v3/create-pipeline-function", json=draft)
        assert made["status"] == "success", made
        return str(made["funcId"])

    def run(self, scene: str, **options: Any) -> dict[str, Any]:
        """The answer of a run that had a verdict."""
        response = self.client.post("/api/v1/run", json={"scene": scene, **options})
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests; it must end cleanly on SIGTERM."""
    folder = tmp_path_factory.mktemp("served")
    log = folder / "server.log"
    command = [AUTHPIPE, "serve", "--port", "0", "--data-dir", folder / "data", "--json"]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert process.stdout is not None
        greeting = json.loads(b"".join(iter(process.stdout.readline, b"}\n")) + b"}")
        yield Served(greeting["url"], folder / "data", log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def new_tenant(served: Served) -> Iterator[Callable[[], Tenant]]:
    """Makes user pools as `authpipe pool create` does: on the database, beside the running server."""
    made: list[Tenant] = []

    def make() -> Tenant:
        pool = asyncio.run(_create(served.data_dir))
        keys = {"accessKeyId": pool.access_key_id, "accessKeySecret": pool.access_key_secret}
        token = httpx.post(f"{served.url}/api/v1/token", json=keys, trust_env=False).json()["data"]["access_token"]
        client = httpx.Client(
            base_url=served.url, headers={"authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )
        made.append(Tenant(pool.user_pool.pool_id, pool.access_key_secret, token, client))
        return made[-1]

    yield make
    for tenant in made:
        tenant.client.close()


async def _create(data_dir: Path) -> CreatedPool:
    async with Application.open(settings.load({}, data_dir=data_dir), serving=False) as application:
        return await application.user_pools.create("tenant")


@pytest.fixture(scope="module")
def tenant(new_tenant: Callable[[], Tenant]) -> Tenant:
    """A user pool of this test file's own."""
    return new_tenant()


@pytest.fixture
def stranger(served: Served) -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(base_url=served.url, timeout=30, trust_env=False) as client:
        yield client


class ScriptedEngine:
    """Answers every run with `answer`, or raises it; keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Verdict | BaseException = RuntimeError("no script")
        self.asked: list[dict[str, Any]] = []

    async def run(self, **asked: Any) -> Verdict:
        self.asked.append(asked)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    debug = run


@dataclasses.dataclass(frozen=True)
class Scripted:
    """The API in process, real but for the engine."""

    engine: ScriptedEngine
    application: Application
    client: httpx.AsyncClient
    pool_id: str


@pytest.fixture
async def scripted(tmp_path: Path) -> Any:
    """The API over a scripted engine, with one user pool and its key as HTTP Basic."""
    engine: Any = ScriptedEngine()
    async with Application.open(settings.load({}, data_dir=tmp_path), serving=False) as application:
        pool = await application.user_pools.create("scripted")
        parts = dataclasses.replace(parts_of(application), engine=engine)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=create_api(parts)),  # type: ignore[arg-type]
            base_url="http://authpipe",
            auth=(pool.access_key_id, pool.access_key_secret),
        ) as client:
            yield Scripted(engine, application, client, pool.user_pool.pool_id)
