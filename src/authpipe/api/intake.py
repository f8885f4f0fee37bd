"""What every request but a run passes on its way in: credentials, size, depth, well-formed JSON."""

from __future__ import annotations

import msgspec

from authpipe import errors
from authpipe.api import problems
from authpipe.api.asgi import App, Disconnected, Message, Receive, Scope, Send, check_depth, check_headers, read_body
from authpipe.api.authentication import authenticate, credentials_in, remember
from authpipe.control.tokens import Tokens

API_PREFIX = "/api/"
#: routes below API_PREFIX that take no credentials
PUBLIC = frozenset({"/api/v1/token", "/api/v3/get-management-token", "/api/v1/templates"})
#: below this prefix an access key by HTTP Basic does as well as a token
_BASIC_PREFIX = "/api/v1/"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Intake:
    """Wraps the framework's application; only requests fit to be looked at get in."""

    def __init__(self, app: App, *, tokens: Tokens, body_limit: int) -> None:
        self._app = app
        self._tokens = tokens
        self._limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, of any kind the server brings."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, await self._admit(scope, receive), watch)
        except Disconnected:
            return
        except Exception as error:
            if not started:
                await problems.send_problem(send, scope["path"], error)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        path = scope["path"]
        if path.startswith(API_PREFIX) and path not in PUBLIC:
            basic = path.startswith(_BASIC_PREFIX)
            remember(scope, await authenticate(self._tokens, *credentials_in(scope["headers"]), basic=basic))
        if scope["method"] not in _WITH_BODY:
            return receive
        headers = dict(scope["headers"])
        length = headers.get(b"content-length")
        kind = headers.get(b"content-type") if length != b"0" else None
        check_headers(kind, length, self._limit)
        body = await read_body(receive, self._limit)
        _check_json(body)
        return _replay(body, receive)


def _check_json(body: bytes) -> None:
    """Holds bodies to the strict JSON of the run route; the framework's own parser lets more through."""
    if not body:
        return
    check_depth(body)
    try:
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise errors.MalformedBody() from error


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
