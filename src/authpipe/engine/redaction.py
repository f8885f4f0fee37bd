"""Takes a user pool's secrets out of text and JSON before they are stored or shown."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

MARK = "[redacted]"

#: shortest secret whose encoded forms are looked for; pieces of shorter ones occur by chance
_ENCODED_FROM = 6
#: what `encodeURIComponent` leaves as it is, beyond Python's own choice
_JAVASCRIPT_SAFE = "!'()*"


class Redactor:
    """Replaces secrets by a mark: as they are, URL-encoded, as JSON text, in base64 (also amid other bytes), in hex."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        return text if self._pattern is None else self._pattern.sub(MARK, text)

    def json(self, value: Any) -> Any:
        """`value` (JSON as parsed) without secrets in its strings and keys; the same object when there are none."""
        return value if self._pattern is None else self._redacted(value)

    def _redacted(self, value: Any) -> Any:
        if type(value) is str:
            return self.text(value)
        if type(value) is dict:
            return {self.text(name): self._redacted(item) for name, item in value.items()}
        if type(value) is list or type(value) is tuple:
            return [self._redacted(item) for item in value]
        return value


def _forms(secret: str) -> Iterator[str]:
    yield secret
    for ascii_only in (True, False):
        yield json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
    if len(secret) < _ENCODED_FROM:
        return
    encoded = secret.encode("utf-8", "surrogatepass")
    for safe in ("", "/", _JAVASCRIPT_SAFE):
        for url in (quote(encoded, safe=safe), quote_plus(encoded, safe=safe)):
            yield url
            yield re.sub("%..", lambda match: match[0].lower(), url)
    yield encoded.hex()
    yield encoded.hex().upper()
    for core in _base64_cores(encoded):
        yield core
        yield core.replace("+", "-").replace("/", "_")


def _base64_cores(encoded: bytes) -> Iterator[str]:
    whole = base64.b64encode(encoded).decode()
    yield whole
    yield whole.rstrip("=")
    # What three bytes share four characters with depends on where they start, so each start has its own text;
    # characters that also hold bits of a neighbour are cut off.
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + encoded).decode().rstrip("=")
        partial = (offset + len(encoded)) % 3 != 0
        yield text[(0, 2, 3)[offset] : len(text) - partial]
