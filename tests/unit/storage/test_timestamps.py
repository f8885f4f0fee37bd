"""Times on the wire."""

import pytest

from authpipe.storage.timestamps import rfc3339


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_656_818_430, "2022-07-03T03:20:30.000Z"),
        (1_656_818_430.1239, "2022-07-03T03:20:30.123Z"),
        (1_656_818_430.9999, "2022-07-03T03:20:30.999Z"),
    ],
)
def test_a_time_has_milliseconds_and_z(seconds: float, text: str) -> None:
    assert rfc3339(seconds) == text
