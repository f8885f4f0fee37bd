"""The API's description: complete, consistent, and shown without loading anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import httpx


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for each in node for found in _references(each)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for each in node.values() for found in _references(each)]


def test_every_reference_resolves_and_the_run_route_is_described(stranger: httpx.Client) -> None:
    document = stranger.get("/openapi.json").json()
    shapes = document["components"]["schemas"]
    assert {name.rpartition("/")[2] for name in _references(document)} <= set(shapes)
    run = document["paths"]["/api/v1/run"]["post"]
    assert run["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/RunRequest")
    assert set(shapes["RunRequest"]["properties"]) == {
        *("scene", "user", "context", "identifiers", "deadlineMs", "requestId"),
    }
    assert run["security"] == [{"token": []}, {"accessKey": []}]
    assert document["paths"]["/api/v3/list-pipeline-functions"]["get"]["security"] == [{"token": []}]
    assert "security" not in document["paths"]["/api/v1/token"]["post"]


def test_every_operation_has_a_summary_and_an_id_of_its_own(stranger: httpx.Client) -> None:
    paths = stranger.get("/openapi.json").json()["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert all(operation["summary"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "link", "img", "iframe", "object", "embed"):
            self.loaded.append(tag)
        self.ids.add(values.get("id") or "")
        if (values.get("href") or "").startswith("#"):
            self.anchors.add((values["href"] or "")[1:])


def test_the_page_shows_every_route_and_loads_nothing(stranger: httpx.Client) -> None:
    document, page = stranger.get("/openapi.json").json(), stranger.get("/docs")
    links = _Links()
    links.feed(page.text)
    assert links.loaded == [] and links.anchors <= links.ids and links.anchors
    for path in document["paths"]:
        assert path in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert re.match(r"text/html", page.headers["content-type"])
