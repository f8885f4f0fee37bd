"""Commands that need no server: test, pool, doctor, serve's complaints, help."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from typer.testing import CliRunner

from authpipe.cli.main import app

PASS = "async function pipe(user, context, callback) { user.nickname = env.NAME || 'x'; callback(null, user, context) }"
WHITELIST = """
function pipe(user, context, callback) {
  const { email } = context.request.body;
  log("registering", email);
  if (!email.endsWith("@example.com")) return callback(new Error("Access denied."));
  callback(null, user, context);
}
"""

#: source → exit code of `authpipe test`
EXITS = {
    PASS: 0,
    "function pipe(context, callback) { callback(null, context) }": 0,
    "const pipe = async (u, c, cb) => cb(new Error('no entry'))": 3,
    "async function pipe(u, c, cb) { throw new TypeError('boom') }": 1,
    "async function pipe(u, c, cb) { for (;;) {} }": 1,
    "function pipe(u, c, cb) { }": 1,
    "function pipe(u, c, cb) {": 1,
    "let nothing = 1": 1,
}


@pytest.mark.parametrize("source", EXITS)
def test_the_exit_code_of_test_tells_continue_deny_and_failure(shell: Any, source: str) -> None:
    file = shell.write("f.js", source)
    done = shell("test", file, "--scene", "PRE_REGISTER", "--timeout", 1)
    assert done.returncode == EXITS[source], done.stdout + done.stderr


def test_test_shows_verdict_changes_logs_and_time(shell: Any) -> None:
    file = shell.write("f.js", PASS.replace("callback(null", "log('hi', {a: 1}); callback(null"))
    done = shell("test", file, "--scene", "POST_REGISTER", "--env", "NAME=Bob")
    for shown in ("continue", 'profile.nickname = "Bob"', 'log "hi" {"a":1}', " ms"):
        assert shown in done.stdout, done.stdout
    answer = shell.json("test", file, "--scene", "POST_REGISTER", "--env", "NAME=Bob")
    assert answer["effects"]["profile"] == {"nickname": "Bob"} and answer["code"] == 200


def test_test_takes_user_and_context_from_files_and_makes_them_up_otherwise(shell: Any) -> None:
    file = shell.write("f.js", WHITELIST)
    context = shell.write("c.json", json.dumps({"request": {"body": {"email": "eve@elsewhere.net"}}}))
    assert shell("test", file, "--scene", "PRE_REGISTER").returncode == 0
    denied = shell.json("test", file, "--scene", "PRE_REGISTER", "--context", context, code=3)
    assert denied["message"] == "Access denied."


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bogus"], 2, "bogus"),
        (["test"], 2, "file"),
        (["test", "f.js"], 2, "scene"),
        (["test", "missing.js", "--scene", "PRE_REGISTER"], 2, "missing.js"),
        (["test", "f.js", "--scene", "LUNCH"], 1, "PRE_REGISTER"),
        (["test", "f.js", "--scene", "PRE_REGISTER", "--env", "novalue"], 1, "KEY=VALUE"),
        (["test", "f.js", "--scene", "PRE_REGISTER", "--user", "bad.json"], 1, "bad.json"),
        (["test", "f.js", "--scene", "PRE_REGISTER", "--timeout", "61"], 2, "timeout"),
        (["test", "latin.js", "--scene", "PRE_REGISTER"], 1, "UTF-8"),
        (["pool", "create", ""], 1, "name"),
        (["pool", "delete", "0" * 24, "--yes"], 1, "user pool"),
        (["serve", "--port", "x"], 2, "port"),
        (["function", "list"], 1, "login"),
        (["run", "--scene", "PRE_REGISTER"], 1, "login"),
        (["template", "show", "nothing"], 1, "nothing"),
    ],
)
def test_an_error_is_one_line_on_standard_error(shell: Any, words: list[str], code: int, said: str) -> None:
    shell.write("f.js", PASS)
    shell.write("bad.json", "{")
    (shell.folder / "latin.js").write_bytes(b"// \xe9")
    done = shell(*words)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("authpipe: ") and said in done.stderr


def test_pools_are_created_listed_and_deleted(shell: Any) -> None:
    made = shell.json("pool", "create", "acme")
    assert set(made) == {"userPoolId", "name", "accessKeyId", "accessKeySecret"}
    assert made["accessKeyId"] == made["userPoolId"] and len(made["accessKeySecret"]) >= 32
    assert [pool["userPoolId"] for pool in shell.json("pool", "list")] == [made["userPoolId"]]
    assert made["accessKeySecret"] not in shell("pool", "list").stdout
    refused = shell("pool", "delete", made["userPoolId"], typed="n\n")
    assert refused.returncode != 0
    assert shell.json("pool", "list")
    assert shell("pool", "delete", made["userPoolId"], "--yes").returncode == 0
    assert shell.json("pool", "list") == []


def test_the_data_folder_keeps_its_key_to_itself(shell: Any) -> None:
    shell.json("pool", "create", "acme", "--data-dir", "elsewhere")
    assert (shell.folder / "elsewhere" / "server.key").stat().st_mode & 0o777 == 0o600
    assert not (shell.folder / "authpipe-data").exists()


def test_doctor_runs_a_function_for_real_and_names_engine_layers_and_database(shell: Any) -> None:
    checks = {each["check"]: each for each in shell.json("doctor")}
    assert "deno" in checks["Deno"]["detail"]
    assert {checks[name]["state"] for name in ("Deno", "database", "a function runs")} == {"active"}
    assert any(name.startswith("isolation: ") for name in checks)
    assert not (shell.folder / "authpipe-data").exists()


def test_doctor_fails_where_the_database_cannot_be_opened(shell: Any) -> None:
    done = shell("doctor", "--database", "sqlite+aiosqlite:////nowhere/at/all.db")
    assert done.returncode == 1 and "FAIL" in done.stdout


def test_serve_says_in_one_line_that_its_port_is_taken(shell: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = shell("serve", "--port", taken.getsockname()[1])
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and "in use" in done.stderr


COMMANDS = (
    *("serve", "test", "doctor", "login", "run", "debug", "pool create", "pool list", "pool delete"),
    *(f"function {name}" for name in ("create", "list", "show", "update", "delete", "order", "logs")),
    *("env set", "env list", "env delete", "template list", "template show", "template use"),
)


@pytest.mark.parametrize("words", COMMANDS)
def test_help_teaches_with_an_example_and_offers_json(words: str) -> None:
    shown = CliRunner().invoke(app, [*words.split(), "--help"]).output
    assert "--json" in shown
    assert f"Example: authpipe {words}" in " ".join(shown.split())


def test_the_top_help_names_every_command_and_the_exit_codes(shell: Any) -> None:
    shown = shell("--help").stdout
    assert all(words.split()[0] in shown for words in COMMANDS)
    assert "Exit codes" in shown
