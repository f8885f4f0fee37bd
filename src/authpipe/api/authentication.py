"""Finds out from a request's headers which user pool it acts for: the one place where the API learns it."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from starlette.requests import Request

from authpipe import errors
from authpipe.api.asgi import Scope
from authpipe.control.tokens import Principal, Tokens

_PRINCIPAL = "authpipe.principal"
#: by which a client says which user pool it means
POOL_HEADERS = frozenset((b"x-authing-userpool-id", b"x-genauth-userpool-id"))


async def authenticate(
    tokens: Tokens, authorization: bytes | None, claimed_pool: bytes | None, *, basic: bool
) -> Principal:
    """Who asks, by bearer token (with or without the word) or, where `basic`, by access key.

    `claimed_pool` is the pool a client says it means; another than the credentials' is `Forbidden`.
    Raises `Unauthorized`. Source: contract.md, section 6.2.
    """
    if not authorization:
        raise errors.Unauthorized("Send credentials in the authorization header.")
    scheme, _, rest = authorization.decode("latin-1").strip().partition(" ")
    principal = await _by_scheme(tokens, scheme, rest.strip(), basic)
    check_claimed_pool(principal, claimed_pool)
    return principal


def check_claimed_pool(principal: Principal, claimed_pool: bytes | None) -> None:
    """Raises `Forbidden` when the pool header names another pool than the credentials."""
    if claimed_pool and claimed_pool.decode("latin-1") != principal.pool_id:
        raise errors.Forbidden("These credentials belong to another user pool than the header names.")


def credentials_in(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes | None, bytes | None]:
    """The authorization header and the pool header."""
    authorization = claimed_pool = None
    for name, value in headers:
        if name == b"authorization":
            authorization = value
        elif name in POOL_HEADERS:
            claimed_pool = value
    return authorization, claimed_pool


def remember(scope: Scope, principal: Principal) -> None:
    """Keeps who asks with the request."""
    scope[_PRINCIPAL] = principal


def pool_id_of(request: Request) -> str:
    """The user pool of an authenticated request; a FastAPI dependency."""
    principal: Principal = request.scope[_PRINCIPAL]
    return principal.pool_id


async def _by_scheme(tokens: Tokens, scheme: str, rest: str, basic: bool) -> Principal:
    if not rest:
        return await tokens.authenticate_bearer(scheme)
    if scheme.lower() == "bearer":
        return await tokens.authenticate_bearer(rest)
    if scheme.lower() == "basic" and basic:
        return await tokens.authenticate_basic(*_basic(rest))
    raise errors.Unauthorized("Authorization must be a bearer token" + (" or HTTP Basic." if basic else "."))


def _basic(encoded: str) -> tuple[str, str]:
    try:
        access_key_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise errors.Unauthorized("HTTP Basic credentials must be accessKeyId:accessKeySecret in base64.")
    return access_key_id, secret
