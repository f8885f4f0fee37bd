"""The two routes that give a management token for an access key. Source: contract.md, section 6.2."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response

from authpipe.api.envelope import Body, enveloped, success
from authpipe.api.parts import TokensPart

router = APIRouter(tags=["tokens"])


class AccessKey(Body):
    """An access key and its secret."""

    accessKeyId: str
    accessKeySecret: str


class IssuedToken(msgspec.Struct):
    """A management token."""

    access_token: str
    #: seconds
    expires_in: int


@router.post("/api/v1/token", summary="A management token for an access key", responses=enveloped(IssuedToken))
@router.post("/api/v3/get-management-token", summary="The same, for the SDKs", responses=enveloped(IssuedToken))
async def issue(tokens: TokensPart, body: AccessKey) -> Response:
    return success(IssuedToken(*await tokens.issue(body.accessKeyId, body.accessKeySecret)))
