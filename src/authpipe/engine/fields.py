"""The closed tables of the contract: user fields, accumulators and protected claims, by scene."""

from __future__ import annotations

import msgspec

from authpipe.model import Scene

#: names by which an account is found; the identity host says which of them a request really uses
IDENTIFIERS = ("email", "phone", "username")

#: user field → type, of the fields functions may change where a record is open to them (contract.md, section 3.4)
PROFILE_FIELDS: dict[str, str] = dict.fromkeys(
    [
        "nickname",
        "photo",
        "company",
        "name",
        "givenName",
        "familyName",
        "middleName",
        "profile",
        "preferredUsername",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "address",
        "formatted",
        "streetAddress",
        "locality",
        "region",
        "postalCode",
        "city",
        "province",
        "country",
        "device",
        "browser",
    ],
    "string",
) | {"blocked": "boolean"}

#: user field → type, of the fields that may only be seeded before the record has them
SEED_FIELDS: dict[str, str] = dict.fromkeys((*IDENTIFIERS, "phoneCountryCode"), "string")

#: user fields that are what they were before, whatever a function writes (contract.md, section 3.4)
READ_ONLY = (
    "id",
    "_id",
    "userPoolId",
    "registerInClient",
    "arn",
    "status",
    "registerSource",
    "registerMethod",
    "password",
    "token",
    "tokenExpiredAt",
    "createdAt",
    "updatedAt",
    "signedUp",
    "loginsCount",
    "lastLogin",
    "lastIP",
    "identities",
    "roles",
    "oauth",
    "unionid",
    "openid",
    "externalId",
    "isDeleted",
    "emailVerified",
    "phoneVerified",
)

#: names that must never become keys of an object a function is given or a host stores
UNSAFE_KEYS = frozenset({"__proto__", "constructor", "prototype"})

#: accumulator on `user` → what it becomes (contract.md, section 3.2)
ACCUMULATORS: dict[str, str] = {
    "customData": "stored with the user and part of the answer",
    "customDataOnce": "part of this answer only",
    "idToken": "claims of the ID token",
    "customAccessTokenClaims": "claims of the access token",
    "decryptedToken": "claims of the login token, under its `data`",
}

#: claims the signer writes after the functions, in every token (contract.md, section 3.5)
SIGNER_CLAIMS = frozenset({"iss", "aud", "exp", "iat"})

#: accumulator → claims functions may not touch unless the pool sets `allowProtectedClaims`
PROTECTED_CLAIMS: dict[str, frozenset[str]] = {
    "idToken": frozenset({"sub", "nonce", "at_hash", "c_hash", "jti", "azp"}),
    "customAccessTokenClaims": frozenset({"sub", "nonce", "at_hash", "c_hash", "jti", "azp", "scope"}),
    "decryptedToken": frozenset({"sub", "jti", "id", "_id", "userId", "userPoolId", "clientId"}),
}


class SceneRow(msgspec.Struct, frozen=True):
    """What functions of one scene may change."""

    #: profile fields, custom data and `blocked` are taken back
    profile: bool = False
    #: e-mail address, phone number and user name are taken back
    seeds: bool = False
    #: accumulators that count; the others are ignored with a warning
    accumulators: tuple[str, ...] = ()


#: the closed table: scene → what its functions may change (contract.md, sections 1.2 and 3.3)
SCENES: dict[Scene, SceneRow] = {
    Scene.PRE_REGISTER: SceneRow(True, True, ("customData",)),
    Scene.POST_REGISTER: SceneRow(True, False, ("customData", "customDataOnce")),
    Scene.PRE_AUTHENTICATION: SceneRow(True, False, ("customData",)),
    Scene.POST_AUTHENTICATION: SceneRow(True, False, ("customData", "customDataOnce", "decryptedToken")),
    Scene.PRE_OIDC_ID_TOKEN_ISSUED: SceneRow(accumulators=("idToken",)),
    Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED: SceneRow(accumulators=("customAccessTokenClaims",)),
    Scene.PRE_COMPLETE_USER_INFO: SceneRow(True, True, ("customData",)),
    Scene.PRE_MFA_VERIFY: SceneRow(),
    Scene.POST_MFA_VERIFY: SceneRow(),
}

_WRITABLE = {
    scene: (PROFILE_FIELDS if row.profile else {}) | (SEED_FIELDS if row.seeds else {}) for scene, row in SCENES.items()
}
_WRITABLE_NAMES = {scene: frozenset(table) for scene, table in _WRITABLE.items()}
_READ_ONLY = {scene: READ_ONLY if row.seeds else (*READ_ONLY, *SEED_FIELDS) for scene, row in SCENES.items()}


def writable_types(scene: Scene) -> dict[str, str]:
    """User field → "string" or "boolean", of the fields a function of `scene` may change."""
    return _WRITABLE[scene]


def writable(scene: Scene) -> frozenset[str]:
    """Names of the user fields a function of `scene` may change."""
    return _WRITABLE_NAMES[scene]


def read_only(scene: Scene) -> tuple[str, ...]:
    """Names of the user fields that are restored after every function of `scene`."""
    return _READ_ONLY[scene]


def accumulators(scene: Scene) -> tuple[str, ...]:
    """Names of the accumulators that count in `scene`."""
    return SCENES[scene].accumulators
