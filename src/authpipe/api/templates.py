"""The route of the template catalogue."""

from __future__ import annotations

from fastapi import APIRouter, Response

from authpipe.api.envelope import enveloped, success
from authpipe.api.parts import CataloguePart

router = APIRouter(prefix="/api/v1", tags=["templates"])


@router.get("/templates", summary="The template catalogue; needs no credentials", responses=enveloped(dict))
async def templates(catalogue: CataloguePart) -> Response:
    return success(catalogue.as_templates_json())
