"""What a caller may say about a function, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from authpipe.control import draft as drafts
from authpipe.errors import InvalidArgument, PayloadTooLarge
from authpipe.model import Scene

GOOD = {
    "funcName": "n",
    "funcDescription": "two\nlines",
    "isAsynchronous": True,
    "timeout": 60,
    "terminateOnTimeout": False,
    "enabled": False,
}
WRONG: list[tuple[str, Any]] = [
    ("funcName", 1),
    ("funcName", ""),
    ("funcName", " "),
    ("funcName", "x" * 65),
    ("funcName", "two\nlines"),
    ("funcName", "nul\0"),
    ("funcName", "\ud800"),
    ("funcDescription", 1),
    ("funcDescription", "x" * 1001),
    ("funcDescription", "nul\0"),
    ("funcDescription", "\udfff"),
    ("isAsynchronous", 1),
    ("isAsynchronous", "true"),
    ("timeout", 0),
    ("timeout", 61),
    ("timeout", -1),
    ("timeout", 3.5),
    ("timeout", "3"),
    ("timeout", True),
    ("timeout", []),
    ("terminateOnTimeout", 0),
    ("enabled", "false"),
]


def test_every_field_is_taken_over() -> None:
    assert drafts.values_of(GOOD) == {
        "name": "n",
        "description": "two\nlines",
        "asynchronous": True,
        "timeout": 60,
        "terminate_on_timeout": False,
        "enabled": False,
    }


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_is_refused_by_one_sentence_that_names_the_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=rf"^{field} must [^.]*\.$"):
        drafts.values_of(GOOD | {field: value})


def test_null_is_not_set_and_strange_fields_are_ignored() -> None:
    assert drafts.values_of(dict.fromkeys(GOOD)) == {}
    assert drafts.values_of({"scene": 7, "funcId": [], "__proto__": {}, "name": "x", "pool_id": "y"}) == {}


def test_a_new_function_gets_defaults_and_needs_a_name() -> None:
    assert drafts.new_values({"funcName": "企业"}) == {
        "name": "企业",
        "description": "",
        "asynchronous": False,
        "timeout": None,
        "terminate_on_timeout": None,
        "enabled": True,
    }
    for draft in ({}, {"funcName": None}, {"timeout": 3}):
        with pytest.raises(InvalidArgument, match=r"^funcName is required\.$"):
            drafts.new_values(draft)


def test_the_longest_name_and_description_are_taken() -> None:
    values = drafts.values_of({"funcName": "业" * 64, "funcDescription": "业" * 1000})
    assert (len(values["name"]), len(values["description"])) == (64, 1000)


@pytest.mark.parametrize("source", [7, [], "", " \n", "\ud800"])
def test_a_source_that_is_no_text_is_refused(source: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^sourceCode must [^.]*\.$"):
        drafts.source_of({"sourceCode": source}, 100)


def test_the_limit_of_a_source_counts_bytes() -> None:
    assert drafts.source_of({"sourceCode": "企" * 33}, 99) == "企" * 33
    with pytest.raises(PayloadTooLarge, match="99 bytes"):
        drafts.source_of({"sourceCode": "企" * 33 + "a"}, 99)
    assert drafts.source_of({}, 99) is None


@pytest.mark.parametrize("value", [None, 1, "", " ", [], {}, "x" * 65, "a\nb"])
def test_a_function_id_is_a_short_line(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^funcId must"):
        drafts.function_id_of(value)


@pytest.mark.parametrize("value", [None, "abc", {"0": "a"}, [1], [""], [None], ["a", "a"], [["a"]]])
def test_an_order_is_a_list_of_different_ids(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^order must"):
        drafts.order_of(value)


def test_a_good_order_is_taken() -> None:
    assert drafts.order_of(["b", "a"]) == ["b", "a"]
    assert drafts.order_of([]) == []


def test_the_scene_is_required_and_may_be_an_alias() -> None:
    assert drafts.scene_of({"scene": "PRE_OIDCTOKENISSUED"}) is Scene.PRE_OIDC_ID_TOKEN_ISSUED
    with pytest.raises(InvalidArgument, match=r"^scene is required\.$"):
        drafts.scene_of({})
    for scene in ("pre_register", "", 7, [], {}):
        with pytest.raises(InvalidArgument, match=r"^scene must be one of"):
            drafts.scene_of({"scene": scene})
