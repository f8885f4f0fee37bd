"""The routes of environment values: variables, and secrets nobody can read back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from authpipe.api.envelope import Body, enveloped, success
from authpipe.api.parts import EnvironmentPart, PoolId
from authpipe.control.environment import EnvironmentValue
from authpipe.errors import InvalidArgument

router = APIRouter(prefix="/api/v1", tags=["environment"])


class NewValue(Body):
    """A value under a key; what is not a string is stored as its JSON text."""

    key: str
    value: Any
    #: None leaves a known key what it is
    secret: bool | None = None


@router.get("/env", summary="Variables and the names of secrets", responses=enveloped(EnvironmentValue, listed=True))
async def list_all(pool_id: PoolId, environment: EnvironmentPart) -> Response:
    found = await environment.list(pool_id=pool_id)
    return success({"totalCount": len(found), "list": found})


@router.put("/env", summary="Set a variable or secret", responses=enveloped(EnvironmentValue))
async def put(pool_id: PoolId, environment: EnvironmentPart, body: NewValue) -> Response:
    return success(await environment.put(pool_id=pool_id, key=body.key, value=body.value, secret=body.secret))


@router.delete("/env", summary="Delete a variable or secret, named by ?key=", responses=enveloped())
@router.delete("/env/{key}", summary="Delete a variable or secret", responses=enveloped())
async def delete(pool_id: PoolId, environment: EnvironmentPart, key: str | None = None) -> Response:
    if key is None:
        raise InvalidArgument("key is required.")
    await environment.delete(pool_id=pool_id, key=key)
    return success()
