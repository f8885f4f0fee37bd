"""A geo object can be read in both dialects."""

import pytest

from authpipe.engine.geo import complete

DETAIL = {"province": "湖南省", "city": "长沙市", "city_code": "430100"}


@pytest.mark.parametrize("given", [None, {}, "somewhere", [1], 5])
def test_an_unknown_place_is_an_empty_object(given: object):
    assert complete(given) == {}


def test_the_current_dialect_gains_the_older_one():
    given = {"province": "湖南省", "city": "长沙市", "adcode": "430100"}
    assert complete(given) == {**given, "address": "湖南省长沙市", "address_detail": DETAIL}
    assert "address" not in given


def test_a_municipality_is_written_once():
    assert complete({"province": "北京市", "city": "北京市"})["address"] == "北京市"


def test_the_older_dialect_gains_the_current_one():
    given = {"address": "湖南省长沙市", "address_detail": DETAIL, "point": {"x": "1"}}
    assert complete(given) == {**given, "province": "湖南省", "city": "长沙市", "adcode": "430100"}


@pytest.mark.parametrize("given", [{"country": "NZ"}, {"address_detail": "none"}])
def test_what_is_in_neither_dialect_stays_as_it_is(given: dict[str, object]):
    assert complete(given) == given


def test_what_the_host_says_wins():
    given = {"city": "A", "address": "own", "address_detail": {"city": "B"}}
    assert complete(given) == given
    assert complete({"province": 5, "city": "B"})["address"] == "B"
