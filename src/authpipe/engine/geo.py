"""Makes one geo object that both dialects of the contract can read."""

from __future__ import annotations

from authpipe.model import JsonObject

#: current name, name inside the `address_detail` of 2020
_OLDER = (("province", "province"), ("city", "city"), ("adcode", "city_code"))


def complete(given: object) -> JsonObject:
    """`given` with what its own dialect implies for the other one; `{}` when unknown.

    Source: contract.md, section 4.3.
    """
    if type(given) is not dict or not given:
        return {}
    if "address_detail" in given:
        return _with_current(given)
    if "province" in given or "city" in given or "adcode" in given:
        return _with_older(given)
    return given


def _with_older(given: JsonObject) -> JsonObject:
    province, city, made = given.get("province"), given.get("city"), dict(given)
    made["address_detail"] = {older: given[name] for name, older in _OLDER if name in given}
    if "address" not in given:
        # A municipality is its own province and is written once.
        parts = (province,) if province == city else (province, city)
        made["address"] = "".join([part for part in parts if type(part) is str])
    return made


def _with_current(given: JsonObject) -> JsonObject:
    detail = given["address_detail"]
    if type(detail) is not dict:
        return given
    return {name: detail[older] for name, older in _OLDER if older in detail} | given
