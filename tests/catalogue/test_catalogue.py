"""The catalogue can be searched, written as templates.json, and refuses files that are not templates."""

from pathlib import Path

import pytest

from authpipe.catalogue.catalogue import SCENE_LABELS, Catalogue, load
from authpipe.catalogue.header import BadTemplate, Needs, parse
from authpipe.errors import InvalidArgument, NotFound
from authpipe.model import Scene

IDS = {
    "email-domain-whitelist": "PRE_REGISTER",
    "phone-whitelist": "PRE_REGISTER",
    "ip-range-whitelist": "PRE_REGISTER",
    "load-whitelist-on-cloud": "PRE_REGISTER,PRE_AUTHENTICATION",
    "block-on-weekend": "PRE_REGISTER,PRE_AUTHENTICATION",
    "block-specific-connection": "PRE_REGISTER",
    "check-user-info-username": "PRE_COMPLETE_USER_INFO",
    "force-email-verified": "PRE_AUTHENTICATION",
    "force-phone-verifyed": "PRE_AUTHENTICATION",
    "ip-risk-analysis": "POST_REGISTER,PRE_AUTHENTICATION",
    "change-default-avatar": "POST_REGISTER",
    "change-avatar-to-ui-avatars": "POST_REGISTER,POST_AUTHENTICATION",
    "fill-user-address-field": "POST_REGISTER,POST_AUTHENTICATION",
    "add-location-to-metadata": "POST_AUTHENTICATION",
    "persist-metadata": "POST_REGISTER,POST_AUTHENTICATION",
    "get-repos-from-github-api": "POST_REGISTER,POST_AUTHENTICATION",
    "get-user-orglist": "PRE_OIDCTOKENISSUED",
    "add-custom-idtoken": "PRE_OIDCTOKENISSUED",
    "add-custom-accesstoken": "PRE_OIDC_ACCESS_TOKEN_ISSUED",
    "lark-notify": "POST_REGISTER,POST_AUTHENTICATION",
    "slack-notify": "POST_REGISTER,POST_AUTHENTICATION",
    "dingtalk-notify": "POST_REGISTER,POST_AUTHENTICATION",
}
HEADER = {
    "title-zh": "标题",
    "title-en": "Title",
    "scenes": "PRE_REGISTER",
    "category": "oidc",
    "overview-zh": "说明",
    "overview-en": "Overview.",
}


def test_the_ids_and_scenes_are_those_of_the_contract(catalogue: Catalogue) -> None:
    assert {template.id: ",".join(template.scenes) for template in catalogue.templates} == IDS


def test_only_notifications_are_asynchronous(catalogue: Catalogue) -> None:
    found = {template.id for template in catalogue.templates if template.asynchronous}
    assert found == {"lark-notify", "slack-notify", "dingtalk-notify"}


def test_code_comes_without_its_header(catalogue: Catalogue) -> None:
    assert [template.id for template in catalogue.templates if "@title" in template.code] == []
    assert [template.id for template in catalogue.templates if "function pipe(" not in template.code] == []


def test_templates_of_a_scene_come_by_id(catalogue: Catalogue) -> None:
    assert [template.id for template in catalogue.for_scene(Scene.PRE_REGISTER)] == [
        "block-on-weekend",
        "block-specific-connection",
        "email-domain-whitelist",
        "ip-range-whitelist",
        "load-whitelist-on-cloud",
        "phone-whitelist",
    ]
    assert [template.id for template in catalogue.for_scene(Scene.PRE_OIDC_ID_TOKEN_ISSUED)] == [
        "add-custom-idtoken",
        "get-user-orglist",
    ]
    assert catalogue.for_scene(Scene.POST_MFA_VERIFY) == ()


def test_an_unknown_template_is_not_found(catalogue: Catalogue) -> None:
    with pytest.raises(NotFound, match="no-such-template"):
        catalogue.get("no-such-template")


def test_needs_say_what_the_code_uses(catalogue: Catalogue) -> None:
    for template in catalogue.templates:
        assert template.needs.network == ("axios." in template.code), template.id
        assert template.needs.directory == ("authing." in template.code), template.id
        assert template.needs.geo == ("geo" in template.code), template.id
        assert bool(template.needs.variables) == ("env." in template.code), template.id
        assert all(f"env.{name}" in template.code for name in template.needs.variables), template.id


def test_templates_json_has_the_public_shape(catalogue: Catalogue) -> None:
    shape = catalogue.as_templates_json()
    groups = shape["templates"]
    entries = [entry for group in groups for entry in group["templates"]]
    assert [set(row) for row in shape["triggers"]] == [{"name", "desc", "desc_en"}] * len(SCENE_LABELS)
    assert [group["name_en"] for group in groups] == ["Access Control", "Extend UserInfo", "OIDC Flow", "WebHook"]
    assert sorted(entry["id"] for entry in entries) == sorted(IDS)
    wanted = "id title_zh title_en overview_zh overview_en categories categories_en triggers code async"
    assert {frozenset(entry) for entry in entries} == {frozenset(wanted.split())}
    assert {name for entry in entries for name in entry["triggers"]} <= SCENE_LABELS.keys()


def test_a_folder_of_ones_own_can_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.js").write_text(_file(needs="geo, variable:A, variable:B"), encoding="utf-8")
    template = load(tmp_path).get("mine")
    assert template.needs == Needs(variables=("A", "B"), geo=True)
    assert template.categories == ("OIDC 流程",)
    assert template.code == "function pipe() {}\n"
    assert not template.asynchronous


@pytest.mark.parametrize("key", HEADER)
def test_a_header_without_a_required_key_is_refused(key: str) -> None:
    with pytest.raises(BadTemplate, match=key):
        parse("mine", _file(**{key: ""}))


@pytest.mark.parametrize(
    ("key", "value"),
    [("category", "other"), ("asynchronous", "maybe"), ("needs", "luck"), ("author", "me")],
)
def test_a_wrong_header_line_is_refused(key: str, value: str) -> None:
    with pytest.raises(BadTemplate, match="mine"):
        parse("mine", _file(**{key: value}))


def test_a_file_without_a_header_is_refused() -> None:
    with pytest.raises(BadTemplate):
        parse("mine", "function pipe() {}\n")


def test_a_scene_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        parse("mine", _file(scenes="PRE_LUNCH"))


def _file(**changes: str) -> str:
    rows = HEADER | {key.replace("_", "-"): value for key, value in changes.items()}
    lines = [f"@{key} {value}" for key, value in rows.items() if value]
    return "/*\n" + "\n".join(lines) + "\n*/\n\nfunction pipe() {}\n"
