"""Functions written the way they were written in 2020 still do what they did, through deployment and a real run."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from authpipe.model import Outcome, Verdict

pytestmark = pytest.mark.asyncio(loop_scope="session")

RunPipeline = Callable[..., Awaitable[Verdict]]

LET_THROUGH = "function pipe(context, callback) { return callback(null) }"

EMAIL_LIST = """
function pipe(context, callback) {
  const { userInfo } = context.data;
  const email = userInfo && userInfo.email;
  if (email && email.split("@")[1] !== "example.com") {
    return callback(new Error("This domain may not register."));
  }
  return callback(null, context);
}
"""

PHONE_LIST = """
async function pipe(context, callback) {
  const listed = env.PHONES.split(",");
  if (listed.includes(context.data.userInfo.phone)) return callback(null, context);
  return callback(new Error("This number may not register."));
}
"""

ADDRESS_LIST = """
async function pipe(context, callback) {
  const utils = require("./utils");
  if (utils.ipRangeCheck(context.ip, ["198.51.100.1", "198.51.100.9"])) return callback(null, context);
  return callback(new Error("Not from there."));
}
"""

TWO_VALUES = """
async function pipe(_, context, callback) {
  const { email } = context.request.body;
  if (!email) return callback(null, context);
  if (!email.endsWith("@example.com")) return callback(new Error("This domain may not register."));
  return callback(null, { ...context, checked: "yes" });
}
"""

SHOW = "async function pipe(user, context, callback) { log(user, context); callback(null, user, context) }"


@pytest.mark.parametrize("scene", ["PRE_REGISTER", "Pre-Register", "POST_AUTHENTICATION"])
async def test_a_synchronous_function_of_two_arguments_goes_on_with_nothing(
    run_pipeline: RunPipeline, scene: str
) -> None:
    verdict = await run_pipeline(scene, LET_THROUGH, SHOW, user={"id": "u1"})
    assert (verdict.verdict, len(verdict.steps)) == ("continue", 2)
    user, context = verdict.steps[1].logs[0]
    assert user["userPoolId"] == context["userPoolId"] == context["userPool"]["_id"]


@pytest.mark.parametrize(
    ("identifiers", "message"),
    [
        ({"email": "ann@example.com"}, None),
        ({"email": "ann@other.org"}, "This domain may not register."),
        ({"phone": "13800000000"}, None),
    ],
)
async def test_a_domain_list_reads_user_info(
    run_pipeline: RunPipeline, identifiers: dict[str, str], message: str | None
) -> None:
    verdict = await run_pipeline("PRE_REGISTER", EMAIL_LIST, identifiers=identifiers)
    assert (verdict.allowed, verdict.message) == (message is None, message)


async def test_a_decoy_does_not_get_past_a_domain_list(run_pipeline: RunPipeline) -> None:
    body = {"connection": "PASSWORD", "passwordPayload": {"email": "eve@other.org"}, "email": "ann@example.com"}
    verdict = await run_pipeline(
        "PRE_REGISTER", EMAIL_LIST, context={"request": {"body": body}}, identifiers={"email": "eve@other.org"}
    )
    assert verdict.message == "This domain may not register."


@pytest.mark.parametrize(
    ("phone", "outcome"), [("13800000000", Outcome.OK), ("15100000000", Outcome.OK), ("1380000", Outcome.DENIED)]
)
async def test_a_phone_list_reads_user_info_and_env(run_pipeline: RunPipeline, phone: str, outcome: Outcome) -> None:
    context = {"request": {"body": {"phone": phone}}}
    phones = {"PHONES": "13800000000,15100000000"}
    verdict = await run_pipeline("PRE_REGISTER", PHONE_LIST, context=context, environment=phones)
    assert verdict.steps[0].outcome == outcome


async def test_a_list_that_is_not_set_keeps_everybody_out(run_pipeline: RunPipeline) -> None:
    verdict = await run_pipeline("PRE_REGISTER", PHONE_LIST, context={"request": {"body": {"phone": "13800000000"}}})
    assert (verdict.verdict, verdict.reason, verdict.steps[0].outcome) == ("deny", "failed", Outcome.THREW)
    assert verdict.message == f"Custom code failed (request {verdict.request_id})"


@pytest.mark.parametrize(("ip", "allowed"), [("198.51.100.9", True), ("198.51.100.10", False)])
async def test_an_address_list_reads_context_ip(run_pipeline: RunPipeline, ip: str, allowed: bool) -> None:
    verdict = await run_pipeline("PRE_REGISTER", ADDRESS_LIST, context={"request": {"ip": ip}})
    assert (verdict.allowed, verdict.message) == (allowed, None if allowed else "Not from there.")


@pytest.mark.parametrize(("email", "checked"), [(None, None), ("ann@example.com", "yes")])
async def test_a_lone_value_from_three_arguments_is_the_context(
    run_pipeline: RunPipeline, email: str | None, checked: str | None
) -> None:
    body = {"email": email} if email else {"username": "ann"}
    verdict = await run_pipeline("PRE_REGISTER", TWO_VALUES, SHOW, context={"request": {"body": body}})
    user, context = verdict.steps[1].logs[0]
    assert (user.get("email"), context.get("checked"), "request" in user) == (email, checked, False)
    assert context["request"]["body"].items() >= body.items()


async def test_a_two_argument_signature_that_hands_on_a_user_is_broken(run_pipeline: RunPipeline) -> None:
    source = """
    async function pipe(context, callback) {
      if (context.connection === "social:weibo") return callback(new Error("Not by weibo."));
      return callback(null, user, context);
    }
    """
    blocked = await run_pipeline(
        "PRE_REGISTER", source, context={"connection": "weibo"}, settings={"legacyContext": True}
    )
    assert (blocked.reason, blocked.message) == ("denied", "Not by weibo.")
    broken = await run_pipeline("PRE_REGISTER", source, context={"connection": "github"})
    assert (broken.reason, broken.steps[0].outcome) == ("failed", Outcome.THREW)
    assert "user is not defined" in str(broken.steps[0].message)


async def test_the_old_spelling_of_protocol_and_connection(run_pipeline: RunPipeline) -> None:
    context = {"protocol": "password", "connection": "github"}
    verdict = await run_pipeline("POST_AUTHENTICATION", SHOW, context=context, settings={"legacyContext": True})
    seen = verdict.steps[0].logs[0][1]
    assert (seen["protocol"], seen["connection"]) == ("basic", "social:github")


async def test_what_a_registration_says_of_itself(run_pipeline: RunPipeline) -> None:
    body = {"email": "ann@example.com", "password": "hidden", "profile": {"nickname": "Ann"}}
    verdict = await run_pipeline("PRE_REGISTER", SHOW, context={"request": {"body": body}})
    data = verdict.steps[0].logs[0][1]["data"]
    assert data["userInfo"].items() >= {"email": "ann@example.com", "nickname": "Ann"}.items()
    assert data["userInfo"]["registerMethod"] == "default:email"
    assert data["userInfo"]["registerInClient"] == verdict.context["userPoolId"]
    assert (data["forceLogin"], data["profile"]) == (False, {"nickname": "Ann"})
    assert "hidden" not in json.dumps(verdict.steps[0].logs)


async def test_metadata_is_for_this_answer_and_persisted_metadata_is_kept(run_pipeline: RunPipeline) -> None:
    first = """
    async function pipe(user, context, callback) {
      user.addMetaData("level", "gold");
      user.addMetaDataAndPersist("branch", "north");
      user.addMetaDataAndPersist("essay", "x".repeat(1001));
      callback(null, user, context);
    }
    """
    second = """
    async function pipe(user, context, callback) {
      user.addMetaData("points", "7");
      user.addMetaDataAndPersist("seen", user.customDataOnce.level + "," + user.customData.branch);
      callback(null, user, context);
    }
    """
    verdict = await run_pipeline("POST_REGISTER", first, second, user={"id": "u1", "customData": {"kept": "1"}})
    assert verdict.effects.custom_data_once == {"level": "gold", "points": "7"}
    assert verdict.effects.custom_data == {"branch": "north", "seen": "gold,north"}
    assert "essay" in str(verdict.steps[0].warnings)


async def test_metadata_out_of_its_scenes_only_warns(run_pipeline: RunPipeline) -> None:
    source = """
    async function pipe(user, context, callback) {
      user.addMetaData("a", "1"); user.addMetaDataAndPersist("b", "2"); user.setTokenField("c", "3");
      callback(null, user, context);
    }
    """
    verdict = await run_pipeline("PRE_AUTHENTICATION", source, user={"id": "u1"})
    assert (verdict.allowed, len(verdict.steps[0].warnings)) == (True, 3)
    effects = verdict.effects
    assert (effects.custom_data, effects.custom_data_once, effects.login_token.set) == ({}, {}, {})


@pytest.mark.parametrize("method", ["setTokenField", "addToken"])
async def test_fields_of_the_login_token(run_pipeline: RunPipeline, method: str) -> None:
    source = f"""
    async function pipe(user, context, callback) {{
      user.{method}("plan", "team"); user.{method}("gone", "x");
      user.removeTokenField("gone"); user.removeTokenField("nickname");
      callback(null, user, context);
    }}
    """
    verdict = await run_pipeline("POST_AUTHENTICATION", source, user={"id": "u1"})
    assert verdict.effects.login_token.set == {"plan": "team"}
    assert set(verdict.effects.login_token.remove) == {"gone", "nickname"}


@pytest.mark.parametrize("scene", ["PRE_OIDCTOKENISSUED", "PRE_OIDC_ID_TOKEN_ISSUED"])
async def test_set_id_token_field(run_pipeline: RunPipeline, scene: str) -> None:
    source = """
    async function pipe(user, context, callback) {
      user.setIdTokenField("tier", 3);
      callback(null, user, context);
    }
    """
    verdict = await run_pipeline(scene, source, user={"id": "u1"})
    assert verdict.effects.id_token.set == {"tier": 3}


async def test_a_location_in_the_form_of_2020(run_pipeline: RunPipeline) -> None:
    source = """
    async function pipe(user, context, callback) {
      if (context.ip) {
        user.addMetaDataAndPersist("address", context.ip);
        user.addMetaDataAndPersist("place", JSON.stringify(context.geo));
        user.addMetaDataAndPersist("city", context.geo.address_detail.city);
      }
      return callback(null, user, context);
    }
    """
    geo = {"province": "北京市", "city": "北京市", "adcode": "110000"}
    context = {"request": {"ip": "203.0.113.7", "geo": geo}}
    verdict = await run_pipeline("POST_AUTHENTICATION", source, user={"id": "u1"}, context=context)
    kept = verdict.effects.custom_data
    assert json.loads(kept.pop("place")).items() >= {"address": "北京市", "adcode": "110000"}.items()
    assert kept == {"address": "203.0.113.7", "city": "北京市"}


async def test_fields_that_cannot_be_written(run_pipeline: RunPipeline) -> None:
    source = """
    function pipe(user, context, callback) {
      user._id = user.registerMethod = user.registerInClient = user.password = "mine";
      user.company = "Example";
      callback(null);
    }
    """
    user = {"_id": "u1", "registerMethod": "default:username-password"}
    verdict = await run_pipeline("POST_REGISTER", source, SHOW, user=user)
    assert verdict.effects.profile == {"company": "Example"}
    seen: dict[str, Any] = verdict.steps[1].logs[0][0]
    assert (seen["id"], seen["_id"], seen["registerMethod"]) == ("u1", "u1", "default:username-password")
    assert (seen["registerInClient"], "password" in seen) == (seen["userPoolId"], False)
    assert verdict.user is not None and verdict.user["company"] == "Example"


async def test_a_misspelt_field_never_matches(run_pipeline: RunPipeline) -> None:
    source = """
    async function pipe(user, context, callback) {
      if (context.conection === "github") user.addMetaDataAndPersist("repos", "[]");
      return callback(null, user, context);
    }
    """
    verdict = await run_pipeline("POST_REGISTER", source, user={"id": "u1"}, context={"connection": "github"})
    assert (verdict.allowed, verdict.effects.custom_data) == (True, {})


ADD_TO_GROUP = """
async function pipe(user, context, callback) {
  if (user.email.endsWith("@example.com")) {
    try {
      const { code } = await authing.authz.addUserToGroup({ userId: user._id, groupId: env.ROOT_GROUP_ID });
      log(code);
    } catch (error) {
      log(error.message);
    }
  }
  return callback(null, user, context);
}
"""

DIRECTORY = """
var authing = { authz: { addUserToGroup: async (member) => { log(member); return { code: 200 } } } };
"""


@pytest.mark.parametrize(
    ("prologue", "logged"),
    [(DIRECTORY, [[{"userId": "u1", "groupId": "g1"}], [200]]), ("", None)],
    ids=["a directory", "no directory"],
)
async def test_a_user_is_added_to_a_group(run_pipeline: RunPipeline, prologue: str, logged: list[Any] | None) -> None:
    verdict = await run_pipeline(
        "POST_AUTHENTICATION",
        prologue + ADD_TO_GROUP,
        user={"id": "u1", "email": "ann@example.com"},
        environment={"ROOT_GROUP_ID": "g1"},
    )
    assert verdict.allowed
    if logged is None:
        assert "no directory" in str(verdict.steps[0].logs)
    else:
        assert verdict.steps[0].logs == logged


async def test_a_user_without_email_breaks_the_group_function(run_pipeline: RunPipeline) -> None:
    verdict = await run_pipeline("POST_AUTHENTICATION", ADD_TO_GROUP, user={"id": "u1", "email": None})
    assert (verdict.reason, verdict.steps[0].outcome) == ("failed", Outcome.THREW)


@pytest.mark.parametrize("call", ["authing.userGroupList(user._id)", "authing.users.listOrgs(user._id)"])
async def test_the_directory_is_refused_by_name_while_there_is_none(run_pipeline: RunPipeline, call: str) -> None:
    source = f"""
    async function pipe(user, context, callback) {{
      {call}.then(() => callback(null, user, context)).catch((error) => callback(error.message));
    }}
    """
    verdict = await run_pipeline("PRE_OIDC_ID_TOKEN_ISSUED", source, user={"id": "u1"})
    assert (verdict.reason, "no directory attached" in str(verdict.message)) == ("denied", True)


async def test_a_token_function_that_reads_what_is_not_there_stops_the_token(run_pipeline: RunPipeline) -> None:
    source = """
    async function pipe(user, context, callback) {
      const ids = data?.map((path) => path[0].id);
      user.addIdToken("orgIds", ids);
      return callback(null, user, context);
    }
    """
    verdict = await run_pipeline("PRE_OIDCTOKENISSUED", source, user={"id": "u1"})
    assert (verdict.reason, verdict.effects.id_token.set) == ("failed", {})
    assert "data is not defined" in str(verdict.steps[0].message)
