"""Frames between the server and a worker: u32 big-endian length, u8 version, u8 type, JSON payload.

The length counts version, type and payload. The twin in the worker program is `runtime/worker/frames.js`.
Everything a worker sends is hostile: `FrameReader` refuses an unknown version or type and a frame over its
type's limit, and the payload structs below refuse what is not exactly their shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import msgspec

VERSION = 1
HEADER_BYTES = 6
#: deepest nesting of user and context
DEPTH_LIMIT = 32

# Possessive, and content with a string that never ends: a try to match is never begun twice over the same bytes.
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


class FrameType(IntEnum):
    """Which way a frame goes and what it says."""

    #: server → worker: settings of the user pool and one plan's functions
    LOAD = 1
    #: server → worker: run a loaded plan from a step on
    RUN = 2
    #: worker → server: a function is about to be called; from the second step on with user and context
    START_MARK = 3
    #: worker → server: one log or console line, or a warning
    LOG = 4
    #: worker → server: a host call begins
    HOST_CALL_OPEN = 5
    #: both ways: bytes of a host call's stream
    HOST_CALL_CHUNK = 6
    #: both ways: the other side may send that many bytes more
    HOST_CALL_CREDIT = 7
    #: both ways: a host call is over
    HOST_CALL_END = 8
    #: worker → server: the run's answer
    RESULT = 9
    #: server → worker: give up a host call or a run
    CANCEL = 10
    #: worker → server: booted, or done with work left un-awaited
    READY = 11
    #: server → worker: check that a source compiles
    CHECK = 12
    #: worker → server: what the check found
    CHECKED = 13


_SMALL = 64 * 1024
_RESULT = 512 * 1024

#: largest payload a worker may send, by type; what is absent it may not send at all
WORKER_LIMITS: dict[int, int] = {
    FrameType.START_MARK: _RESULT,
    FrameType.LOG: _SMALL,
    FrameType.HOST_CALL_OPEN: _SMALL,
    FrameType.HOST_CALL_CHUNK: _SMALL,
    FrameType.HOST_CALL_CREDIT: _SMALL,
    FrameType.HOST_CALL_END: _SMALL,
    FrameType.RESULT: _RESULT,
    FrameType.READY: _SMALL,
    FrameType.CHECKED: _SMALL,
}
#: largest Run payload the server may send
RUN_LIMIT = 2 * 1024 * 1024


class BadFrame(Exception):
    """A worker broke the protocol; it is killed."""


class StepReport(msgspec.Struct, rename="camel"):
    """How one step ended, as the worker tells it."""

    step: int
    #: one of ok, denied, threw, bad_result, timed_out, no_callback, memory_exceeded
    outcome: str
    #: milliseconds
    ms: float
    message: str | None = None
    detail: str | None = None


class Removed(msgspec.Struct, rename="camel"):
    """Names of claims the functions so far removed."""

    id_token: list[str] = []
    access_token: list[str] = []
    login_token: list[str] = []


class StartMark(msgspec.Struct, rename="camel"):
    """Step `step` of run `run` is about to be called (or, when asynchronous, was reached)."""

    run: int
    step: int
    last: StepReport | None = None
    #: JSON texts, empty when not sent
    user: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    removed: Removed | None = None
    #: set instead of a step while the top-level code of that step's source runs
    loading: bool = False


class LogLine(msgspec.Struct, rename="camel"):
    """One line of a function's log."""

    run: int
    step: int
    #: "log", "console" or "warning"
    kind: str
    args: list[Any]
    #: console method name
    level: str = "log"


class HostCallOpen(msgspec.Struct, rename="camel"):
    """A function asks the server for something."""

    call: int
    run: int
    step: int
    #: name of the handler
    name: str
    arguments: Any = None
    #: whether chunks of a request body follow
    body: bool = False


class HostCallEnd(msgspec.Struct, rename="camel", omit_defaults=True):
    """The last frame of a host call in its direction."""

    call: int
    value: Any = None
    #: {"code", "message"} when it failed
    error: dict[str, Any] | None = None


class Result(msgspec.Struct, rename="camel"):
    """The end of a run: the last step's report and, when it went through, user and context."""

    run: int
    last: StepReport | None = None
    #: JSON texts, empty when not sent
    user: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    removed: Removed | None = None
    #: host calls nobody awaited are still open; a READY follows
    settling: bool = False


class Ready(msgspec.Struct, rename="camel"):
    """The worker takes frames; `run` 0 after boot, else the run that has settled."""

    run: int = 0


class Checked(msgspec.Struct, rename="camel"):
    """What a compile check found."""

    parameters: int | None = None
    error: str | None = None


def frame(kind: FrameType, payload: bytes) -> bytes:
    """One frame, ready to be written."""
    return (len(payload) + 2).to_bytes(4, "big") + bytes((VERSION, kind)) + payload


class FrameReader:
    """Cuts what a worker writes into (type, payload) pairs."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames that `data` completes. Raises `BadFrame`."""
        buffer = self._buffer
        buffer += data
        start, end = 0, len(buffer)
        try:
            while end - start >= HEADER_BYTES:
                size = int.from_bytes(buffer[start : start + 4], "big") - 2
                kind = buffer[start + 5]
                limit = WORKER_LIMITS.get(kind)
                if buffer[start + 4] != VERSION or limit is None or not 0 <= size <= limit:
                    raise BadFrame(f"frame of type {kind} and {size} bytes")
                if end - start - HEADER_BYTES < size:
                    break
                body = start + HEADER_BYTES
                start = body + size
                yield kind, bytes(buffer[body:start])
        finally:
            del buffer[:start]


def too_deep(payload: bytes, limit: int = DEPTH_LIMIT) -> bool:
    """Whether the JSON text nests deeper than `limit`. A cheap count settles nearly all cases."""
    if payload.count(b"{") + payload.count(b"[") <= limit:
        return False
    brackets = _STRING.sub(b"", payload).translate(_ONE_BRACKET, _NOT_BRACKETS)
    if b"[" * (limit + 1) in brackets:
        return True
    for _ in range(limit):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return b"[" in brackets
