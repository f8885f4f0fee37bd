"""Management tokens and access keys: what they are made of, and whether they are still good."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from authpipe.errors import Unauthorized
from authpipe.model import Clock
from authpipe.storage.cipher import Cipher
from authpipe.storage.keys import AccessKeys

#: fixed here; what a token says of its own algorithm is not asked
_ALGORITHMS = ["HS256"]
_TOKEN_TYPE = "management_token"
#: longest text looked at as a token, characters
_TOKEN_LIMIT = 4096
#: tokens, and access keys, remembered as good
_REMEMBERED = 10_000
#: one may carry characters a client's decoder trips over; more in a row mean its claims do
_MINTINGS = 8


class Principal(msgspec.Struct, frozen=True):
    """Who asks: the user pool the credentials are for, and the access key they come from."""

    pool_id: str
    access_key_id: str


class _GoodToken(msgspec.Struct, frozen=True):
    principal: Principal
    #: seconds since the epoch
    expires_at: float


class _GoodKey(msgspec.Struct, frozen=True):
    principal: Principal
    secret: bytes


class Tokens:
    """Issues management tokens and recognises them and the access keys behind them.

    What was found good is remembered until `forget(pool_id)`, which every change of a user pool's keys calls, also
    one made by another process; so a revoked key is refused on the next request.
    """

    def __init__(self, keys: AccessKeys, cipher: Cipher, *, clock: Clock, lifetime: int) -> None:
        self._keys, self._clock, self._lifetime = keys, clock, lifetime
        self._signing_key = OctKey.import_key(cipher.derive("management tokens"))
        self._good_tokens: dict[str, _GoodToken] = {}
        self._good_keys: dict[str, _GoodKey] = {}
        self._changes = 0

    async def issue(self, access_key_id: str, access_key_secret: str) -> tuple[str, int]:
        """A token for the key's user pool and its life in seconds. Raises `Unauthorized`.

        HS256 JWT with the claims of contract.md, section 6.2.
        """
        principal = await self.authenticate_basic(access_key_id, access_key_secret)
        return self._mint(principal), self._lifetime

    def authenticate_bearer_cached(self, token: str) -> Principal | None:
        """Who holds `token`, when it is remembered as good and has not expired; else ask `authenticate_bearer`."""
        good = self._good_tokens.get(token)
        return good.principal if good is not None and good.expires_at > self._clock.now() else None

    async def authenticate_bearer(self, token: str) -> Principal:
        """Who holds `token`. Raises `Unauthorized` when it is forged, expired, or its key is revoked."""
        known = self.authenticate_bearer_cached(token)
        if known is not None:
            return known
        changes, good = self._changes, self._verify(token)
        key = await self._keys.find_active(good.principal.access_key_id)
        if key is None or key[0] != good.principal.pool_id:
            raise Unauthorized("The access key of this token is revoked.")
        if changes == self._changes:
            _remember(self._good_tokens, token, good)
        return good.principal

    def authenticate_basic_cached(self, access_key_id: str, access_key_secret: str) -> Principal | None:
        """Whose key this is, when it is remembered and the secret matches; else ask `authenticate_basic`."""
        good = self._good_keys.get(access_key_id)
        return good.principal if good is not None and _same(good.secret, access_key_secret) else None

    async def authenticate_basic(self, access_key_id: str, access_key_secret: str) -> Principal:
        """Whose key this is. Raises `Unauthorized`, the same for an unknown key, a revoked one and a wrong secret."""
        known = self.authenticate_basic_cached(access_key_id, access_key_secret)
        if known is not None:
            return known
        changes, found = self._changes, await self._find(access_key_id)
        if found is None or not _same(found.secret, access_key_secret):
            raise Unauthorized("The access key or its secret is wrong.")
        if changes == self._changes:
            _remember(self._good_keys, access_key_id, found)
        return found.principal

    def forget(self, pool_id: str) -> None:
        """Look at the rows again before the user pool's credentials are believed."""
        self._changes += 1
        self._good_tokens = {t: good for t, good in self._good_tokens.items() if good.principal.pool_id != pool_id}
        self._good_keys = {k: good for k, good in self._good_keys.items() if good.principal.pool_id != pool_id}

    async def _find(self, access_key_id: str) -> _GoodKey | None:
        if not access_key_id.isascii() or not access_key_id.isprintable():
            return None
        found = await self._keys.find_active(access_key_id)
        return None if found is None else _GoodKey(Principal(found[0], access_key_id), found[1].encode())

    def _mint(self, principal: Principal) -> str:
        now = int(self._clock.now())
        claims = {
            "token_type": _TOKEN_TYPE,
            "scoped_userpool_id": principal.pool_id,
            "access_key_type": "userpool",
            "access_key_id": principal.access_key_id,
            "iat": now,
            "exp": now + self._lifetime,
        }
        for _ in range(_MINTINGS):
            token = jwt.encode(
                {"alg": "HS256"}, claims | {"jti": secrets.token_hex(16)}, self._signing_key, _ALGORITHMS
            )
            # The official Python client reads the payload with the standard base64 alphabet.
            if not set("-_") & set(token.split(".")[1]):
                return token
        raise ValueError("no management token without '-' and '_' in its payload")

    def _verify(self, token: str) -> _GoodToken:
        if len(token) > _TOKEN_LIMIT or not token.isascii():
            raise Unauthorized("The token is malformed.")
        try:
            claims = jwt.decode(token, self._signing_key, _ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            raise Unauthorized("The token is malformed or was not issued here.") from error
        good = _good_token(claims)
        if good is None:
            raise Unauthorized("This is not a management token.")
        if good.expires_at <= self._clock.now():
            raise Unauthorized("The token has expired.")
        return good


def _good_token(claims: dict[str, Any]) -> _GoodToken | None:
    pool_id, access_key_id, expires_at = (claims.get(n) for n in ("scoped_userpool_id", "access_key_id", "exp"))
    if claims.get("token_type") != _TOKEN_TYPE or not isinstance(expires_at, int):
        return None
    if not isinstance(pool_id, str) or not isinstance(access_key_id, str):
        return None
    return _GoodToken(Principal(pool_id, access_key_id), expires_at)


def _same(secret: bytes, offered: str) -> bool:
    return hmac.compare_digest(secret, offered.encode("utf-8", "surrogatepass"))


def _remember(good: dict[str, Any], name: str, value: Any) -> None:
    while len(good) >= _REMEMBERED:
        del good[next(iter(good))]
    good[name] = value
