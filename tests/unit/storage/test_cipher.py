"""Sealing, what breaks a seal, and the key file."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authpipe.storage.cipher import Cipher, SealBroken, load_or_create

KEY = bytes(range(32))


@given(plain=st.binary(max_size=200), pool_id=st.text(max_size=30), name=st.text(max_size=30))
def test_what_was_sealed_opens_for_the_same_pool_and_name(plain: bytes, pool_id: str, name: str) -> None:
    cipher = Cipher(KEY)
    sealed = cipher.seal(plain, pool_id=pool_id, name=name)
    assert len(sealed) == len(plain) + 30
    assert cipher.open(sealed, pool_id=pool_id, name=name) == plain


@given(position=st.integers(0, 29 + len(b"plain")), bit=st.integers(0, 7))
def test_a_seal_with_any_bit_changed_does_not_open(position: int, bit: int) -> None:
    cipher = Cipher(KEY)
    sealed = bytearray(cipher.seal(b"plain", pool_id="p", name="n"))
    sealed[position] ^= 1 << bit
    with pytest.raises(SealBroken):
        cipher.open(bytes(sealed), pool_id="p", name="n")


@pytest.mark.parametrize(("pool_id", "name"), [("q", "n"), ("p", "m"), ("pn", ""), ("", "pn"), ("n", "p")])
def test_a_seal_opens_nowhere_else(pool_id: str, name: str) -> None:
    cipher = Cipher(KEY)
    sealed = cipher.seal(b"plain", pool_id="p", name="n")
    with pytest.raises(SealBroken):
        cipher.open(sealed, pool_id=pool_id, name=name)


@pytest.mark.parametrize("sealed", [b"", b"\x01", bytes(29), b"x" * 60])
def test_what_is_no_seal_does_not_open(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        Cipher(KEY).open(sealed, pool_id="p", name="n")
    with pytest.raises(SealBroken):
        Cipher(KEY).open(Cipher(KEY).seal(b"", pool_id="p", name="n")[:2] + sealed, pool_id="p", name="n")


def test_another_key_does_not_open_and_says_so() -> None:
    sealed = Cipher(KEY).seal(b"plain", pool_id="p", name="n")
    with pytest.raises(SealBroken, match="another server key"):
        Cipher(b"\x01" + KEY[1:]).open(sealed, pool_id="p", name="n")


def test_the_same_plain_text_is_never_sealed_the_same() -> None:
    cipher = Cipher(KEY)
    assert len({cipher.seal(b"plain", pool_id="p", name="n") for _ in range(100)}) == 100


def test_derived_keys_depend_on_label_and_key_alone() -> None:
    derived = Cipher(KEY).derive("one")
    assert len(derived) == 32
    assert derived == Cipher(KEY).derive("one")
    assert len({derived, Cipher(KEY).derive("two"), Cipher(bytes(32)).derive("one"), KEY}) == 4


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cipher(key)


def test_a_key_file_is_made_for_its_owner_alone_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "data" / "server.key"
    sealed = load_or_create(path).seal(b"plain", pool_id="p", name="n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create(path).open(sealed, pool_id="p", name="n") == b"plain"
    assert [each.name for each in path.parent.iterdir()] == ["server.key"]
    assert len(base64.b64decode(path.read_bytes())) == 32


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    assert load_or_create(tmp_path / "a").derive("x") != load_or_create(tmp_path / "b").derive("x")


def test_many_that_start_at_once_end_up_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        ciphers = list(threads.map(lambda _: load_or_create(tmp_path / "server.key"), range(16)))
    assert len({cipher.derive("x") for cipher in ciphers}) == 1


@pytest.mark.parametrize("content", [b"", b"not base64!", base64.b64encode(bytes(31)), bytes(32)])
def test_a_file_that_holds_no_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "server.key"
    path.write_bytes(content)
    with pytest.raises(SealBroken, match="does not hold a server key"):
        load_or_create(path)
    assert path.read_bytes() == content
