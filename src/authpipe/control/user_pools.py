"""User pools as their operator sees them: made with a first access key, configured, deleted."""

from __future__ import annotations

import asyncio
import secrets
import zoneinfo
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from authpipe.control.texts import one_line
from authpipe.errors import InvalidArgument
from authpipe.ids import NewId
from authpipe.model import Clock, JsonObject, PlanChanged, PoolSettings, UserPool
from authpipe.storage.keys import AccessKeys
from authpipe.storage.pools import Pools

Announce = Callable[[PlanChanged], Awaitable[None]]

_NAME_LIMIT = 64
_RUNS_PER_WORKER = range(1, 65)
_M2M_USERS = ("object", "null")


class DeletePool(Protocol):
    """Deletes what another database holds of a user pool."""

    async def __call__(self, *, pool_id: str) -> None:
        """Called once the user pool itself is gone."""
        ...


class CreatedPool(msgspec.Struct, frozen=True, kw_only=True):
    """A new user pool and its first access key, whose secret is shown this once."""

    user_pool: UserPool
    #: the pool id
    access_key_id: str
    access_key_secret: str


class UserPools:
    """Creates, lists, configures and deletes user pools."""

    def __init__(
        self,
        pools: Pools,
        keys: AccessKeys,
        also_delete: Sequence[DeletePool],
        *,
        announce: Announce,
        clock: Clock,
        new_id: NewId,
        new_secret: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self._pools, self._keys, self._also_delete = pools, keys, also_delete
        self._announce, self._clock = announce, clock
        self._new_id, self._new_secret = new_id, new_secret

    async def create(self, name: str) -> CreatedPool:
        """A new user pool. Raises `InvalidArgument` for a name that is empty, long or not one line."""
        name = one_line(name, field="name", limit=_NAME_LIMIT)
        pool_id, secret, at = self._new_id(), self._new_secret(), self._clock.now()
        key = self._keys.seal(pool_id=pool_id, access_key_id=pool_id, secret=secret, at=at)
        user_pool = await self._pools.create(pool_id=pool_id, name=name, first_key=key, at=at)
        await self._announce(PlanChanged(pool_id))
        return CreatedPool(user_pool=user_pool, access_key_id=pool_id, access_key_secret=secret)

    async def list(self) -> list[UserPool]:
        """Every user pool, oldest first."""
        return await self._pools.list()

    async def get(self, *, pool_id: str) -> UserPool:
        """That user pool. Raises `NotFound`."""
        return await self._pools.get(pool_id=pool_id)

    async def delete(self, *, pool_id: str) -> None:
        """Delete the user pool and everything of it. Raises `NotFound`."""
        await self._pools.delete(pool_id=pool_id)
        await self._announce(PlanChanged(pool_id))
        for delete in self._also_delete:
            await delete(pool_id=pool_id)

    async def update_settings(self, *, pool_id: str, changes: JsonObject) -> UserPool:
        """Set the given settings (wire names), leave the others. Raises `NotFound`, `InvalidArgument`."""
        if "timeZone" in changes:
            await _check_time_zone(changes["timeZone"])
        user_pool = await self._pools.update_settings(
            pool_id=pool_id, change=lambda settings: changed_settings(settings, changes)
        )
        await self._announce(PlanChanged(pool_id))
        return user_pool


def changed_settings(settings: PoolSettings, changes: JsonObject) -> PoolSettings:
    """`settings` with `changes` by wire name. Raises `InvalidArgument` with a sentence that names the setting."""
    known: JsonObject = msgspec.to_builtins(settings)
    for name in changes:
        if name not in known:
            raise InvalidArgument(f"There is no pool setting {name!r:.80}; there are {', '.join(known)}.")
    try:
        changed = msgspec.convert(known | changes, PoolSettings)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"A pool setting is wrong: {error}.") from error
    if changed.m2m_user not in _M2M_USERS:
        raise InvalidArgument(f"m2mUser must be one of {', '.join(_M2M_USERS)}.")
    if changed.runs_per_worker not in _RUNS_PER_WORKER:
        raise InvalidArgument(f"runsPerWorker must be {_RUNS_PER_WORKER[0]} to {_RUNS_PER_WORKER[-1]}.")
    return changed


async def _check_time_zone(name: object) -> None:
    known = await asyncio.to_thread(zoneinfo.available_timezones)
    if not isinstance(name, str) or name not in known | {"UTC"}:
        raise InvalidArgument("timeZone must be an IANA time zone such as Europe/Berlin.")
