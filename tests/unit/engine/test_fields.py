"""The scene tables are complete and do not contradict each other."""

import pytest

from authpipe.engine import fields
from authpipe.model import Scene

SEEDING = {Scene.PRE_REGISTER, Scene.PRE_COMPLETE_USER_INFO}
OPEN = SEEDING | {Scene.POST_REGISTER, Scene.PRE_AUTHENTICATION, Scene.POST_AUTHENTICATION}


def test_every_scene_has_a_row():
    assert set(fields.SCENES) == set(Scene)


@pytest.mark.parametrize("scene", Scene)
def test_no_field_is_writable_and_read_only(scene: Scene):
    assert fields.writable(scene).isdisjoint(fields.read_only(scene))


@pytest.mark.parametrize("scene", Scene)
def test_profile_fields_are_open_only_where_a_record_is(scene: Scene):
    assert ("nickname" in fields.writable(scene)) is (scene in OPEN)
    assert ("blocked" in fields.writable(scene)) is (scene in OPEN)


@pytest.mark.parametrize("scene", Scene)
@pytest.mark.parametrize("name", fields.IDENTIFIERS)
def test_identifiers_are_seeded_or_read_only(scene: Scene, name: str):
    assert (name in fields.writable(scene)) is (scene in SEEDING)
    assert (name in fields.read_only(scene)) is (scene not in SEEDING)


@pytest.mark.parametrize("scene", Scene)
@pytest.mark.parametrize("name", ["id", "_id", "userPoolId", "password", "roles", "emailVerified", "phoneVerified"])
def test_some_fields_are_read_only_everywhere(scene: Scene, name: str):
    assert name in fields.read_only(scene)


@pytest.mark.parametrize(
    ("accumulator", "scenes"),
    [
        ("customData", OPEN),
        ("customDataOnce", {Scene.POST_REGISTER, Scene.POST_AUTHENTICATION}),
        ("idToken", {Scene.PRE_OIDC_ID_TOKEN_ISSUED}),
        ("customAccessTokenClaims", {Scene.PRE_OIDC_ACCESS_TOKEN_ISSUED}),
        ("decryptedToken", {Scene.POST_AUTHENTICATION}),
    ],
)
def test_an_accumulator_counts_in_its_scenes_only(accumulator: str, scenes: set[Scene]):
    assert {scene for scene in Scene if accumulator in fields.accumulators(scene)} == scenes
    assert accumulator in fields.ACCUMULATORS


def test_protected_claims_are_those_of_token_accumulators():
    assert set(fields.PROTECTED_CLAIMS) < set(fields.ACCUMULATORS)
    assert all(fields.SIGNER_CLAIMS.isdisjoint(claims) for claims in fields.PROTECTED_CLAIMS.values())
