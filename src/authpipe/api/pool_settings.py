"""The routes of a user pool's settings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from authpipe.api.envelope import enveloped, success
from authpipe.api.parts import PoolId, UserPoolsPart
from authpipe.model import PoolSettings

router = APIRouter(prefix="/api/v1", tags=["settings"])


@router.get("/settings", summary="The settings of the user pool", responses=enveloped(PoolSettings))
async def get(pool_id: PoolId, user_pools: UserPoolsPart) -> Response:
    return success((await user_pools.get(pool_id=pool_id)).settings)


@router.patch("/settings", summary="Change settings of the user pool", responses=enveloped(PoolSettings))
async def change(
    pool_id: PoolId,
    user_pools: UserPoolsPart,
    changes: Annotated[dict[str, Any], Body(description="the settings to change, by name")],
) -> Response:
    return success((await user_pools.update_settings(pool_id=pool_id, changes=changes)).settings)
