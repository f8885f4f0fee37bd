"""Reads the comment a template file begins with into a Template."""

from __future__ import annotations

import re

import msgspec

from authpipe.model import Scene

#: category in a header → its name in Chinese and in English
CATEGORIES: dict[str, tuple[str, str]] = {
    "access-control": ("访问控制", "Access Control"),
    "user-fields": ("扩展用户字段", "Extend UserInfo"),
    "oidc": ("OIDC 流程", "OIDC Flow"),
    "webhook": ("WebHook", "WebHook"),
}
#: keys a header may have → whether it must
KEYS: dict[str, bool] = {
    "title-zh": True,
    "title-en": True,
    "scenes": True,
    "category": True,
    "overview-zh": True,
    "overview-en": True,
    "asynchronous": False,
    "needs": False,
}
#: words of `@needs` besides `variable:NAME`
NEEDS = frozenset({"network", "directory", "geo"})

_FILE = re.compile(r"\A/\*\n(?P<header>.*?)\n\*/\n+(?P<code>.*)\Z", re.DOTALL)
_LINE = re.compile(r"@(?P<key>[a-z-]+) (?P<value>\S.*)")
_VARIABLE = "variable:"


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a template takes besides user and context."""

    #: names of environment values
    variables: tuple[str, ...] = ()
    #: outbound requests
    network: bool = False
    #: `authing.*`
    directory: bool = False
    #: the location of the request
    geo: bool = False


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A ready function. Source: contract.md, section 8."""

    id: str
    title_zh: str
    title_en: str
    overview_zh: str
    overview_en: str
    categories: tuple[str, ...]
    categories_en: tuple[str, ...]
    #: scene names or aliases, as the public catalogue spells them
    scenes: tuple[str, ...]
    asynchronous: bool
    needs: Needs
    #: the source without the header
    code: str

    def suits(self, scene: Scene) -> bool:
        """Whether the template is meant for `scene`."""
        return any(Scene.parse(name) is scene for name in self.scenes)


class BadTemplate(ValueError):
    """A template file does not begin with a right header; the message names the file."""


def parse(template_id: str, text: str) -> Template:
    """The template in `text`, the content of `<template_id>.js`. Raises `BadTemplate`, and `InvalidArgument`
    for a scene that does not exist."""
    parts = _FILE.match(text)
    if parts is None:
        raise BadTemplate(f"{template_id}: a comment block at the top, then the code")
    entries = _entries(template_id, parts["header"])
    category = CATEGORIES.get(entries["category"])
    if category is None or entries.get("asynchronous", "no") not in ("yes", "no"):
        raise BadTemplate(f"{template_id}: unknown @category, or @asynchronous that is neither yes nor no")
    return Template(
        id=template_id,
        title_zh=entries["title-zh"],
        title_en=entries["title-en"],
        overview_zh=entries["overview-zh"],
        overview_en=entries["overview-en"],
        categories=category[:1],
        categories_en=category[1:],
        scenes=_scenes(entries["scenes"]),
        asynchronous=entries.get("asynchronous") == "yes",
        needs=_needs(template_id, entries.get("needs")),
        code=parts["code"],
    )


def _entries(template_id: str, header: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    for line in header.splitlines():
        entry = _LINE.fullmatch(line)
        if entry is None or entry["key"] not in KEYS or entry["key"] in entries:
            raise BadTemplate(f"{template_id}: not a header line: {line}")
        entries[entry["key"]] = entry["value"].strip()
    missing = [key for key, required in KEYS.items() if required and key not in entries]
    if missing:
        raise BadTemplate(f"{template_id}: @{missing[0]} is missing")
    return entries


def _scenes(text: str) -> tuple[str, ...]:
    names = _words(text)
    for name in names:
        Scene.parse(name)
    return names


def _needs(template_id: str, text: str | None) -> Needs:
    words = _words(text) if text else ()
    flags = {word: True for word in words if not word.startswith(_VARIABLE)}
    if not flags.keys() <= NEEDS:
        raise BadTemplate(f"{template_id}: @needs knows {', '.join(sorted(NEEDS))} and {_VARIABLE}NAME")
    variables = tuple(word.removeprefix(_VARIABLE) for word in words if word.startswith(_VARIABLE))
    return Needs(variables=variables, **flags)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))
