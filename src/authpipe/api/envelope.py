"""The success body `{statusCode, message, requestId, data?}` and the strictness of what comes in."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response
from pydantic import BaseModel, ConfigDict

from authpipe.api.problems import new_request_id

#: what GenAuth says when all went well; source: contract.md, section 6.1
SUCCESS_MESSAGE = "操作成功"

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Body(BaseModel):
    """Base of request bodies: no guessing at types, unknown fields are let pass."""

    model_config = ConfigDict(strict=True, extra="ignore")


def json_response(value: Any, status: int = 200) -> Response:
    """`value` as a JSON answer."""
    return Response(msgspec.json.encode(value), status, _HEADERS, "application/json")


def success(data: Any = msgspec.UNSET) -> Response:
    """The envelope around `data`; without, there is none."""
    body = {"statusCode": 200, "message": SUCCESS_MESSAGE, "requestId": new_request_id()}
    if data is not msgspec.UNSET:
        body["data"] = data
    return json_response(body)


def bare(shape: type) -> dict[int | str, dict[str, Any]]:
    """For the API description: answers with `shape` itself, which openapi.py lists."""
    return _documented(_reference(shape))


def enveloped(shape: type | None = None, *, listed: bool = False) -> dict[int | str, dict[str, Any]]:
    """For the API description: answers with `shape`, or a list of it, in the envelope."""
    fields: dict[str, Any] = {
        "statusCode": {"type": "integer", "const": 200},
        "message": {"type": "string"},
        "requestId": {"type": "string"},
    }
    if shape is not None and listed:
        items = {"type": "array", "items": _reference(shape)}
        count = {"type": "integer"}
        fields["data"] = {"type": "object", "required": ["list"], "properties": {"totalCount": count, "list": items}}
    elif shape is not None:
        fields["data"] = _reference(shape)
    return _documented({"type": "object", "required": list(fields), "properties": fields})


def _reference(shape: type) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _documented(schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "Done.", "content": {"application/json": {"schema": schema}}}}
