"""Folds what functions left on `user` into the effects the identity host is asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from authpipe.engine import fields
from authpipe.model import ClaimEffects, Effects, JsonObject, Plan
from authpipe.wire import Removed

#: accumulator of a token → its name in `Effects` and in `Removed`
TOKENS = {"idToken": "id_token", "customAccessTokenClaims": "access_token", "decryptedToken": "login_token"}

_ABSENT: Any = object()
_EMPTY: JsonObject = {}
_KNOWN = {scene: frozenset(fields.PROFILE_FIELDS) | fields.writable(scene) for scene in fields.SCENES}


def fold(
    before: JsonObject | None,
    after: object,
    removed: Removed | None,
    *,
    plan: Plan,
    defined: Collection[str] = (),
) -> tuple[Effects, list[str]]:
    """What the functions of `plan` want done, and warnings for their author.

    `before` is what `build_user` made; `after` what the last function left, untrusted and ignored unless it is an
    object; `defined` the custom-data keys the user pool defines. Source: contract.md, sections 3.4 and 3.5.
    """
    effects = Effects()
    warnings: list[str] = []
    if type(after) is dict and after is not before:
        before = before or {}
        _fold_profile(effects, before, after, plan, warnings)
        for name in fields.ACCUMULATORS:
            found = after.get(name, _EMPTY)
            # Most runs leave most accumulators empty, which needs no further look.
            if (found or type(found) is not dict) and not same(before.get(name), found):
                _fold_accumulator(effects, name, before.get(name), found, plan, defined, warnings)
    if removed is not None and (removed.id_token or removed.access_token or removed.login_token):
        _fold_removed(effects, removed, plan, warnings)
    return effects, warnings


def final_user(before: JsonObject | None, after: object, effects: Effects) -> JsonObject | None:
    """The user the flow goes on with: `before` with the effects that count, and nothing else of `after`.

    Accumulators show what was accepted. Source: contract.md, section 3.4.
    """
    if before is None or type(after) is not dict or after is before:
        return before
    made = {**before, **effects.profile}
    if effects.custom_data:
        made["customData"] = {**before["customData"], **effects.custom_data}
    made["customDataOnce"] = effects.custom_data_once
    for name, token in TOKENS.items():
        made[name] = getattr(effects, token).set
    return made


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same, where Python's `==` takes 1 for true."""
    if left is right:
        return True
    if type(left) is dict:
        if type(right) is not dict or len(left) != len(right):
            return False
        return all(same(value, right.get(name, _ABSENT)) for name, value in left.items())
    if type(left) is list:
        if type(right) is not list or len(left) != len(right):
            return False
        return all(map(same, left, right))
    return bool(left == right) and (type(left) is bool) is (type(right) is bool)


def _fold_profile(effects: Effects, before: JsonObject, after: JsonObject, plan: Plan, warnings: list[str]) -> None:
    writable, known = fields.writable_types(plan.scene), _KNOWN[plan.scene]
    for name, value in after.items():
        old = before.get(name)
        # The common case by hand: a call for each field would cost more than all the rest.
        if (old == value and type(old) is type(value)) or name not in known:
            continue
        if name not in writable:
            warnings.append(f"user.{name} cannot be changed in {plan.scene}; ignored.")
        elif (fitting := _fit(writable[name], value)) is _ABSENT:
            warnings.append(f"user.{name} must be a string; ignored.")
        elif not same(old, fitting):
            effects.profile[name] = fitting


def _fit(kind: str, value: Any) -> Any:
    if kind == "boolean":
        # JavaScript takes any object for true, and a block that was meant must not be lost.
        return bool(value) or type(value) is dict or type(value) is list
    if value is None or type(value) is str:
        return value
    return msgspec.json.encode(value).decode() if type(value) is int or type(value) is float else _ABSENT


def _fold_accumulator(
    effects: Effects,
    name: str,
    before: Any,
    after: Any,
    plan: Plan,
    defined: Collection[str],
    warnings: list[str],
) -> None:
    if name not in fields.accumulators(plan.scene):
        warnings.append(f"user.{name} has no effect in {plan.scene}; ignored.")
    elif type(after) is not dict:
        warnings.append(f"user.{name} must be an object; ignored.")
    else:
        changed = _changed(before if type(before) is dict else {}, after, name, warnings)
        if name == "customDataOnce":
            effects.custom_data_once = changed
        elif name == "customData":
            effects.custom_data = _defined(changed, plan, defined, warnings)
        else:
            claims: ClaimEffects = getattr(effects, TOKENS[name])
            claims.set = {claim: changed[claim] for claim in _allowed(changed, name, plan, warnings)}


def _changed(before: JsonObject, after: JsonObject, name: str, warnings: list[str]) -> JsonObject:
    changed = {}
    for key, value in after.items():
        if key in fields.UNSAFE_KEYS:
            warnings.append(f"user.{name} cannot have a key {key}; ignored.")
        elif not same(before.get(key, _ABSENT), value):
            changed[key] = value
    return changed


def _defined(changed: JsonObject, plan: Plan, defined: Collection[str], warnings: list[str]) -> JsonObject:
    if not plan.pool.settings.strict_custom_data:
        return changed
    warnings += [f"The user pool defines no custom field {key}; ignored." for key in changed if key not in defined]
    return {key: value for key, value in changed.items() if key in defined}


def _allowed(claims: Collection[str], name: str, plan: Plan, warnings: list[str]) -> list[str]:
    protected = fields.SIGNER_CLAIMS
    if not plan.pool.settings.allow_protected_claims:
        protected = protected | fields.PROTECTED_CLAIMS[name]
    warnings += [f"The claim {claim} is protected; ignored." for claim in claims if claim in protected]
    return [claim for claim in claims if claim not in protected]


def _fold_removed(effects: Effects, removed: Removed, plan: Plan, warnings: list[str]) -> None:
    for name, token in TOKENS.items():
        gone: list[str] = getattr(removed, token)
        if not gone:
            continue
        if name not in fields.accumulators(plan.scene):
            warnings.append(f"Claims of user.{name} cannot be removed in {plan.scene}; ignored.")
            continue
        claims: ClaimEffects = getattr(effects, token)
        # Set again after a removal wins; the worker forgets such removals, but it is not to be trusted.
        names = [claim for claim in dict.fromkeys(gone) if claim not in claims.set]
        claims.remove = _allowed([claim for claim in names if claim not in fields.UNSAFE_KEYS], name, plan, warnings)
