"""Host calls: what a function may ask the server for, answered by handlers that the application injects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from authpipe import wire

_OPEN_CALLS = 64
_ENCODED_LIMIT = wire.WORKER_LIMITS[wire.FrameType.HOST_CALL_END]


class HostCallError(Exception):
    """The call failed; the function gets an Error with this code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class HostCallHandler(Protocol):
    """Answers one kind of host call. Raises `HostCallError` for what the function should hear."""

    def __call__(self, *, pool_id: str, arguments: Any) -> Awaitable[Any]: ...


HostCallHandlers = Mapping[str, HostCallHandler]


class HostCallDesk:
    """The open host calls of one worker."""

    def __init__(self, handlers: HostCallHandlers, write: Callable[[bytes], None]) -> None:
        self._handlers = handlers
        self._write = write
        self._open: dict[int, asyncio.Task[None]] = {}

    def open(self, call: wire.HostCallOpen, *, pool_id: str) -> None:
        """Start answering. Raises `BadFrame` for a number in use or too many at once."""
        if call.call in self._open or len(self._open) >= _OPEN_CALLS:
            raise wire.BadFrame("host call out of order")
        task = asyncio.get_running_loop().create_task(self._answer(call, pool_id))
        self._open[call.call] = task

    def stream(self, payload: bytes) -> None:
        """A chunk, a credit or an end from the worker. No handler takes streams yet, so none is expected."""
        raise wire.BadFrame("no host call takes a stream")

    def close(self) -> None:
        """Give up what is open; the worker has gone."""
        for task in self._open.values():
            task.cancel()
        self._open.clear()

    async def _answer(self, call: wire.HostCallOpen, pool_id: str) -> None:
        end = wire.HostCallEnd(call=call.call)
        handler = self._handlers.get(call.name)
        try:
            if handler is None:
                raise HostCallError("unknown_host_call", f"there is no host call {call.name[:64]}")
            end.value = await handler(pool_id=pool_id, arguments=call.arguments)
        except HostCallError as error:
            end.error = {"code": error.code, "message": error.message}
        except Exception:
            end.error = {"code": "internal_error", "message": "the host call failed"}
        self._open.pop(call.call, None)
        self._write(wire.frame(wire.FrameType.HOST_CALL_END, _encode(end)))


def _encode(end: wire.HostCallEnd) -> bytes:
    payload = msgspec.json.encode(end)
    if len(payload) > _ENCODED_LIMIT:
        refusal = {"code": "too_large", "message": "the answer is larger than a function may receive"}
        payload = msgspec.json.encode(wire.HostCallEnd(call=end.call, error=refusal))
    return payload
