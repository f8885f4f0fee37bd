"""The published wheel does the main job in a fresh environment: command line, server, Python program."""

import json
import os
import signal
import subprocess
import textwrap
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.slow

WHITELIST = """
async function pipe(user, context, callback) {
  const { email } = context.request.body;
  if (!email.endsWith("@example.com")) return callback(new Error("Access denied."));
  user.nickname = require("lodash").upperFirst("ada");
  callback(null, user, context);
}
"""


def _event(email: str) -> dict[str, Any]:
    return {"request": {"body": {"email": email}}}


def _program(installed: Path, *words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    command = [str(installed / "authpipe"), *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_the_wheel_carries_bundles_templates_and_the_worker_program(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    needed = {f"authpipe/packages/bundles/{name}.js" for name in ("axios", "lodash", "acorn")}
    needed |= {"authpipe/runtime/worker/main.js", "authpipe/catalogue/templates/email-domain-whitelist.js"}
    assert needed - names == set()
    assert any(name.startswith("authpipe/storage/migrations/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith(("tests/", "authpipe/node_modules")) for name in names)


@pytest.mark.parametrize(("email", "code"), [("ada@example.com", 0), ("eve@elsewhere.net", 3)])
def test_a_function_is_tried_offline(installed: Path, tmp_path: Path, email: str, code: int) -> None:
    (tmp_path / "f.js").write_text(WHITELIST)
    (tmp_path / "c.json").write_text(json.dumps(_event(email)))
    done = _program(installed, "test", "f.js", "--scene", "PRE_REGISTER", "--context", "c.json", folder=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr


def test_doctor_finds_a_fresh_installation_fit(installed: Path, tmp_path: Path) -> None:
    done = _program(installed, "doctor", "--data-dir", tmp_path / "data", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_python_program_runs_a_pipeline(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "f.js").write_text(WHITELIST)
    (tmp_path / "program.py").write_text(
        textwrap.dedent("""
        import asyncio, pathlib
        from authpipe import Pipelines, Scene

        async def main():
            async with Pipelines.open("sqlite+aiosqlite:///x.db") as pipelines:
                pool = await pipelines.create_user_pool("acme")
                made = await pipelines.deploy(pool.pool_id, Scene.PRE_REGISTER, "f", pathlib.Path("f.js").read_text())
                for email in ("ada@example.com", "eve@elsewhere.net"):
                    context = {"request": {"body": {"email": email}}}
                    verdict = await pipelines.run(pool.pool_id, Scene.PRE_REGISTER, context=context)
                    print(verdict.verdict, verdict.message, verdict.effects.profile.get("nickname"))

        asyncio.run(main())
        """)
    )
    done = subprocess.run(
        [installed / "python", "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == ["continue None Ada", "deny Access denied. None"], done.stderr


@dataclass(frozen=True)
class Served:
    """A running server of the installed wheel and a user pool's keys."""

    url: str
    keys: tuple[str, str]


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[Served]:
    """`authpipe serve` on a port of its own; its end is waited for and must be clean."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [str(installed / "authpipe"), "serve", "--port", "0", "--data-dir", str(tmp_path / "data")]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = next(word for line in process.stdout for word in line.split() if word.startswith("http://"))
        made = _program(installed, "pool", "create", "a", "--json", "--data-dir", tmp_path / "data", folder=tmp_path)
        pool = json.loads(made.stdout)
        yield Served(url.rstrip("/,.)"), (pool["accessKeyId"], pool["accessKeySecret"]))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_served_pipeline_allows_and_denies(served: Served) -> None:
    with httpx.Client(base_url=served.url, auth=served.keys, timeout=30, trust_env=False) as client:
        keys = dict(zip(("accessKeyId", "accessKeySecret"), served.keys, strict=True))
        token = client.post("/api/v1/token", json=keys).json()["data"]["access_token"]
        function = {"sourceCode": WHITELIST, "scene": "PRE_REGISTER", "funcName": "whitelist"}
        bearer = {"authorization": f"Bearer {token}"}
        made = client.post("/api/v3/create-pipeline-function", json=function, headers=bearer, auth=None).json()
        assert made["data"]["status"] == "success", made
        answers = [
            client.post("/api/v1/run", json={"scene": "PRE_REGISTER", "context": _event(email)}).json()
            for email in ("ada@example.com", "eve@elsewhere.net")
        ]
    assert [(a["verdict"], a["message"]) for a in answers] == [("continue", None), ("deny", "Access denied.")]
    assert answers[0]["effects"]["profile"] == {"nickname": "Ada"}
