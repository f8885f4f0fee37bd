"""Access keys of a user pool: more of them, and their revocation."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

import msgspec

from authpipe.control.texts import one_line
from authpipe.ids import NewId
from authpipe.model import Clock, PlanChanged
from authpipe.storage.keys import AccessKey, AccessKeys

Announce = Callable[[PlanChanged], Awaitable[None]]

_KEY_ID_LIMIT = 64
#: active keys of one user pool
_QUOTA = 20


class CreatedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new access key; its secret is shown this once."""

    access_key_id: str
    access_key_secret: str


class PoolKeys:
    """Creates, lists and revokes the access keys of a user pool."""

    def __init__(
        self,
        keys: AccessKeys,
        *,
        announce: Announce,
        clock: Clock,
        new_id: NewId,
        new_secret: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self._keys, self._announce, self._clock = keys, announce, clock
        self._new_id, self._new_secret = new_id, new_secret

    async def create(self, *, pool_id: str) -> CreatedKey:
        """Another access key. Raises `NotFound`, `QuotaExceeded`."""
        key_id, secret, at = self._new_id(), self._new_secret(), self._clock.now()
        sealed = self._keys.seal(pool_id=pool_id, access_key_id=key_id, secret=secret, at=at)
        await self._keys.add(sealed, pool_id=pool_id, quota=_QUOTA)
        return CreatedKey(access_key_id=key_id, access_key_secret=secret)

    async def list(self, *, pool_id: str) -> list[AccessKey]:
        """The pool's keys, oldest first, revoked ones too, without secrets."""
        return await self._keys.list(pool_id=pool_id)

    async def revoke(self, *, pool_id: str, access_key_id: object) -> None:
        """Refuse the key, and every token issued for it, from now on. Raises `NotFound`, `InvalidArgument`."""
        checked = one_line(access_key_id, field="accessKeyId", limit=_KEY_ID_LIMIT)
        await self._keys.revoke(pool_id=pool_id, access_key_id=checked, at=self._clock.now())
        await self._announce(PlanChanged(pool_id))
