"""What bounds memory and processor time in Deno, and what does not."""

from __future__ import annotations

import ctypes
import resource
import signal

PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
MEGABYTE = 1024 * 1024
JIT = "--max-old-space-size=64"
BUFFERS = """
const kept = []; let refused = "";
try { for (let i = 0; i < 64; i++) kept.push(new Uint8Array(2 ** 24).fill(1)) } catch ({ name }) { refused = name }
console.log(kept.length, refused);
"""


def refuse_writable_code() -> None:
    """The kernel's W^X for this process and what it becomes."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_MDWE")


def limit_data() -> None:
    """Room for a jitless Deno and then some."""
    resource.setrlimit(resource.RLIMIT_DATA, (256 * MEGABYTE, 256 * MEGABYTE))


def test_jitless_runs_without_writable_code(printed):
    assert printed("console.log(6 * 7)", before=refuse_writable_code) == "42"


def test_jit_does_not_run_without_writable_code(run):
    assert run("console.log(6 * 7)", v8=JIT, before=refuse_writable_code).returncode != 0


def test_jitless_has_no_webassembly(printed):
    assert printed("console.log(typeof WebAssembly)") == "undefined"
    assert printed("console.log(typeof WebAssembly)", v8=JIT) == "object"


def test_heap_limit_aborts_the_process(run):
    done = run("const kept = []; for (;;) kept.push(new Array(1000).fill({}))")
    assert done.returncode in (-signal.SIGTRAP, -signal.SIGABRT, -signal.SIGILL)
    assert "Fatal JavaScript out of memory" in done.stderr


def test_heap_limit_does_not_count_buffers(printed):
    assert printed(BUFFERS) == "64"


def test_data_limit_bounds_buffers_as_an_error_that_can_be_caught(printed):
    count, refused = printed(BUFFERS, before=limit_data).split()
    assert 0 < int(count) < 16
    assert refused == "RangeError"


def test_sort_of_a_huge_length_aborts_the_process(run):
    assert run("try { [].sort.call({ length: 2 ** 32 - 1 }) } catch {}").returncode < 0


def test_a_loop_of_awaits_starves_timers(printed):
    source = """
    let fired = false; setTimeout(() => { fired = true }, 1);
    const end = Date.now() + 100; while (Date.now() < end) await null;
    console.log(fired);
    """
    assert printed(source) == "false"
