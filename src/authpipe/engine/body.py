"""Turns a raw request body into the one functions see: identifiers that are true, and no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from authpipe.engine.fields import IDENTIFIERS
from authpipe.errors import InvalidArgument
from authpipe.model import JsonObject

#: `connection` of a sign-up or sign-in body → the member that carries its credentials (contract.md, section 4.4)
PAYLOADS = {"PASSWORD": "passwordPayload", "PASSCODE": "passCodePayload", "LDAP": "ldapPayload", "AD": "adPayload"}

#: members removed at any depth, in lower case; compared without regard to case
SECRET_MEMBERS = frozenset(
    [
        "password",
        "oldpassword",
        "old_password",
        "newpassword",
        "new_password",
        "confirmpassword",
        "confirm_password",
        "passwordconfirmation",
        "client_secret",
        "clientsecret",
        "client_assertion",
        "refresh_token",
        "refreshtoken",
        "code_verifier",
        "codeverifier",
        "passcode",
        "pass_code",
        "phonecode",
        "emailcode",
        "oldphonepasscode",
        "newphonepasscode",
        "oldemailpasscode",
        "newemailpasscode",
        "phonepasscodeforinformationcompletion",
        "emailpasscodeforinformationcompletion",
        "accesskeysecret",
        "access_key_secret",
    ]
)
_REMOVED = SECRET_MEMBERS | {"__proto__"}

#: where a value that names the account may stand in a payload, beside the identifiers themselves
_ACCOUNT, _DIRECTORY_NAME = "account", "sAMAccountName"
_NAMING = (*IDENTIFIERS, _ACCOUNT, _DIRECTORY_NAME)
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{3,18}[0-9]")


def normalise_body(raw: object, identifiers: JsonObject | None) -> JsonObject:
    """`context.request.body` for functions, from what the client sent; `raw` itself is not changed.

    `identifiers` ({"email"?, "phone"?, "username"?}) is what the identity host really uses; without it the body
    is resolved: credentials' payload, then `profile`, then, in a body without payloads, the top level. Identifiers
    that are not used are absent. Raises `InvalidArgument` when the body names two different ones.
    Source: contract.md, section 4.4.
    """
    if type(raw) is not dict:
        raw = {}
    body: JsonObject = _cleaned(raw)
    payloads = _payloads(body)
    true = _strings(identifiers) if identifiers is not None else _resolve(body, payloads)
    for payload in payloads:
        for name, value in payload.items():
            if type(value) is not dict and type(value) is not list:
                body.setdefault(name, value)
    _impose(body, true, payloads)
    if "options" in body:
        _lift_context(body)
    return body


def without_secrets(value: JsonObject) -> JsonObject:
    """`value` with every secret member removed at any depth; the same object when there is none."""
    return _cleaned(value) if _is_dirty(value) else value


def _is_dirty(value: Any) -> bool:
    if type(value) is list:
        return any((type(item) is dict or type(item) is list) and _is_dirty(item) for item in value)
    for name, item in value.items():
        if name.lower() in _REMOVED or ((type(item) is dict or type(item) is list) and _is_dirty(item)):
            return True
    return False


def _cleaned(value: Any) -> Any:
    if type(value) is list:
        return [_cleaned(item) if type(item) is dict or type(item) is list else item for item in value]
    made = {}
    for name, item in value.items():
        if name.lower() not in _REMOVED:
            made[name] = _cleaned(item) if type(item) is dict or type(item) is list else item
    return made


def _payloads(body: JsonObject) -> list[JsonObject]:
    """The payload `connection` names, or else all there are."""
    connection = body.get("connection")
    if type(connection) is str:
        named = body.get(PAYLOADS.get(connection.upper(), ""))
        if type(named) is dict:
            return [named]
    return [body[name] for name in PAYLOADS.values() if type(body.get(name)) is dict]


def _resolve(body: JsonObject, payloads: list[JsonObject]) -> dict[str, str]:
    true = _collect(payloads)
    if not true and not any(payload.get(name) is not None for payload in payloads for name in _NAMING):
        # A payload that names nobody is no reason to hide what a host without payloads would read.
        true = _collect((body,))
    profile = body.get("profile")
    if type(profile) is dict:
        for name in IDENTIFIERS:
            if name not in true and type(value := profile.get(name)) is str and value:
                true[name] = value
    return true


def _collect(places: Iterable[JsonObject]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place in places:
        for name in _NAMING:
            value = place.get(name)
            if type(value) is not str or not value:
                continue
            kind = _kind(name, value)
            if found.setdefault(kind, value) != value:
                raise InvalidArgument(
                    f"context.request.body names two different values for {kind}: say in identifiers which is used."
                )
    return found


def _kind(name: str, value: str) -> str:
    if name == _DIRECTORY_NAME:
        return "username"
    if name != _ACCOUNT:
        return name
    if "@" in value:
        return "email"
    return "phone" if _PHONE.fullmatch(value) else "username"


def _strings(source: JsonObject) -> dict[str, str]:
    return {name: value for name in IDENTIFIERS if type(value := source.get(name)) is str and value}


def _impose(body: JsonObject, true: dict[str, str], payloads: list[JsonObject]) -> None:
    for name in IDENTIFIERS:
        if name in true:
            body[name] = true[name]
        elif name in body:
            del body[name]
    for name in (_ACCOUNT, _DIRECTORY_NAME):
        if name not in body:
            continue
        value = next((payload[name] for payload in payloads if name in payload), body[name])
        if value in true.values():
            body[name] = value
        else:
            del body[name]


def _lift_context(body: JsonObject) -> None:
    options = body["options"]
    if type(options) is dict and "context" in options:
        body.setdefault("context", options["context"])
