"""Shows the main job on an empty database: deploys catalogue functions, runs scenes over HTTP, checks every answer."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich import box
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / ".demo"
AUTHPIPE = Path(sys.executable).parent / "authpipe"
POOL_NAME = "demo"
START_SECONDS = 60
STOP_SECONDS = 20

#: template → the scene it is deployed to, in pipeline order
DEPLOYED = {
    "email-domain-whitelist": "PRE_REGISTER",
    "change-default-avatar": "POST_REGISTER",
    "persist-metadata": "POST_REGISTER",
    "check-user-info-username": "PRE_COMPLETE_USER_INFO",
    "force-email-verified": "PRE_AUTHENTICATION",
    "add-custom-idtoken": "PRE_OIDC_ID_TOKEN_ISSUED",
    "add-custom-accesstoken": "PRE_OIDC_ACCESS_TOKEN_ISSUED",
}

Answer = dict[str, Any]


class DemoFailed(Exception):
    """Something did not come out as it should; the text says what."""


@dataclass(frozen=True)
class Case:
    """One event of the identity flow and what its answer must be."""

    title: str
    scene: str
    user: Answer | None
    body: Answer
    expected: str
    right: Callable[[Answer], bool]


def denied(message: str) -> Callable[[Answer], bool]:
    """The flow is stopped with exactly this message."""
    return lambda answer: answer["verdict"] == "deny" and answer["message"] == message


def allowed(where: str = "", key: str = "", value: object = None) -> Callable[[Answer], bool]:
    """The flow goes on; with `where`, that effect sets `key` (to `value`, when one is given)."""

    def right(answer: Answer) -> bool:
        if answer["verdict"] != "continue" or not where:
            return answer["verdict"] == "continue"
        found = effects(answer).get(f"{where}.{key}")
        return found is not None and value in (None, found)

    return right


def effects(answer: Answer) -> dict[str, Any]:
    """What the identity host is asked to do, flat: "idToken.KEY" → value."""
    flat: dict[str, Any] = {}
    for where, changes in answer["effects"].items():
        named = changes["set"] if "set" in changes and "remove" in changes else changes
        flat |= {f"{where}.{key}": value for key, value in named.items()}
    return flat


ADA = {"id": "ada", "email": "ada@example.com", "username": "ada", "emailVerified": True}
BOB = {"id": "bob", "email": "bob@example.com", "username": "bob", "emailVerified": False}

CASES = (
    Case("Ada registers", "PRE_REGISTER", {}, {"email": "ada@example.com"}, "allowed", allowed()),
    Case(
        "Mallory registers", "PRE_REGISTER", {}, {"email": "mallory@notexample.com"}, "denied", denied("Access denied.")
    ),
    Case(
        "Ada is registered",
        "POST_REGISTER",
        ADA,
        {},
        "field added",
        lambda answer: allowed("profile", "photo")(answer) and allowed("customData", "KEY1", "VALUE1")(answer),
    ),
    Case(
        "Carol leaves username empty",
        "PRE_COMPLETE_USER_INFO",
        {"id": "carol", "email": "carol@example.com"},
        {},
        "denied",
        denied("Username required."),
    ),
    Case("Ada signs in", "PRE_AUTHENTICATION", ADA, {"email": "ada@example.com"}, "allowed", allowed()),
    Case(
        "Bob signs in, unverified",
        "PRE_AUTHENTICATION",
        BOB,
        {"email": "bob@example.com"},
        "denied",
        denied("请先验证邮箱！"),
    ),
    Case(
        "Ada gets an ID token", "PRE_OIDC_ID_TOKEN_ISSUED", ADA, {}, "claim added", allowed("idToken", "KEY", "VALUE")
    ),
    Case(
        "Ada gets an access token",
        "PRE_OIDC_ACCESS_TOKEN_ISSUED",
        ADA,
        {},
        "claim added",
        allowed("accessToken", "KEY", "VALUE"),
    ),
)


def main() -> int:
    """Run the demo; 0 when every answer was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit when the table is printed")
    parser.add_argument("--port", type=int, default=8090, help="first port to try")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console() if sys.stdout.isatty() else Console(width=150)
    try:
        with server(options.port) as (url, process):
            show(console, url, process, once=options.once)
    except DemoFailed as failure:
        console.print(f"[red]the demo failed:[/] {failure}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 0 if not options.once else 130
    return 0


def show(console: Console, url: str, process: subprocess.Popen[bytes], *, once: bool) -> None:
    """Deploy, run, print; then stay while the server lives, unless `once`."""
    pool = create_pool()
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        client.headers["authorization"] = f"Bearer {token(client, pool)}"
        deploy(client)
        wrong = run_cases(client, console)
    if wrong:
        raise DemoFailed("not as it should be: " + "; ".join(wrong))
    if not once:
        invite(console, url, pool)
        process.wait()
        raise DemoFailed(f"the server ended; its log is in {DATA}")


@contextlib.contextmanager
def server(first_port: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A running `authpipe serve` on the next free port; nothing of it is left afterwards."""
    DATA.mkdir(exist_ok=True)
    port = free_port(first_port)
    command = [AUTHPIPE, "serve", "--port", str(port), "--data-dir", str(DATA)]
    with server_log(port).open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process, server_log(port))
        yield url, process
    finally:
        stop(process)


def free_port(first: int) -> int:
    """The first port from `first` on that nobody listens on."""
    for port in range(first, first + 100):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise DemoFailed(f"no free port between {first} and {first + 99}")


def server_log(port: int) -> Path:
    """Where the server on `port` writes what it has to say."""
    return DATA / f"server-{port}.log"


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers; `DemoFailed` when it ends or takes too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise DemoFailed(f"the server ended with code {process.returncode}: {last_words(log)}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=2, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    raise DemoFailed(f"the server was not ready in {START_SECONDS} s: {last_words(log)}")


def last_words(log: Path) -> str:
    """The end of the server's log."""
    return log.read_text(encoding="utf-8", errors="replace")[-600:].strip()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, kindly first, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def create_pool() -> Answer:
    """A new user pool; those of earlier demos are deleted unless another demo is running."""
    # Held until this process ends: its absence tells the next demo that the old pool is nobody's.
    lock = os.open(DATA / "demo.lock", os.O_CREAT | os.O_RDWR, 0o600)
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        listed = command("pool", "list")
        for pool in listed["list"] if isinstance(listed, dict) else listed:
            if pool["name"] == POOL_NAME:
                command("pool", "delete", pool["userPoolId"], "--yes")
    return command("pool", "create", POOL_NAME)


def command(*words: str) -> Any:
    """Run the CLI on the demo's data folder; its JSON."""
    done = subprocess.run(
        [AUTHPIPE, *words, "--json", "--data-dir", str(DATA)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        raise DemoFailed(f"authpipe {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def token(client: httpx.Client, pool: Answer) -> str:
    """A management token of the user pool."""
    keys = {"accessKeyId": pool["accessKeyId"], "accessKeySecret": pool["accessKeySecret"]}
    return str(call(client, "POST", "/api/v1/token", json=keys)["access_token"])


def call(client: httpx.Client, method: str, path: str, **options: Any) -> Any:
    """`data` of an enveloped answer; `DemoFailed` for any other status."""
    answer = client.request(method, path, **options).json()
    if answer.get("statusCode") != 200:
        raise DemoFailed(f"{method} {path}: {answer}")
    return answer.get("data")


def deploy(client: httpx.Client) -> None:
    """Create the functions of `DEPLOYED` from the catalogue's sources."""
    groups = call(client, "GET", "/api/v1/templates")["templates"]
    catalogue = {template["id"]: template for group in groups for template in group["templates"]}
    for name, scene in DEPLOYED.items():
        function = {"funcName": name, "scene": scene, "sourceCode": catalogue[name]["code"]}
        made = call(client, "POST", "/api/v3/create-pipeline-function", json=function)
        if made["status"] != "success":
            raise DemoFailed(f"{name} was not deployed: {made.get('uploadErrMsg')}")


def run_cases(client: httpx.Client, console: Console) -> list[str]:
    """Run every case and print the answers; titles of those that were wrong."""
    title = f"One user pool, {len(DEPLOYED)} functions, {len(CASES)} events, each over HTTP"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_lines=False)
    for heading in ("event", "scene", "functions that ran", "answer", "message or effects", "ms", ""):
        table.add_column(heading, overflow="fold", justify="right" if heading == "ms" else "left")
    wrong = []
    for case in CASES:
        began = time.perf_counter()
        answer = run(client, case)
        elapsed = (time.perf_counter() - began) * 1000
        good = case.right(answer)
        wrong += [] if good else [f"{case.title} should be {case.expected}"]
        table.add_row(case.title, case.scene, *described(case, answer), f"{elapsed:.1f}", mark(good))
    console.print(table)
    return wrong


def run(client: httpx.Client, case: Case) -> Answer:
    """The answer of `POST /api/v1/run`."""
    context = {"request": {"ip": "203.0.113.7", "body": case.body}}
    response = client.post("/api/v1/run", json={"scene": case.scene, "user": case.user, "context": context})
    answer: Answer = response.json()
    if response.status_code != 200:
        raise DemoFailed(f"{case.title}: {answer}")
    return answer


def described(case: Case, answer: Answer) -> tuple[str, str, str]:
    """Functions, verdict and what came of it, in words taken from the answer."""
    functions = "\n".join(f"{step['funcName']}: {step['outcome']}" for step in answer["steps"])
    if answer["verdict"] == "deny":
        return functions, "[red]denied[/]", answer["message"]
    word = case.expected if case.expected != "denied" else "allowed"
    changes = "\n".join(f"{name} = {value}" for name, value in effects(answer).items())
    return functions, f"[green]{word}[/]", changes


def mark(good: bool) -> str:
    """Whether the answer was what it should be."""
    return "[green]✓[/]" if good else "[red bold]wrong[/]"


def invite(console: Console, url: str, pool: Answer) -> None:
    """Print where the server is and three lines to try."""
    keys = f"{pool['accessKeyId']}:{pool['accessKeySecret']}"
    registration = '{"scene":"PRE_REGISTER","context":{"request":{"body":{"email":"%s"}}}}'
    lines = (
        f"\nserver             {url}  (API pages: {url}/docs)",
        f"accessKeyId        {pool['accessKeyId']}  (also the user pool's id)",
        f"accessKeySecret    {pool['accessKeySecret']}",
        "\ntry:",
        f"curl -u {keys} {url}/api/v1/run -d '{registration % 'you@example.com'}'",
        f"curl -u {keys} {url}/api/v1/run -d '{registration % 'you@elsewhere.net'}'",
        f"curl -u {keys} '{url}/api/v1/runs?limit=3'",
        "\nCtrl-C stops the server.",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
