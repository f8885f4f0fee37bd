"""The routes that show what ran."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from authpipe.api.envelope import enveloped, success
from authpipe.api.parts import PoolId, RunLogPart
from authpipe.control.run_log import RunView

router = APIRouter(prefix="/api/v1", tags=["runs"])


@router.get("/runs", summary="Runs, newest first", responses=enveloped(RunView, listed=True))
async def runs(
    pool_id: PoolId,
    run_log: RunLogPart,
    scene: str | None = None,
    limit: Annotated[int, Query(description="at most 100")] = 20,
    before: Annotated[str | None, Query(description="a run id: only older runs, for the next page")] = None,
) -> Response:
    return success({"list": await run_log.runs(pool_id=pool_id, scene=scene, before=before, limit=limit)})


@router.get("/runs/{run_id}", summary="One run with its logs", responses=enveloped(RunView))
async def run(pool_id: PoolId, run_log: RunLogPart, run_id: str) -> Response:
    return success(await run_log.run(pool_id=pool_id, run_id=run_id))
