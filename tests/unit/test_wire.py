"""Frames: what is cut out of a stream, and what is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authpipe import wire


def test_frames_survive_any_cut_of_the_stream() -> None:
    frames = [(wire.FrameType.READY, b'{"run":0}'), (wire.FrameType.RESULT, b"x" * 5000), (wire.FrameType.LOG, b"")]
    stream = b"".join(wire.frame(kind, payload) for kind, payload in frames)
    for size in (1, 3, 7, len(stream)):
        reader = wire.FrameReader()
        got = [frame for at in range(0, len(stream), size) for frame in reader.feed(stream[at : at + size])]
        assert got == frames


@pytest.mark.parametrize(
    "data",
    [
        b"hello, this is not a frame",
        b"\x00\x00\x00\x02\x02\x03",  # version 2
        b"\x00\x00\x00\x02\x01\xff",  # unknown type
        b"\x00\x00\x00\x02\x01\x02",  # a Run, which only the server sends
        b"\x00\x00\x00\x01\x01\x03",  # shorter than its own header
        (64 * 1024 + 3).to_bytes(4, "big") + b"\x01\x04",  # a log line over its limit, refused by its header alone
        (512 * 1024 + 3).to_bytes(4, "big") + b"\x01\x09",
    ],
)
def test_what_is_not_a_frame_is_refused(data: bytes) -> None:
    with pytest.raises(wire.BadFrame):
        list(wire.FrameReader().feed(data))


def test_frames_before_a_bad_one_are_still_delivered() -> None:
    reader = wire.FrameReader()
    frames = reader.feed(wire.frame(wire.FrameType.READY, b"{}") + b"garbage garbage")
    assert next(frames) == (wire.FrameType.READY, b"{}")
    with pytest.raises(wire.BadFrame):
        next(frames)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


@given(
    st.recursive(
        st.text(alphabet='{}[]"\\a') | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='{["\\'), inner, max_size=3),
        max_leaves=30,
    ),
    st.integers(0, 6),
)
def test_depth_is_counted_outside_strings_only(value: object, limit: int) -> None:
    assert wire.too_deep(msgspec.json.encode(value), limit) is (_depth(value) > limit)
