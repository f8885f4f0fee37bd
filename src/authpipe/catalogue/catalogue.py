"""All templates together: looked up by id or scene, or written as the public templates.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from authpipe.catalogue.header import CATEGORIES, Template, parse
from authpipe.errors import NotFound
from authpipe.model import JsonObject, Scene

FOLDER = Path(__file__).parent / "templates"

#: scene as the public templates.json spells it → its label in Chinese and in English, in the order of the flow
SCENE_LABELS: dict[str, tuple[str, str]] = {
    "PRE_REGISTER": ("注册前", "Before Register"),
    "POST_REGISTER": ("注册后", "After Register"),
    "PRE_AUTHENTICATION": ("认证前", "Before Authentication"),
    "POST_AUTHENTICATION": ("认证后", "After Authentication"),
    "PRE_OIDCTOKENISSUED": ("OIDC 签发 Id Token 前", "OIDC Before Code Exchange Id Token"),
    "PRE_OIDC_ACCESS_TOKEN_ISSUED": ("OIDC 签发 Access Token 前", "OIDC Before Code Exchange Access Token"),
    "PRE_COMPLETE_USER_INFO": ("用户补全信息前", "Before User Complete Information"),
}


class Catalogue(msgspec.Struct, frozen=True):
    """Every template, by id."""

    templates: tuple[Template, ...]

    def get(self, template_id: str) -> Template:
        """The template of that id; `NotFound` when there is none."""
        for template in self.templates:
            if template.id == template_id:
                return template
        raise NotFound(f"There is no template {template_id!r}.")

    def for_scene(self, scene: Scene) -> tuple[Template, ...]:
        """The templates meant for `scene`, by id."""
        return tuple(template for template in self.templates if template.suits(scene))

    def as_templates_json(self) -> JsonObject:
        """`{triggers, templates: [{name, name_en, templates}]}`. Source: contract.md, section 8."""
        return {
            "triggers": [{"name": name, "desc": zh, "desc_en": en} for name, (zh, en) in SCENE_LABELS.items()],
            "templates": [self._group(zh, en) for zh, en in CATEGORIES.values()],
        }

    def _group(self, name: str, name_en: str) -> JsonObject:
        members = [_entry(template) for template in self.templates if name in template.categories]
        return {"name": name, "name_en": name_en, "templates": members}


def load(folder: Path = FOLDER) -> Catalogue:
    """The catalogue of the `<id>.js` files in `folder`; parse it once. Raises `BadTemplate`."""
    files = sorted(folder.glob("*.js"), key=lambda file: file.stem)
    return Catalogue(tuple(parse(file.stem, file.read_text(encoding="utf-8")) for file in files))


def _entry(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "title_zh": template.title_zh,
        "title_en": template.title_en,
        "overview_zh": template.overview_zh,
        "overview_en": template.overview_en,
        "categories": list(template.categories),
        "categories_en": list(template.categories_en),
        "triggers": list(template.scenes),
        "code": template.code,
        "async": template.asynchronous,
    }
