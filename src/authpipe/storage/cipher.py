"""Encryption of what is kept secret at rest, and every other key derived from the server key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_VERSION = 1
_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed value was changed, moved, or sealed with another server key."""


class Cipher:
    """AES-256-GCM with a random nonce; a sealed value opens only for the user pool and name it was sealed for.

    Layout: version (1 byte), key id (1), nonce (12), ciphertext and tag.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a server key has {KEY_BYTES} bytes")
        self._key = key
        self._header = bytes((_VERSION, hashlib.sha256(b"authpipe key id" + key).digest()[0]))
        self._aead = AESGCM(self.derive("seal"))

    def seal(self, plain: bytes, *, pool_id: str, name: str) -> bytes:
        """`plain` encrypted; its length grows by 30 bytes."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._header + nonce + self._aead.encrypt(nonce, plain, self._bound_to(pool_id, name))

    def open(self, sealed: bytes, *, pool_id: str, name: str) -> bytes:
        """What was sealed for `pool_id` and `name`. Raises `SealBroken`."""
        if sealed[:2] != self._header:
            raise SealBroken(f"{name} was sealed with another server key, or is not a sealed value")
        try:
            return self._aead.decrypt(sealed[2:14], sealed[14:], self._bound_to(pool_id, name))
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"{name} was changed or belongs elsewhere") from error

    def derive(self, label: str) -> bytes:
        """32 bytes for the one purpose that `label` names (HKDF, RFC 5869)."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"authpipe " + label.encode()).derive(self._key)

    def _bound_to(self, pool_id: str, name: str) -> bytes:
        pool = pool_id.encode()
        return self._header + len(pool).to_bytes(2, "big") + pool + name.encode()


def load_or_create(path: Path) -> Cipher:
    """The cipher of the key file at `path`; a missing one is made, readable by its owner only.

    The file is one line of base64. Two processes that start at once end up with the same key.
    Raises `SealBroken` for a file that holds no key.
    """
    if not path.exists():
        _create(path)
    try:
        return Cipher(base64.b64decode(path.read_bytes().strip(), validate=True))
    except (binascii.Error, ValueError) as error:
        raise SealBroken(f"{path} does not hold a server key") from error


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes 0600; link refuses to replace a key another process has just made.
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
