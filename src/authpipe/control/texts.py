"""What text from outside must be like before it is stored."""

from __future__ import annotations

import unicodedata

from authpipe.errors import InvalidArgument


def one_line(value: object, *, field: str, limit: int) -> str:
    """`value` when it is 1 to `limit` characters without control characters; else `InvalidArgument` names `field`."""
    text = unicode_text(value, field=field)
    if not text.strip():
        raise InvalidArgument(f"{field} must not be empty.")
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise InvalidArgument(f"{field} must not contain control characters.")
    return at_most(text, field=field, limit=limit)


def at_most(text: str, *, field: str, limit: int) -> str:
    """`text` when it has at most `limit` characters; else `InvalidArgument` names `field`."""
    if len(text) > limit:
        raise InvalidArgument(f"{field} must have at most {limit} characters.")
    return text


def unicode_text(value: object, *, field: str) -> str:
    """`value` when it is text that can be stored as UTF-8; else `InvalidArgument` names `field`."""
    if not isinstance(value, str):
        raise InvalidArgument(f"{field} must be a string.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{field} must be valid Unicode text.") from error
    return value
