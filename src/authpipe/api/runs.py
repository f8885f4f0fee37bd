"""`POST /api/v1/run`, the hot route: plain ASGI, msgspec in and out, no framework between."""

from __future__ import annotations

import msgspec

from authpipe import errors
from authpipe.api import problems
from authpipe.api.answers import RunRequest, run_answer
from authpipe.api.asgi import Disconnected, Receive, Scope, Send, check_depth, check_headers, read_body, send_json
from authpipe.api.authentication import POOL_HEADERS, authenticate, check_claimed_pool
from authpipe.control.tokens import Tokens
from authpipe.engine.engine import Engine
from authpipe.model import Scene

PATH = "/api/v1/run"


class RunRoute:
    """Takes a run request apart, calls the engine, puts the answer together."""

    def __init__(self, *, engine: Engine, tokens: Tokens, body_limit: int) -> None:
        self._engine = engine
        self._tokens = tokens
        self._limit = body_limit
        self._decode = msgspec.json.Decoder(RunRequest).decode
        self._encode = msgspec.json.Encoder().encode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request on `PATH`, whatever its method."""
        asked: RunRequest | None = None
        try:
            pool_id = await self._pool_id(scope)
            asked = self._parse(await read_body(receive, self._limit))
            body = await self._run(pool_id, asked)
        except Disconnected:
            return
        except Exception as error:
            await problems.send_problem(send, PATH, error, asked.request_id if asked else None)
            return
        await send_json(send, 200, body)

    async def _pool_id(self, scope: Scope) -> str:
        if scope["method"] != "POST":
            raise errors.MethodNotAllowed(f"{PATH} takes POST only.")
        authorization = claimed = kind = length = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"content-type":
                kind = value
            elif name == b"content-length":
                length = value
            elif name in POOL_HEADERS:
                claimed = value
        principal = None
        if authorization is not None and authorization[:7] == b"Bearer ":
            principal = self._tokens.authenticate_bearer_cached(authorization[7:].decode("latin-1"))
        if principal is None:
            principal = await authenticate(self._tokens, authorization, claimed, basic=True)
        elif claimed:
            check_claimed_pool(principal, claimed)
        if kind != b"application/json" or length is None or len(length) > 6:
            check_headers(kind, length, self._limit)
        return principal.pool_id

    def _parse(self, body: bytes) -> RunRequest:
        check_depth(body)
        try:
            return self._decode(body)
        except msgspec.ValidationError as error:
            raise problems.of_msgspec(error) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise errors.MalformedBody() from error

    async def _run(self, pool_id: str, asked: RunRequest) -> bytes:
        verdict = await self._engine.run(
            pool_id=pool_id,
            scene=Scene.parse(asked.scene),
            user=asked.user,
            context=asked.context or {},
            identifiers=asked.identifiers,
            deadline_ms=asked.deadline_ms,
            request_id=asked.request_id,
        )
        return self._encode(run_answer(verdict))
