"""Changing pool settings by their wire names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from authpipe.control.user_pools import changed_settings
from authpipe.errors import InvalidArgument
from authpipe.model import FailurePolicy, PoolSettings, RecordLevel

#: wire name → a value other than the default
OTHER: dict[str, Any] = {
    "timeZone": "Europe/Berlin",
    "failurePolicy": "genauth",
    "showThrownMessages": True,
    "strictCustomData": True,
    "m2mUser": "null",
    "legacyContext": True,
    "allowProtectedClaims": True,
    "runsPerWorker": 64,
    "jit": True,
    "recordLevel": "full",
}


def test_every_setting_can_be_changed() -> None:
    assert OTHER.keys() == msgspec.to_builtins(PoolSettings()).keys()
    assert msgspec.to_builtins(changed_settings(PoolSettings(), OTHER)) == OTHER


def test_what_is_not_named_stays() -> None:
    before = PoolSettings(failure_policy=FailurePolicy.GENAUTH, jit=True)
    after = changed_settings(before, {"recordLevel": "none"})
    assert after == msgspec.structs.replace(before, record_level=RecordLevel.NONE)
    assert changed_settings(before, {}) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeZone", 7),
        ("failurePolicy", "open"),
        ("showThrownMessages", "yes"),
        ("strictCustomData", 1),
        ("m2mUser", "none"),
        ("m2mUser", None),
        ("runsPerWorker", 0),
        ("runsPerWorker", 65),
        ("runsPerWorker", 1.5),
        ("runsPerWorker", True),
        ("jit", None),
        ("recordLevel", "all"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=name):
        changed_settings(PoolSettings(), {name: value})


@pytest.mark.parametrize("name", ["time_zone", "", "__proto__", "x" * 1000])
def test_an_unknown_setting_is_refused_and_the_known_ones_named(name: str) -> None:
    with pytest.raises(InvalidArgument, match="timeZone, failurePolicy") as refused:
        changed_settings(PoolSettings(), {name: True})
    assert len(refused.value.message) < 400
