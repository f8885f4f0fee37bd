"""Environment values as their author sees them: variables and write-only secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from authpipe.control.texts import unicode_text
from authpipe.errors import InvalidArgument, PayloadTooLarge
from authpipe.model import Clock, PlanChanged
from authpipe.settings import LimitSettings
from authpipe.storage.environment import Environment
from authpipe.storage.environment import EnvironmentValue as StoredValue
from authpipe.storage.timestamps import rfc3339

Announce = Callable[[PlanChanged], Awaitable[None]]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NAME_LIMIT = 128
#: shorter ones cannot be redacted without spoiling other text
_SECRET_MINIMUM = 8


class EnvironmentValue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One environment value on the wire; a secret has no `value`."""

    key: str
    value: str | msgspec.UnsetType = msgspec.UNSET
    secret: bool
    #: RFC 3339 with milliseconds
    updated_at: str


class EnvironmentValues:
    """Lists, sets and deletes the environment values of a user pool."""

    def __init__(self, environment: Environment, limits: LimitSettings, *, announce: Announce, clock: Clock) -> None:
        self._environment, self._limits = environment, limits
        self._announce, self._clock = announce, clock

    async def list(self, *, pool_id: str) -> list[EnvironmentValue]:
        """The values by key, secrets without their value."""
        return [_view(each) for each in await self._environment.list(pool_id=pool_id)]

    async def put(self, *, pool_id: str, key: object, value: object, secret: object = None) -> EnvironmentValue:
        """Set a value; what is not a string is stored as its JSON text; `secret` None keeps what the key was.

        Raises `InvalidArgument`, `PayloadTooLarge`, `QuotaExceeded`, `NotFound`.
        """
        if secret is not None and not isinstance(secret, bool):
            raise InvalidArgument("secret must be true or false.")
        stored = await self._environment.put(
            pool_id=pool_id,
            name=_checked_name(key),
            value=self._checked_value(value),
            secret=secret,
            check=_check_secret,
            quota=self._limits.environment_values,
            at=self._clock.now(),
        )
        await self._announce(PlanChanged(pool_id))
        return _view(stored)

    async def delete(self, *, pool_id: str, key: object) -> None:
        """Forget a value. Raises `NotFound`, `InvalidArgument`."""
        await self._environment.delete(pool_id=pool_id, name=_checked_name(key))
        await self._announce(PlanChanged(pool_id))

    def _checked_value(self, value: Any) -> str:
        text = value if isinstance(value, str) else _json_text(value)
        if not unicode_text(text, field="value"):
            raise InvalidArgument("value must not be empty.")
        limit = self._limits.environment_value_bytes
        if len(text.encode()) > limit:
            raise PayloadTooLarge(f"value must be at most {limit} bytes.")
        return text


def _checked_name(key: object) -> str:
    if not isinstance(key, str) or len(key) > _NAME_LIMIT or not _NAME.fullmatch(key):
        raise InvalidArgument(
            f"key must be 1 to {_NAME_LIMIT} letters, digits and underscores, and not begin with a digit."
        )
    return key


def _json_text(value: Any) -> str:
    if value is None:
        raise InvalidArgument("value is required.")
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument("value must be a string or another JSON value.") from error


def _check_secret(value: str, secret: bool) -> None:
    if secret and len(value) < _SECRET_MINIMUM:
        raise InvalidArgument(f"A secret must have at least {_SECRET_MINIMUM} characters.")


def _view(stored: StoredValue) -> EnvironmentValue:
    return EnvironmentValue(
        key=stored.name,
        value=msgspec.UNSET if stored.value is None else stored.value,
        secret=stored.secret,
        updated_at=rfc3339(stored.updated_at),
    )
