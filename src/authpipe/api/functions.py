"""The eight `/api/v3` routes of pipeline functions. Source: contract.md, section 6.3."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from authpipe.api.envelope import Body, enveloped, success
from authpipe.api.parts import FunctionsPart, PoolId, RunLogPart
from authpipe.control.functions import PipelineFunction
from authpipe.control.run_log import LogEntry

router = APIRouter(prefix="/api/v3", tags=["functions"])


class FunctionOptions(Body):
    """What may be said of a function besides its source."""

    funcDescription: str | None = None
    isAsynchronous: bool | None = None
    #: seconds, 1 to 60
    timeout: int | None = None
    terminateOnTimeout: bool | None = None
    enabled: bool | None = None


class NewFunction(FunctionOptions):
    """A function to be made."""

    sourceCode: str
    scene: str
    funcName: str


class FunctionChange(FunctionOptions):
    """What changes about a function; its scene cannot."""

    funcId: str
    funcName: str | None = None
    sourceCode: str | None = None


class FunctionId(Body):
    """Which function."""

    funcId: str


class Order(Body):
    """Function ids in running order."""

    order: list[str]
    scene: str


@router.post("/create-pipeline-function", summary="Create a function", responses=enveloped(PipelineFunction))
async def create(pool_id: PoolId, functions: FunctionsPart, body: NewFunction) -> Response:
    return success(await functions.create(pool_id=pool_id, draft=body.model_dump(exclude_none=True)))


@router.get("/get-pipeline-function", summary="One function", responses=enveloped(PipelineFunction))
async def get(pool_id: PoolId, functions: FunctionsPart, funcId: str) -> Response:
    return success(await functions.get(pool_id=pool_id, function_id=funcId))


@router.post("/reupload-pipeline-function", summary="Compile a source again", responses=enveloped(PipelineFunction))
async def reupload(pool_id: PoolId, functions: FunctionsPart, body: FunctionId) -> Response:
    return success(await functions.reupload(pool_id=pool_id, function_id=body.funcId))


@router.post("/update-pipeline-function", summary="Change a function", responses=enveloped(PipelineFunction))
async def update(pool_id: PoolId, functions: FunctionsPart, body: FunctionChange) -> Response:
    return success(await functions.update(pool_id=pool_id, draft=body.model_dump(exclude_none=True)))


@router.post("/update-pipeline-order", summary="Order the functions of a scene", responses=enveloped())
async def update_order(pool_id: PoolId, functions: FunctionsPart, body: Order) -> Response:
    await functions.set_order(pool_id=pool_id, scene=body.scene, order=body.order)
    return success()


@router.post("/delete-pipeline-function", summary="Delete a function", responses=enveloped())
async def delete(pool_id: PoolId, functions: FunctionsPart, body: FunctionId) -> Response:
    await functions.delete(pool_id=pool_id, function_id=body.funcId)
    return success()


@router.get(
    "/list-pipeline-functions",
    summary="The functions of a scene, or all",
    responses=enveloped(PipelineFunction, listed=True),
)
async def list_all(pool_id: PoolId, functions: FunctionsPart, scene: str | None = None) -> Response:
    found = await functions.list(pool_id=pool_id, scene=scene)
    return success({"totalCount": len(found), "list": found})


@router.get(
    "/get-pipeline-logs",
    summary="The log of a function, newest first",
    responses=enveloped(LogEntry, listed=True),
)
async def logs(
    pool_id: PoolId,
    run_log: RunLogPart,
    funcId: str,
    page: Annotated[int, Query(description="from 1")] = 1,
    limit: Annotated[int, Query(description="entries a page, at most 50")] = 10,
) -> Response:
    total, entries = await run_log.function_logs(pool_id=pool_id, function_id=funcId, page=page, limit=limit)
    return success({"totalCount": total, "list": entries})
