"""Puts the HTTP API together: the run route in front, everything else behind the intake and FastAPI."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from authpipe import errors
from authpipe.api import (
    debug,
    environment,
    functions,
    health,
    openapi,
    pool_settings,
    problems,
    run_log,
    runs,
    templates,
    tokens,
)
from authpipe.api.asgi import App, Receive, Scope, Send
from authpipe.api.intake import Intake
from authpipe.api.parts import Parts

#: every route but `runs.PATH`, in the order they are shown
ROUTERS = (
    tokens.router,
    functions.router,
    run_log.router,
    debug.router,
    environment.router,
    pool_settings.router,
    templates.router,
    health.router,
    openapi.router,
)

_DESCRIPTION = "Runs a user pool's functions at the scenes of an identity flow."


def create_api(parts: Parts) -> App:
    """The whole HTTP API as one ASGI application."""
    framework = create_framework()
    framework.state.parts = parts
    run = runs.RunRoute(engine=parts.engine, tokens=parts.tokens, body_limit=parts.body_limit)
    rest = Intake(framework, tokens=parts.tokens, body_limit=parts.body_limit)

    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == runs.PATH:
            await run(scope, receive, send)
        else:
            await rest(scope, receive, send)

    return api


def create_framework() -> FastAPI:
    """The routes without anything behind them; enough to describe them."""
    framework = FastAPI(
        title="authpipe",
        version=version("authpipe"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        strict_content_type=False,
    )
    for router in ROUTERS:
        framework.include_router(router)
    for kind in (errors.AuthpipeError, RequestValidationError, HTTPException, Exception):
        framework.add_exception_handler(kind, _render)
    return framework


async def _render(request: Request, error: Exception) -> Response:
    request_id = problems.new_request_id()
    told = problems.expected(_known(error, request), request_id)
    extra = {name.decode(): value.decode() for name, value in problems.headers(told)}
    if isinstance(error, HTTPException) and error.headers:
        extra |= error.headers
    status = problems.http_status(told, request.url.path)
    return Response(problems.encode(told, request_id), status, extra, "application/json")


def _known(error: Exception, request: Request) -> Exception:
    """What the framework found, in our own errors; anything else as it is."""
    if isinstance(error, RequestValidationError):
        return problems.of_pydantic(error.errors())
    if not isinstance(error, HTTPException):
        return error
    if error.status_code == 405:
        return errors.MethodNotAllowed(f"This route does not take {request.method:.20}.")
    if error.status_code == 404:
        return errors.NotFound("There is no such route.")
    return errors.InvalidArgument("The request could not be read.")
