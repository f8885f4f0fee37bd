"""No form of a secret survives, and nothing else is touched."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authpipe.engine.redaction import MARK, Redactor

SECRET = 'pa$$ w/ö+rd?"1\\'


def test_without_secrets_everything_is_the_same_object():
    redactor = Redactor([])
    value = [{"a": ["text"]}]
    assert redactor.json(value) is value and redactor.text("text") == "text"
    assert not redactor and not Redactor([""]) and Redactor(["secret-1"])


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower(),
        quote(SECRET, safe="!'()*"),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_every_form_is_replaced(form: str):
    assert Redactor([SECRET]).text(f"before {form} after") == f"before {MARK} after"


@pytest.mark.parametrize("lead", ["", "u", "us", "user:", "user1:"])
@pytest.mark.parametrize("tail", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_inside_base64_of_more_is_replaced(lead: str, tail: str, encode):
    secret = "correct horse battery>>>???"
    text = Redactor([secret]).text(encode(f"{lead}{secret}{tail}".encode()).decode())
    assert MARK in text and len(text) <= len(MARK) + 2 * 10


def test_the_longest_secret_is_taken_first():
    redactor = Redactor(["secret-1", "secret-1-and-more"])
    assert redactor.text("secret-1-and-more secret-1") == f"{MARK} {MARK}"


def test_json_is_redacted_in_keys_and_values():
    value = {"secret-1": [{"a": "x secret-1 y"}, 5, None, True, 1.5], "b": "plain"}
    assert Redactor(["secret-1"]).json(value) == {MARK: [{"a": f"x {MARK} y"}, 5, None, True, 1.5], "b": "plain"}


def test_metacharacters_of_a_secret_match_only_themselves():
    redactor = Redactor([".*.*.*.*"])
    assert redactor.text("anything") == "anything" and redactor.text("a.*.*.*.*b") == f"a{MARK}b"


def test_a_lone_surrogate_is_text_like_any_other():
    assert Redactor(["secret\ud800one"]).text("a secret\ud800one") == f"a {MARK}"


_texts = st.text('ab=%+/ "\\.[]redctö', max_size=20)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text('ab=%+/ "\\.*ö\ud800', min_size=8, max_size=40), _texts, _texts)
def test_no_secret_survives_in_text(secret: str, lead: str, tail: str):
    redacted = Redactor([secret]).text(lead + secret + tail)
    assert secret not in redacted.replace(MARK, "\0") or secret in MARK
