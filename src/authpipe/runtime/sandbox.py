"""The lockdown a worker is born into, applied between fork and exec."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_MDWE = 65
_PR_GET_MDWE = 66
_MDWE_REFUSE_EXEC_GAIN = 1

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Lockdown:
    """What one worker is held to."""

    #: bytes of private writable memory (RLIMIT_DATA); 0 means unlimited, for measuring the baseline
    data_bytes: int
    #: V8's compiler is on, so memory may become executable
    jit: bool
    open_files: int = 64


@dataclass(frozen=True)
class Layer:
    """One layer of the lockdown as `authpipe doctor` shows it."""

    name: str
    #: "active", "unavailable" or "off"
    state: str
    detail: str


def apply(lockdown: Lockdown) -> None:
    """Lock the calling process down. Runs in the forked child; raises OSError when a layer fails."""
    os.setsid()
    # A worker that is woken must not push the server off its core in the middle of a batch of runs.
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, lockdown.open_files)
    if lockdown.data_bytes:
        _limit(resource.RLIMIT_DATA, lockdown.data_bytes)
    if not lockdown.jit:
        refuse_executable_memory()


def refuse_executable_memory() -> bool:
    """Ask the kernel for W^X (Linux 6.3 and later); whether it agreed."""
    return bool(_libc.prctl(_PR_SET_MDWE, _MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0)


def layers() -> list[Layer]:
    """Every layer with its state on this machine."""
    known = _libc.prctl(_PR_GET_MDWE, 0, 0, 0, 0) >= 0
    return [
        Layer("own process per user pool", "active", "no heap and no process is shared between user pools"),
        Layer("engine permissions", "active", "Deno without file, network, run, ffi and system access"),
        Layer("no just-in-time compiler", "active", "V8 runs jitless unless a user pool sets jit"),
        Layer("write xor execute", "active" if known else "unavailable", "PR_SET_MDWE" if known else "Linux 6.3"),
        Layer("empty environment", "active", "no variable of the server reaches a worker"),
        Layer("closed descriptors", "active", "only the worker's own three pipes are open"),
        Layer("resource limits", "active", "memory, open files, no core dumps, no file writes"),
        Layer("no new privileges", "active", "PR_SET_NO_NEW_PRIVS"),
        Layer("dies with its parent", "active", "PR_SET_PDEATHSIG and an own session"),
        Layer("namespaces", "off", "not part of this version"),
        Layer("Landlock", "off", "not part of this version"),
        Layer("seccomp", "off", "not part of this version"),
        Layer("own user id", "off", "not part of this version"),
    ]


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), f"prctl {option}")


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))
