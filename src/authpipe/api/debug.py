"""The routes that try a draft: made-up data to start from, and a run of which nothing is kept."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Response

from authpipe.api import test_data
from authpipe.api.answers import DebugAnswer, debug_answer
from authpipe.api.envelope import Body, bare, enveloped, json_response, success
from authpipe.api.parts import AllParts, PoolId, UserPoolsPart
from authpipe.control import draft as drafts
from authpipe.model import JsonObject, Scene, UserPool

router = APIRouter(prefix="/api/v1", tags=["debug"])


class TestData(msgspec.Struct):
    """What a draft is called with."""

    user: JsonObject | None
    context: JsonObject


class DebugRequest(Body):
    """A draft; user and context are made up where they are not given, `body` becomes `context.request.body`."""

    scene: str
    sourceCode: str
    funcName: str | None = None
    user: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    body: dict[str, Any] | None = None
    #: seconds, 1 to 60
    timeout: int | None = None
    terminateOnTimeout: bool | None = None


@router.get("/debug", summary="Made-up user and context for a scene", responses=enveloped(TestData))
async def made_up(pool_id: PoolId, user_pools: UserPoolsPart, scene: str) -> Response:
    pool = await user_pools.get(pool_id=pool_id)
    return success(TestData(*test_data.generate(Scene.parse(scene), pool)))


@router.post("/debug", summary="Run a draft; nothing is kept", responses=bare(DebugAnswer))
async def debug(pool_id: PoolId, parts: AllParts, body: DebugRequest) -> Response:
    pool = await parts.user_pools.get(pool_id=pool_id)
    draft = body.model_dump(exclude_none=True)
    scene, values = Scene.parse(body.scene), drafts.values_of(draft)
    event = _event(body, scene, pool)
    verdict = await parts.engine.debug(
        pool_id=pool_id,
        scene=scene,
        source=drafts.source_of(draft, parts.limits.source_bytes) or "",
        user=event.user,
        context=event.context,
        **values,
    )
    return json_response(debug_answer(verdict))


def _event(body: DebugRequest, scene: Scene, pool: UserPool) -> TestData:
    user, context = test_data.generate(scene, pool)
    event = TestData(
        user=body.user if "user" in body.model_fields_set else user,
        context=context if body.context is None else body.context,
    )
    if body.body is not None:
        request = event.context.get("request")
        event.context["request"] = {**(request if isinstance(request, dict) else {}), "body": body.body}
    return event
