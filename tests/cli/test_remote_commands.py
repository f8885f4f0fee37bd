"""Commands that speak to a server: login and profiles, functions, environment, templates, run, debug."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

WHITELIST = """
function pipe(user, context, callback) {
  const { email } = context.request.body;
  log("registering", email);
  if (!email.endsWith("@example.com")) return callback(new Error("Access denied."));
  callback(null, user, context);
}
"""


def _event(shell: Any, email: str) -> Path:
    text = json.dumps({"request": {"body": {"email": email}}})
    path: Path = shell.write(f"{email}.json", text)
    return path


def test_a_functions_life(remote: Any) -> None:
    file = remote.write("whitelist.js", WHITELIST)
    scene = ("--scene", "PRE_REGISTER")
    made = remote.json("function", "create", *scene, "--name", "w1", file, "--timeout", 2, "--terminate-on-timeout")
    other = remote.json("function", "create", *scene, "--name", "w2", file)
    assert (made["timeout"], made["terminateOnTimeout"], made["isAsynchronous"]) == (2, True, False)
    first, second = made["funcId"], other["funcId"]
    assert remote("function", "order", *scene, second, first).returncode == 0
    assert [each["funcId"] for each in remote.json("function", "list", *scene)] == [second, first]
    changed = remote.json("function", "update", second, "--name", "w3", "--disabled", "--asynchronous")
    assert (changed["funcName"], changed["enabled"], changed["isAsynchronous"]) == ("w3", False, True)
    assert remote.json("function", "show", second)["sourceCode"] == WHITELIST
    assert WHITELIST.strip() in remote("function", "show", second).stdout
    assert remote("run", *scene, "--context", _event(remote, "ada@example.com")).returncode == 0
    denied = remote("run", *scene, "--context", _event(remote, "eve@elsewhere.net"))
    assert denied.returncode == 3 and "Access denied." in denied.stdout
    assert remote.json("function", "logs", first)["list"][0]["logs"] == [["registering", "eve@elsewhere.net"]]
    assert "registering" in remote("function", "logs", first).stdout
    for function_id in (first, second):
        assert remote("function", "delete", function_id).returncode == 0
    assert remote.json("function", "list", *scene) == []


def test_a_failed_function_makes_debug_exit_1_and_run_still_tells_the_flow(remote: Any) -> None:
    file = remote.write("bad.js", "function pipe(u, c, cb) { throw new Error('boom') }")
    assert remote("debug", file, "--scene", "PRE_MFA_VERIFY").returncode == 1
    made = remote.json("function", "create", "--scene", "PRE_MFA_VERIFY", "--name", "bad", file)
    assert remote("run", "--scene", "PRE_MFA_VERIFY").returncode == 3
    remote("function", "delete", made["funcId"])


def test_a_source_that_does_not_compile_is_reported_with_its_place(remote: Any) -> None:
    file = remote.write("broken.js", "function pipe(u, c, cb) {\n  cb(null, u, c;\n}")
    done = remote("function", "create", "--scene", "POST_MFA_VERIFY", "--name", "broken", file)
    assert done.returncode == 1 and "2" in done.stderr and len(done.stderr.splitlines()) == 1
    for each in remote.json("function", "list", "--scene", "POST_MFA_VERIFY"):
        remote("function", "delete", each["funcId"])


def test_environment_values_and_secrets(remote: Any) -> None:
    assert remote("env", "set", "REGION", "eu").returncode == 0
    assert remote("env", "set", "HOOK", "--secret", typed="a very secret value\n").returncode == 0
    assert remote("env", "set", "HOOK", "another secret value").returncode == 0
    listed = {each["key"]: each for each in remote.json("env", "list")}
    assert listed["REGION"]["value"] == "eu"
    assert listed["HOOK"]["secret"] is True and "value" not in listed["HOOK"]
    assert "secret value" not in remote("env", "list").stdout
    file = remote.write("e.js", "function pipe(u, c, cb) { log(env.REGION); cb(null, u, c) }")
    assert remote.json("debug", file, "--scene", "PRE_REGISTER")["steps"][0]["logs"] == [["eu"]]
    for key in ("REGION", "HOOK"):
        assert remote("env", "delete", key).returncode == 0
    assert remote.json("env", "list") == []
    assert remote("env", "delete", "REGION").returncode == 1


def test_templates_are_listed_shown_and_used(remote: Any) -> None:
    assert len(remote.json("template", "list")) == 22
    assert "function pipe" in remote("template", "show", "email-domain-whitelist").stdout
    made = remote.json("template", "use", "email-domain-whitelist", "--scene", "PRE_REGISTER")
    assert made["status"] == "success"
    event = _event(remote, "x@notexample.com")
    assert remote("run", "--scene", "PRE_REGISTER", "--context", event).returncode == 3
    remote("function", "delete", made["funcId"])


def test_login_keeps_a_profile_only_its_owner_can_read(shell: Any, keys: dict[str, str]) -> None:
    typed = f"{keys['AUTHPIPE_ACCESS_KEY_ID']}\n{keys['AUTHPIPE_ACCESS_KEY_SECRET']}\n"
    done = shell("login", "--server", keys["AUTHPIPE_SERVER"], "--profile", "work", typed=typed)
    assert done.returncode == 0, done.stderr
    kept = shell.folder / ".config" / "authpipe" / "profiles.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert keys["AUTHPIPE_ACCESS_KEY_SECRET"] not in done.stdout + done.stderr
    assert shell.json("function", "list", "--profile", "work") == []
    assert shell("function", "list").returncode == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AUTHPIPE_ACCESS_KEY_SECRET": "0" * 64}, "access key"),
        ({"AUTHPIPE_SERVER": "http://127.0.0.1:9"}, "127.0.0.1:9"),
        ({"AUTHPIPE_SERVER": "nonsense"}, "nonsense"),
    ],
)
def test_a_server_that_refuses_or_is_not_there_is_one_line(remote: Any, change: dict[str, str], said: str) -> None:
    other = type(remote)(remote.folder, remote.variables | change)
    for words in (["function", "list"], ["login", "--server", other.variables["AUTHPIPE_SERVER"]]):
        done = other(*words)
        assert done.returncode == 1 and said in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_what_functions_write_cannot_steer_the_terminal(remote: Any) -> None:
    file = remote.write("esc.js", "function pipe(u, c, cb) { cb(new Error('a\\u001b[2Jb [red]c[/red]')) }")
    shown = remote("debug", file, "--scene", "PRE_REGISTER").stdout
    assert "\x1b" not in shown and "[red]c[/red]" in shown
