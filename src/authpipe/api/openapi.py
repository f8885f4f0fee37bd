"""The API's description of itself: an OpenAPI document, and a page of it that loads nothing from anywhere."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from authpipe.api import docs_page, runs
from authpipe.api.answers import DebugAnswer, RunAnswer, RunRequest
from authpipe.api.debug import TestData
from authpipe.api.envelope import json_response
from authpipe.api.intake import API_PREFIX, PUBLIC
from authpipe.api.problems import ENVELOPE_PREFIX, Problem
from authpipe.api.tokens import IssuedToken
from authpipe.control.environment import EnvironmentValue
from authpipe.control.functions import PipelineFunction
from authpipe.control.run_log import LogEntry, RunView
from authpipe.model import PoolSettings

router = APIRouter(include_in_schema=False)

#: every shape the routes refer to by name
SHAPES: tuple[type, ...] = (
    Problem,
    RunRequest,
    RunAnswer,
    DebugAnswer,
    TestData,
    IssuedToken,
    PipelineFunction,
    LogEntry,
    RunView,
    EnvironmentValue,
    PoolSettings,
)

_TEMPLATE = "#/components/schemas/{name}"
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "accessKey": {"type": "http", "scheme": "basic", "description": "accessKeyId:accessKeySecret, under /api/v1"},
}


@router.get("/openapi.json")
async def document(request: Request) -> Response:
    return json_response(describe(request.app))


@router.get("/docs")
async def page(request: Request) -> Response:
    return Response(docs_page.render(describe(request.app)), 200, docs_page.HEADERS, "text/html")


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of every route, the run route among them."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        _, shapes = msgspec.json.schema_components(SHAPES, ref_template=_TEMPLATE)
        components = made.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas |= shapes | {"dict": {"type": "object"}}
        components["securitySchemes"] = _SCHEMES
        made["paths"][runs.PATH] = {"post": _run_operation()}
        for path, operations in made["paths"].items():
            for operation in operations.values():
                _complete(path, operation)
        app.openapi_schema = made
    return app.openapi_schema


def _run_operation() -> dict[str, Any]:
    def json_of(shape: type) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": _TEMPLATE.format(name=shape.__name__)}}}

    return {
        "tags": ["runs"],
        "summary": "Run the pipeline of a scene",
        "operationId": "run",
        "requestBody": {"required": True, "content": json_of(RunRequest)},
        "responses": {"200": {"description": "The verdict.", "content": json_of(RunAnswer)}},
    }


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Adds what holds for every route: the one error body, and who may call."""
    operation["responses"].pop("422", None)
    error = {"$ref": _TEMPLATE.format(name=Problem.__name__)}
    told = {"description": "An error.", "content": {"application/json": {"schema": error}}}
    if path.startswith(ENVELOPE_PREFIX):
        answer = operation["responses"]["200"]["content"]["application/json"]
        answer["schema"] = {"anyOf": [answer["schema"], error]}
    else:
        operation["responses"]["default"] = told
    if path.startswith(API_PREFIX) and path not in PUBLIC:
        by_key: list[dict[str, list[str]]] = [] if path.startswith(ENVELOPE_PREFIX) else [{"accessKey": []}]
        operation["security"] = [{"token": []}, *by_key]
