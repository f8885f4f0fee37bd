"""Turns every error of the HTTP API into its one body, `{statusCode, message, apiCode?, requestId}`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from authpipe import errors
from authpipe.api.asgi import Headers, Send, send_json

_log = structlog.get_logger("authpipe.api")

#: below this prefix the HTTP status is 200 and `statusCode` tells; source: contract.md, section 6.1
ENVELOPE_PREFIX = "/api/v3/"


class Problem(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """The body of every error. Source: contract.md, section 6.1."""

    #: the HTTP status of the error, also where the answer's own is 200
    status_code: int
    #: one sentence
    message: str
    #: GenAuth's finer number, where it has one
    api_code: int | None = None
    #: finds the error in the server's log
    request_id: str


def new_request_id() -> str:
    """A random id for a request whose caller gave none."""
    return str(uuid.uuid4())


def expected(error: BaseException, request_id: str) -> errors.AuthpipeError:
    """`error` itself when a caller may be told, else `AuthpipeError` after logging the cause."""
    if isinstance(error, errors.AuthpipeError):
        return error
    _log.error("internal_error", request_id=request_id, exc_info=error)
    return errors.AuthpipeError()


def encode(error: errors.AuthpipeError, request_id: str) -> bytes:
    """The JSON body of `error`."""
    problem = Problem(status_code=error.status, message=error.message, request_id=request_id)
    return msgspec.json.encode(problem)


def http_status(error: errors.AuthpipeError, path: str) -> int:
    """The HTTP status that goes with `error` on `path`."""
    return 200 if path.startswith(ENVELOPE_PREFIX) else error.status


def headers(error: errors.AuthpipeError) -> Headers:
    """What a client needs beside the body: when to come back, how to authenticate."""
    if isinstance(error, errors.Overloaded):
        return [(b"retry-after", str(error.retry_after).encode())]
    if isinstance(error, errors.Unauthorized):
        return [(b"www-authenticate", b'Bearer realm="authpipe"')]
    return []


async def send_problem(send: Send, path: str, error: BaseException, request_id: str | None = None) -> None:
    """Answers the request on `path` with `error`; what is no `AuthpipeError` becomes a logged 500."""
    request_id = request_id or new_request_id()
    told = expected(error, request_id)
    await send_json(send, http_status(told, path), encode(told, request_id), headers(told))


def of_pydantic(found: Sequence[Any]) -> errors.InvalidArgument:
    """The first of pydantic's findings as one sentence that names the field."""
    first = found[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "missing":
        return errors.InvalidArgument(f"{where or 'A JSON body'} is required.")
    if first["type"] == "json_invalid":
        return errors.MalformedBody()
    return errors.InvalidArgument(f"{where or 'The body'}: {_lowered(first['msg'])}.")


def of_msgspec(error: msgspec.ValidationError) -> errors.InvalidArgument:
    """msgspec's finding as one sentence that names the field."""
    text, _, path = str(error).partition(" - at ")
    where = path.strip("`").removeprefix("$.") or "The body"
    if text.startswith("Object missing required field"):
        return errors.InvalidArgument(f"{text.split('`')[1]} is required.")
    return errors.InvalidArgument(f"{where}: {_lowered(text)}.")


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
