"""What the API is given, and how its routes get hold of the piece they need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from authpipe.api.authentication import pool_id_of
from authpipe.catalogue.catalogue import Catalogue
from authpipe.control.environment import EnvironmentValues
from authpipe.control.functions import PipelineFunctions
from authpipe.control.run_log import RunLog
from authpipe.control.tokens import Tokens
from authpipe.control.user_pools import UserPools
from authpipe.engine.engine import Engine
from authpipe.metrics import Metrics
from authpipe.settings import LimitSettings


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything behind the routes."""

    engine: Engine
    tokens: Tokens
    user_pools: UserPools
    functions: PipelineFunctions
    environment: EnvironmentValues
    run_log: RunLog
    catalogue: Catalogue
    metrics: Metrics
    limits: LimitSettings
    #: largest request body, bytes
    body_limit: int
    #: None when runs can be served, else one sentence that says why not
    ready: Callable[[], Awaitable[str | None]]


def parts_of(request: Request) -> Parts:
    """The parts of the application that serves `request`."""
    parts: Parts = request.app.state.parts
    return parts


def _part(name: str) -> Any:
    def find(request: Request) -> Any:
        return getattr(request.app.state.parts, name)

    return Depends(find)


PoolId = Annotated[str, Depends(pool_id_of)]
AllParts = Annotated[Parts, Depends(parts_of)]
EnginePart = Annotated[Engine, _part("engine")]
TokensPart = Annotated[Tokens, _part("tokens")]
UserPoolsPart = Annotated[UserPools, _part("user_pools")]
FunctionsPart = Annotated[PipelineFunctions, _part("functions")]
EnvironmentPart = Annotated[EnvironmentValues, _part("environment")]
RunLogPart = Annotated[RunLog, _part("run_log")]
CataloguePart = Annotated[Catalogue, _part("catalogue")]
MetricsPart = Annotated[Metrics, _part("metrics")]
