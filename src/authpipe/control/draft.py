"""What a caller may say about a function: the closed table of fields, and how each is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from authpipe.control.texts import at_most, one_line, unicode_text
from authpipe.errors import InvalidArgument, PayloadTooLarge
from authpipe.model import JsonObject, Scene

_NAME_LIMIT = 64
_DESCRIPTION_LIMIT = 1000
_TIMEOUTS = range(1, 61)


class Field(msgspec.Struct, frozen=True):
    """One field: where it is kept, what it must be, what it is when a new function does not set it."""

    column: str
    check: Callable[[object, str], Any]
    default: Any = None


def _name(value: object, field: str) -> str:
    return one_line(value, field=field, limit=_NAME_LIMIT)


def _description(value: object, field: str) -> str:
    text = unicode_text(value, field=field)
    if "\0" in text:
        raise InvalidArgument(f"{field} must not contain control characters.")
    return at_most(text, field=field, limit=_DESCRIPTION_LIMIT)


def _boolean(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgument(f"{field} must be true or false.")
    return value


def _seconds(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in _TIMEOUTS:
        raise InvalidArgument(f"{field} must be a whole number of seconds from {_TIMEOUTS[0]} to {_TIMEOUTS[-1]}.")
    return value


#: wire name → field. Source: contract.md, section 6.4
FIELDS: dict[str, Field] = {
    "funcName": Field("name", _name),
    "funcDescription": Field("description", _description, ""),
    "isAsynchronous": Field("asynchronous", _boolean, False),
    "timeout": Field("timeout", _seconds),
    "terminateOnTimeout": Field("terminate_on_timeout", _boolean),
    "enabled": Field("enabled", _boolean, True),
}


def values_of(draft: JsonObject) -> dict[str, Any]:
    """Column → checked value of the fields `draft` sets; null is not set, other fields are ignored."""
    return {
        field.column: field.check(draft[name], name) for name, field in FIELDS.items() if draft.get(name) is not None
    }


def new_values(draft: JsonObject) -> dict[str, Any]:
    """Column → value of every field of a new function. Raises `InvalidArgument` when there is no name."""
    required(draft, "funcName")
    return {field.column: field.default for field in FIELDS.values()} | values_of(draft)


def source_of(draft: JsonObject, limit: int) -> str | None:
    """The source `draft` brings, if any. Raises `PayloadTooLarge` above `limit` bytes of UTF-8."""
    value = draft.get("sourceCode")
    if value is None:
        return None
    source = unicode_text(value, field="sourceCode")
    if not source.strip():
        raise InvalidArgument("sourceCode must not be empty.")
    if len(source.encode()) > limit:
        raise PayloadTooLarge(f"sourceCode must be at most {limit} bytes.")
    return source


def function_id_of(value: object) -> str:
    """`value` when it can be a function's id; else `InvalidArgument`."""
    if not isinstance(value, str):
        raise InvalidArgument("funcId must be a string.")
    return one_line(value, field="funcId", limit=_NAME_LIMIT)


def order_of(value: object) -> list[str]:
    """`value` when it is a list of different function ids; else `InvalidArgument`."""
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise InvalidArgument("order must be a list of function ids.")
    if len(set(value)) != len(value):
        raise InvalidArgument("order must not name a function twice.")
    return value


def scene_of(draft: JsonObject) -> Scene:
    """The scene `draft` names. Raises `InvalidArgument`."""
    required(draft, "scene")
    return Scene.parse(draft["scene"])


def required(draft: Mapping[str, Any], name: str) -> None:
    """Raises `InvalidArgument` when `draft` does not set `name`."""
    if draft.get(name) is None:
        raise InvalidArgument(f"{name} is required.")
