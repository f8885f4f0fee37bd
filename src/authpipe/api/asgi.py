"""The few pieces of ASGI the API speaks without a framework: types, a JSON answer, a bounded body."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from authpipe import errors, wire

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

#: user and context may nest `wire.DEPTH_LIMIT` deep; the body holds them one level down
BODY_DEPTH = wire.DEPTH_LIMIT + 1

# curl's -d says "form" of any body; a browser cannot send JSON under that name, so it is let through.
_JSON_TYPE = re.compile(rb"application/(?:(?:[\w.-]+\+)?json|x-www-form-urlencoded)\b", re.IGNORECASE)
_CONTENT_TYPE = (b"content-type", b"application/json")


class Disconnected(Exception):
    """The client went away before its request was complete."""


async def send_json(send: Send, status: int, body: bytes, headers: Headers | None = None) -> None:
    """Sends a whole JSON answer."""
    start = [_CONTENT_TYPE, (b"content-length", b"%d" % len(body))]
    if headers:
        start += headers
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive, limit: int) -> bytes:
    """The request's body. Raises `PayloadTooLarge` as soon as it exceeds `limit` bytes, `Disconnected`."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        _check_size(len(body), limit)
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        _check_size(size, limit)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    _check_size(size, limit)
    return b"".join(parts)


def check_headers(content_type: bytes | None, content_length: bytes | None, limit: int) -> None:
    """Refuses what is declared not to be JSON or to be too large, before a byte of it is read."""
    if content_type and not _JSON_TYPE.match(content_type):
        raise errors.InvalidArgument("The body must be JSON: send content-type application/json.")
    if content_length and content_length.isdigit():
        _check_size(int(content_length), limit)


def check_depth(body: bytes) -> None:
    """Raises `MalformedBody` for JSON nested too deep to be worked on."""
    if wire.too_deep(body, BODY_DEPTH):
        raise errors.MalformedBody(f"The body is nested more than {wire.DEPTH_LIMIT} levels deep.")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise errors.PayloadTooLarge(f"The body is larger than {limit} bytes.")
