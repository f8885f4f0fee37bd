"""Asks the HTTP API and the command line to describe themselves, for the reference pages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx


def openapi() -> dict[str, Any]:
    """The OpenAPI document, from an API whose parts are absent: describing needs none of them."""
    from authpipe.api.app import create_api
    from authpipe.api.parts import Parts

    absent: Any = None
    parts = dict.fromkeys(Parts.__dataclass_fields__, absent)
    return asyncio.run(_get(create_api(Parts(**{**parts, "body_limit": 1024}))))


async def _get(application: Any) -> dict[str, Any]:
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://authpipe") as client:
        answer = await client.get("/openapi.json")
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


def commands() -> Iterator[tuple[str, Any]]:
    """Each command of the CLI: the words to type, and what Typer made of it."""
    from typer.main import get_command

    from authpipe.cli.main import app

    yield from _leaves("authpipe", get_command(app))


def _leaves(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    nested = getattr(command, "commands", None)
    if nested is None:
        yield words, command
        return
    for name, child in sorted(nested.items()):
        if not child.hidden:
            yield from _leaves(f"{words} {name}", child)
