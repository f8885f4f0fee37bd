"""Environment values as their author sees them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from authpipe.errors import InvalidArgument, NotFound, PayloadTooLarge, QuotaExceeded
from authpipe.model import Scene

WHEN = "2023-11-14T22:13:20.000Z"


@pytest.fixture
def put(control: Any, pool_id: str) -> Any:
    async def put(key: Any, value: Any, secret: Any = None) -> Any:
        return await control.environment.put(pool_id=pool_id, key=key, value=value, secret=secret)

    return put


async def seen_by_functions(control: Any, pool_id: str) -> dict[str, str]:
    return dict((await control.plans.load(pool_id=pool_id, scene=Scene.PRE_REGISTER)).environment)


async def test_variables_and_secrets_on_the_wire(control: Any, pool_id: str, put: Any) -> None:
    await put("VARIABLE", "v")
    await put("SECRET", "long enough", True)
    assert msgspec.to_builtins(await control.environment.list(pool_id=pool_id)) == [
        {"key": "SECRET", "secret": True, "updatedAt": WHEN},
        {"key": "VARIABLE", "value": "v", "secret": False, "updatedAt": WHEN},
    ]
    assert await seen_by_functions(control, pool_id) == {"VARIABLE": "v", "SECRET": "long enough"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), (True, "true"), ({"a": ["企业", None]}, '{"a":["企业",null]}'), ([], "[]"), (1.5, "1.5"), (" ", " ")],
)
async def test_what_is_no_string_becomes_its_json(put: Any, value: Any, text: str) -> None:
    assert (await put("A", value)).value == text


@pytest.mark.parametrize("value", [None, "", "\ud800", float("nan"), {"a": float("inf")}, {"a": "\ud800"}])
async def test_what_is_no_value_is_refused(control: Any, pool_id: str, put: Any, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^value "):
        await put("A", value)
    assert await control.environment.list(pool_id=pool_id) == []


@pytest.mark.parametrize("key", [None, 7, "", "1A", "A-B", "A B", "Ä", "A\n", "A.B", "x" * 129, "__proto__ "])
async def test_a_key_is_an_identifier(control: Any, pool_id: str, put: Any, key: Any) -> None:
    for attempt in (put(key, "v"), control.environment.delete(pool_id=pool_id, key=key)):
        with pytest.raises(InvalidArgument, match=r"^key must"):
            await attempt


@pytest.mark.parametrize("key", ["A", "_", "a1_", "x" * 128, "__proto__"])
async def test_identifiers_are_taken(put: Any, key: str) -> None:
    assert (await put(key, "v")).key == key


async def test_a_short_secret_is_refused_also_when_the_key_is_one_already(put: Any) -> None:
    with pytest.raises(InvalidArgument, match="at least 8"):
        await put("A", "1234567", True)
    await put("A", "12345678", True)
    with pytest.raises(InvalidArgument, match="at least 8"):
        await put("A", "1234567")
    with pytest.raises(InvalidArgument, match="secret"):
        await put("A", "12345678", "yes")


async def test_limits_of_size_and_number(put: Any) -> None:
    await put("A", "业" * 10)
    with pytest.raises(PayloadTooLarge, match="30 bytes"):
        await put("A", "业" * 10 + "a")
    await put("B", "v")
    await put("C", "v")
    with pytest.raises(QuotaExceeded):
        await put("D", "v")
    assert (await put("C", "again")).value == "again"


async def test_changes_are_announced_and_deleting_works_once(control: Any, pool_id: str, put: Any) -> None:
    await put("A", "v")
    await control.environment.delete(pool_id=pool_id, key="A")
    with pytest.raises(NotFound):
        await control.environment.delete(pool_id=pool_id, key="A")
    assert control.announced == [pool_id, pool_id]
    assert await seen_by_functions(control, pool_id) == {}
