"""What a load balancer and a monitoring system ask."""

from __future__ import annotations

from fastapi import APIRouter, Response

from authpipe.api.envelope import json_response
from authpipe.api.parts import AllParts, MetricsPart
from authpipe.errors import Overloaded

router = APIRouter(tags=["health"])

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz", summary="The process lives")
async def healthz() -> Response:
    return json_response({"status": "ok"})


@router.get("/readyz", summary="Runs can be served")
async def readyz(parts: AllParts) -> Response:
    reason = await parts.ready()
    if reason is not None:
        raise Overloaded(reason)
    return json_response({"status": "ready"})


@router.get("/metrics", summary="Counters in the Prometheus text format")
async def metrics(metrics: MetricsPart) -> Response:
    return Response(metrics.render(), media_type=_METRICS_TYPE)
