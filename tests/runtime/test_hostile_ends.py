"""Every odd way a function can end has its outcome, and the next run is well."""

import msgspec
import pytest

from authpipe.model import Outcome

GOOD = "async function pipe(user, context, callback) { user.nickname = 'good'; callback(null, user, context) }"

ENDS = {
    "ok": (GOOD, Outcome.OK),
    "two parameters": ("function pipe(context, callback) { callback(null, context) }", Outcome.OK),
    "denies": ("const pipe = async (u, c, cb) => cb(new Error('Access denied.'))", Outcome.DENIED),
    "throws": ("async function pipe(u, c, cb) { throw new TypeError('boom') }", Outcome.THREW),
    "throws at top level": ("throw new Error('no'); function pipe(u, c, cb) {}", Outcome.THREW),
    "spins": ("function pipe(u, c, cb) { for (;;) {} }", Outcome.TIMED_OUT),
    "spins asynchronously": ("async function pipe(u, c, cb) { for (;;) await null }", Outcome.TIMED_OUT),
    "waits": ("function pipe(u, c, cb) { setTimeout(() => cb(null, u, c), 60000) }", Outcome.TIMED_OUT),
    "spins at top level": ("for (;;) {}; function pipe(u, c, cb) {}", Outcome.TIMED_OUT),
    "never calls back": ("async function pipe(u, c, cb) {}", Outcome.NO_CALLBACK),
    "eats the heap": (
        "function pipe(u, c, cb) { const a = []; for (;;) a.push(new Array(1e5).fill(0)) }",
        Outcome.MEMORY_EXCEEDED,
    ),
    "eats buffers": (
        "function pipe(u, c, cb) { const a = []; for (;;) a.push(new Uint8Array(8e6).fill(1)) }",
        Outcome.MEMORY_EXCEEDED,
    ),
    "returns a cycle": ("function pipe(u, c, cb) { u.self = u; cb(null, u, c) }", Outcome.BAD_RESULT),
    "returns a bigint": ("function pipe(u, c, cb) { u.n = 1n; cb(null, u, c) }", Outcome.BAD_RESULT),
    "returns a proxy": ("function pipe(u, c, cb) { cb(null, new Proxy(u, {}), c) }", Outcome.OK),
    "nests too deep": (
        "function pipe(u, c, cb) { let d = {}; for (let i = 0; i < 50; i++) d = { d }; u.address = d; cb(null, u, c) }",
        Outcome.BAD_RESULT,
    ),
    "leaves half a character": (
        "function pipe(u, c, cb) { u.nickname = '\\ud800'; cb(null, u, c) }",
        Outcome.BAD_RESULT,
    ),
    "aborts the engine": ("function pipe(u, c, cb) { [].sort.call({ length: 2 ** 32 - 1 }) }", Outcome.CRASHED),
    "ends the process": ("function pipe(u, c, cb) { process.exit(0) }", Outcome.CRASHED),
    "calls back twice": ("function pipe(u, c, cb) { cb(null, u, c); cb(new Error('late')) }", Outcome.OK),
    "writes to stdout": (
        "function pipe(u, c, cb) { require('node:process').stdout.write('x'.repeat(99)); cb(null, u, c) }",
        None,
    ),
}


@pytest.mark.parametrize("name", ENDS)
async def test_an_end_has_its_outcome_and_the_next_run_is_well(bench, name: str) -> None:
    source, outcome = ENDS[name]
    result = await bench.run(bench.program(source))
    if outcome is not None:
        assert result.invocations[0].outcome is outcome, result.invocations
    after = await bench.run(bench.program(GOOD))
    assert after.outcome is Outcome.OK
    assert msgspec.json.decode(after.user)["nickname"] == "good"


async def test_logs_before_a_kill_are_kept(bench) -> None:
    result = await bench.run(bench.program("function pipe(u, c, cb) { log('here', { n: 1 }); for (;;) {} }"))
    assert result.invocations[0].logs == [["here", {"n": 1}]]


async def test_a_hundred_megabyte_string_ends_the_run_and_nothing_else(bench) -> None:
    source = "function pipe(u, c, cb) { u.nickname = 'x'.repeat(1e8); cb(null, u, c) }"
    result = await bench.run(bench.program(source))
    assert result.outcome in (Outcome.BAD_RESULT, Outcome.MEMORY_EXCEEDED)
    assert result.invocations[0].detail or result.invocations[0].message


async def test_a_flood_of_logs_is_cut(bench) -> None:
    source = "function pipe(u, c, cb) { for (let i = 0; i < 1e4; i++) log(i); cb(null, u, c) }"
    result = await bench.run(bench.program(source))
    assert result.outcome is Outcome.OK
    assert len(result.invocations[0].logs) <= 201
