"""Makes up the user and context a draft is tried with when its author gives none."""

from __future__ import annotations

from typing import Any

from authpipe.model import JsonObject, Scene, UserPool

_USER: JsonObject = {
    "id": "5f0000000000000000000001",
    "username": "ada",
    "name": "Ada Lovelace",
    "nickname": "Ada",
    "email": "ada@example.com",
    "emailVerified": True,
    "phone": "13000000000",
    "phoneVerified": True,
    "gender": "F",
    "blocked": False,
    "status": "Activated",
    "registerSource": ["basic:email"],
    "loginsCount": 3,
    "lastLogin": "2026-01-02T03:04:05.000Z",
    "lastIP": "::1",
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-02T03:04:05.000Z",
    "customData": {},
}

#: scene → what the made-up request carries
_BODIES: dict[Scene, JsonObject] = {
    Scene.PRE_REGISTER: {"email": "ada@example.com", "profile": {}, "forceLogin": False},
    Scene.POST_REGISTER: {"email": "ada@example.com", "profile": {}, "forceLogin": False},
    Scene.PRE_AUTHENTICATION: {"email": "ada@example.com"},
    Scene.POST_AUTHENTICATION: {"email": "ada@example.com"},
    Scene.PRE_COMPLETE_USER_INFO: {"username": "ada"},
}


def generate(scene: Scene, pool: UserPool) -> tuple[JsonObject, JsonObject]:
    """A user and a context as `scene` sees them; before registration there is no user yet."""
    user: JsonObject = {} if scene is Scene.PRE_REGISTER else {**_USER, "userPoolId": pool.pool_id, "customData": {}}
    context: dict[str, Any] = {
        "userPoolId": pool.pool_id,
        "userPoolName": pool.name,
        "userPoolMetadata": {
            "id": pool.pool_id,
            "name": pool.name,
            "logo": None,
            "domain": None,
            "description": None,
            "ownerId": None,
        },
        "appId": None,
        "protocol": None,
        "connection": None,
        "request": {"ip": "::1", "geo": {}, "body": dict(_BODIES.get(scene, {})), "query": {}, "headers": {}},
    }
    if scene is Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED:
        context["accessTokenTarget"] = "user"
    return user, context
