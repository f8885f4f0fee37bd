"""Builds the `user` functions see from the identity host's record or from what is being registered."""

from __future__ import annotations

from authpipe.engine.body import SECRET_MEMBERS
from authpipe.engine.fields import IDENTIFIERS, PROFILE_FIELDS, SEED_FIELDS
from authpipe.model import JsonObject, Plan, Scene

#: user field → whether it has been proved; a submitted change takes the proof away
PROOFS = {"email": "emailVerified", "phone": "phoneVerified"}

#: further members of a record that functions never see
SECRET_FIELDS = SECRET_MEMBERS | frozenset(
    ["salt", "passwordhash", "password_hash", "mfasecret", "otpsecret", "__proto__"]
)

_SUBMITTABLE = tuple(name for name in (*PROFILE_FIELDS, *SEED_FIELDS) if name not in ("blocked", *IDENTIFIERS))


def build_user(user: JsonObject | None, *, plan: Plan, context: JsonObject) -> JsonObject | None:
    """The user for the first function of `plan`; `user` itself is not changed.

    `context` is what `build_context` made. None only for a program's access token in a pool with `m2mUser` "null".
    Source: contract.md, sections 1.2, 3.1 and 3.2.
    """
    scene = plan.scene
    for_program = not user or context.get("accessTokenTarget") == "programmaticAccount"
    if scene is Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED and for_program:
        return None if plan.pool.settings.m2m_user == "null" else _with_accumulators({}, {})
    made = _visible(user or {})
    if scene is Scene.PRE_REGISTER:
        made.pop("id", None)
        made.pop("_id", None)
        for name, value in _submitted(context).items():
            if made.get(name) is None:
                made[name] = value
    elif user:
        _mirror_id(made)
        if scene is Scene.PRE_COMPLETE_USER_INFO:
            _overlay(made, _submitted(context))
    made["userPoolId"] = made["registerInClient"] = plan.pool.pool_id
    return _with_accumulators(made, made.get("customData"))


def _visible(user: JsonObject) -> JsonObject:
    if SECRET_FIELDS.isdisjoint(map(str.lower, user)):
        return dict(user)
    return {name: value for name, value in user.items() if name.lower() not in SECRET_FIELDS}


def _mirror_id(made: JsonObject) -> None:
    if "id" in made:
        made["_id"] = made["id"]
    elif "_id" in made:
        made["id"] = made["_id"]


def _submitted(context: JsonObject) -> JsonObject:
    body = context["request"]["body"]
    profile = body.get("profile")
    # Fields beside a profile are not what a host with profiles stores.
    source = profile if type(profile) is dict and profile else body
    found: JsonObject = {name: value for name in _SUBMITTABLE if type(value := source.get(name)) is str}
    for name in IDENTIFIERS:
        if name in body:
            found[name] = body[name]
    if type(custom := source.get("customData")) is dict:
        found["customData"] = custom
    return found


def _overlay(made: JsonObject, submitted: JsonObject) -> None:
    for name, proof in PROOFS.items():
        if name in submitted and submitted[name] != made.get(name):
            made[proof] = False
    stored = made.get("customData")
    made.update(submitted)
    if type(stored) is dict and "customData" in submitted:
        made["customData"] = {**stored, **submitted["customData"]}


def _with_accumulators(made: JsonObject, stored: object) -> JsonObject:
    made["customData"] = stored if type(stored) is dict else {}
    made["customDataOnce"] = {}
    made["idToken"] = {}
    made["customAccessTokenClaims"] = {}
    made["decryptedToken"] = {}
    return made
