"""How the worker program is started: the binary, its flags, its memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import deno  # type: ignore[import-untyped]

from authpipe.runtime.sandbox import Lockdown
from authpipe.settings import RuntimeSettings

WORKER_PROGRAM = Path(__file__).parent / "worker" / "main.js"
#: nothing of the server's environment; the folder must not exist, so that nothing is cached
WORKER_ENVIRONMENT = {"DENO_DIR": "/nonexistent", "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
_FLAGS = tuple(
    "--quiet --no-prompt --no-remote --no-npm --cached-only --no-config --no-lock --no-code-cache --allow-env".split()  # noqa: SIM905
)
_MEGABYTE = 1024 * 1024


def binary() -> Path:
    """The Deno executable that the `deno` package brought."""
    return Path(deno.find_deno_bin())


@dataclass(frozen=True)
class Engine:
    """One way of starting a worker: with or without V8's compiler."""

    jit: bool
    argv: tuple[str, ...]
    lockdown: Lockdown


def engine(settings: RuntimeSettings, *, jit: bool, baseline_bytes: int) -> Engine:
    """The engine for `settings`; `baseline_bytes` is what a blank worker's RLIMIT_DATA needs, 0 for no limit."""
    # A small young generation keeps a busy worker near 24 MB instead of 100, at the price of more, shorter collections.
    v8 = [f"--max-old-space-size={settings.heap_megabytes}", "--max-semi-space-size=2"]
    if not jit:
        v8.append("--jitless")
    argv = (str(binary()), "run", *_FLAGS, f"--v8-flags={','.join(v8)}", str(WORKER_PROGRAM))
    quota = (settings.heap_megabytes + settings.buffer_megabytes) * _MEGABYTE
    data_bytes = baseline_bytes + quota if baseline_bytes else 0
    return Engine(jit, argv, Lockdown(data_bytes=data_bytes, jit=jit))


def data_size(pid: int) -> int:
    """Bytes of a process that count against RLIMIT_DATA."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmData in /proc")
