"""Builds the `context` functions see from what the identity host says about the request."""

from __future__ import annotations

from typing import Any

import msgspec

from authpipe import wire
from authpipe.engine import geo
from authpipe.engine.body import normalise_body, without_secrets
from authpipe.engine.fields import IDENTIFIERS, UNSAFE_KEYS
from authpipe.model import JsonObject, Plan, Scene

#: request headers no function sees, in lower case
HIDDEN_HEADERS = frozenset(
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "password",
        "x-api-key",
        "x-authing-token",
        "x-authing-signature",
        "x-genauth-signature",
    ]
)

#: names the caller's own context never takes, whether the host has set them or not (contract.md, section 4.5)
RESERVED = UNSAFE_KEYS | frozenset(
    [
        "protocol",
        "connection",
        "userPoolId",
        "userPoolName",
        "userPoolMetadata",
        "appId",
        "appName",
        "appMetadata",
        "application",
        "request",
        "ip",
        "geo",
        "headers",
        "data",
        "userPool",
        "accessTokenTarget",
        "ldapConfiguration",
        "samlConfiguration",
        "oidcConfiguration",
    ]
)

#: `protocol` → its spelling of 2020
LEGACY_PROTOCOLS = {"password": "basic", "sms": "basic"}
#: `connection` values that stand for a configured directory or for the own database, not for a social login
_NOT_SOCIAL = frozenset({"authing", "ldap", "saml", "oidc"})

_REGISTERING = frozenset({Scene.PRE_REGISTER, Scene.POST_REGISTER})
#: where `registerMethod` is guessed from, best first
_METHODS = ("unionid", "email", "phone", "username")


def build_context(
    context: JsonObject, *, plan: Plan, identifiers: JsonObject | None = None, has_user: bool = True
) -> JsonObject:
    """The context for the first function of `plan`; `context` itself is not changed.

    `has_user` False says that the access token is for a program. Raises `InvalidArgument` for a body that names two
    different identifiers. Source: contract.md, sections 4.3 to 4.5.
    """
    pool, scene = plan.pool, plan.scene
    request = _request(context)
    body = request["body"] = normalise_body(request.get("body"), identifiers)
    if scene in _REGISTERING:
        _register_defaults(body)
    made = dict(context)
    made.pop("__proto__", None)
    made["protocol"] = context.get("protocol")
    made["connection"] = context.get("connection")
    _add_pool(made, pool.pool_id, pool.name)
    _add_application(made)
    made["request"] = request
    made["ip"] = request["ip"]
    made["geo"] = request["geo"]
    made["headers"] = request["headers"]
    made["data"] = _data(body, pool.pool_id)
    made.pop("accessTokenTarget", None)
    if scene is Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED:
        made["accessTokenTarget"] = _target(context, has_user)
    if "context" in body:
        _merge_caller(made, body["context"])
    if plan.pool.settings.legacy_context:
        _respell(made)
    return made


def _request(context: JsonObject) -> JsonObject:
    given = context.get("request")
    request: JsonObject = dict(given) if type(given) is dict else {}
    if "ip" not in request:
        request["ip"] = context.get("ip")
    request["geo"] = geo.complete(request.get("geo") or context.get("geo"))
    query = request.get("query")
    request["query"] = without_secrets(query) if type(query) is dict else {}
    request["headers"] = _headers(request.get("headers") or context.get("headers"))
    return request


def _headers(given: object) -> JsonObject:
    if type(given) is not dict:
        return {}
    if HIDDEN_HEADERS.isdisjoint(map(str.lower, given)):
        return given
    return {name: value for name, value in given.items() if name.lower() not in HIDDEN_HEADERS}


def _register_defaults(body: JsonObject) -> None:
    if type(body.get("profile")) is not dict:
        body["profile"] = {}
    if body.get("forceLogin") is not True:
        body["forceLogin"] = False


def _add_pool(made: JsonObject, pool_id: str, name: str) -> None:
    made["userPoolId"] = pool_id
    made["userPoolName"] = name
    metadata: JsonObject = {"id": pool_id, "name": name, "logo": None, "domain": None}
    metadata["description"] = metadata["ownerId"] = None
    given = made.get("userPoolMetadata")
    if type(given) is dict:
        metadata.update(given)
        metadata["id"] = pool_id
    made["userPoolMetadata"] = metadata
    made["userPool"] = {
        "id": pool_id,
        "_id": pool_id,
        "name": name,
        "logo": metadata["logo"],
        "registerDisabled": False,
    }


def _add_application(made: JsonObject) -> None:
    app_id = made.setdefault("appId", None)
    name = made.setdefault("appName", None)
    if type(made.get("appMetadata")) is not dict:
        made["appMetadata"] = {} if app_id is None else {"id": app_id, "name": name}
    if type(made.get("application")) is not dict:
        made["application"] = {"id": app_id, "name": name}


def _data(body: JsonObject, pool_id: str) -> JsonObject:
    # Payloads and the like stay out: what they say is flattened, and every byte here is encoded once a function.
    flat = {name: value for name, value in body.items() if type(value) is not dict and type(value) is not list}
    given = body.get("profile")
    profile = given if type(given) is dict else {}
    user_info = {**profile, **flat} if profile else flat.copy()
    for name in IDENTIFIERS:
        if name not in body and name in user_info:
            del user_info[name]
    user_info["registerInClient"] = pool_id
    if "registerMethod" not in user_info:
        user_info["registerMethod"] = _register_method(user_info)
    flat["forceLogin"] = body.get("forceLogin") is True
    flat["profile"] = profile
    flat["userInfo"] = user_info
    return flat


def _register_method(user_info: JsonObject) -> str | None:
    return next((f"default:{name}" for name in _METHODS if user_info.get(name)), None)


def _target(context: JsonObject, has_user: bool) -> str:
    program = not has_user or context.get("accessTokenTarget") == "programmaticAccount"
    return "programmaticAccount" if program else "user"


def _merge_caller(made: JsonObject, given: Any) -> None:
    if type(given) is str:
        given = _parse(given)
    if type(given) is dict:
        for name, value in given.items():
            if name not in RESERVED:
                made.setdefault(name, value)


def _parse(text: str) -> JsonObject | None:
    encoded = text.encode("utf-8", "replace")
    if wire.too_deep(encoded):
        return None
    try:
        return without_secrets(msgspec.json.decode(encoded, type=dict[str, Any]))
    except msgspec.DecodeError:
        return None


def _respell(made: JsonObject) -> None:
    protocol, connection = made["protocol"], made["connection"]
    made["protocol"] = LEGACY_PROTOCOLS.get(protocol, protocol) if type(protocol) is str else protocol
    if type(connection) is str and connection.partition(":")[0] not in _NOT_SOCIAL | {"social"}:
        made["connection"] = "social:" + connection.replace(":", "-")
