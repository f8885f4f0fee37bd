"""From an event to a verdict through real workers: who is let in, what they read, what is done and kept."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from authpipe import settings as settings_module
from authpipe.app import Application
from authpipe.errors import Conflict, NotFound, PayloadTooLarge
from authpipe.model import Outcome, Scene, Verdict

OK = "async function pipe(user, context, callback) { user.nickname = 'n'; callback(null, user, context) }"
DENY = "function pipe(user, context, callback) { user.nickname = 'n'; callback(new Error('Access denied.')) }"
THROW = "function pipe() { throw new Error('secret detail') }"
SPIN = "function pipe() { for (;;) {} }"
SILENT = "async function pipe() {}"


class Tenant:
    """A user pool of an application, with short names."""

    def __init__(self, application: Application, pool_id: str) -> None:
        self.application, self.pool_id = application, pool_id

    async def deploy(self, scene: Scene, source: str, **options: Any) -> str:
        draft = {"sourceCode": source, "scene": scene.value, "funcName": "f", **options}
        return (await self.application.functions.create(pool_id=self.pool_id, draft=draft)).func_id

    async def settings(self, **changes: Any) -> None:
        await self.application.user_pools.update_settings(pool_id=self.pool_id, changes=changes)

    async def run(self, scene: Scene, **event: Any) -> Verdict:
        return await self.application.engine.run(
            pool_id=self.pool_id, scene=scene, **{"user": {"id": "u1"}, "context": {}, **event}
        )


@pytest.fixture
async def application(tmp_path: Path) -> AsyncIterator[Application]:
    async with Application.open(settings_module.load({}, data_dir=tmp_path)) as opened:
        yield opened


@pytest.fixture
async def tenant(application: Application) -> Tenant:
    return Tenant(application, (await application.user_pools.create("acme")).user_pool.pool_id)


async def test_a_scene_without_functions_continues(tenant: Tenant) -> None:
    verdict = await tenant.run(Scene.PRE_REGISTER)
    assert (verdict.verdict, verdict.reason, verdict.status_code, verdict.steps) == ("continue", "ok", 200, [])


@pytest.mark.parametrize("scene", [Scene.PRE_AUTHENTICATION, Scene.POST_AUTHENTICATION])
async def test_a_deny_is_told_verbatim_and_nothing_is_done(tenant: Tenant, scene: Scene) -> None:
    await tenant.deploy(scene, OK)
    await tenant.deploy(scene, DENY)
    verdict = await tenant.run(scene)
    assert (verdict.verdict, verdict.reason, verdict.status_code) == ("deny", "denied", 603)
    assert verdict.message == "Access denied."
    assert verdict.effects.profile == {}
    assert verdict.user is not None and "nickname" not in verdict.user


async def test_a_thrown_text_stays_with_the_author_unless_the_pool_says_otherwise(tenant: Tenant) -> None:
    await tenant.deploy(Scene.PRE_REGISTER, THROW)
    verdict = await tenant.run(Scene.PRE_REGISTER)
    assert (verdict.verdict, verdict.reason) == ("deny", "failed")
    assert verdict.message == f"Custom code failed (request {verdict.request_id})"
    assert verdict.steps[0].message == "secret detail"
    await tenant.settings(showThrownMessages=True)
    assert (await tenant.run(Scene.PRE_REGISTER)).message == "secret detail"


@pytest.mark.parametrize(
    ("scene", "options", "policy", "allowed"),
    [
        (Scene.PRE_REGISTER, {}, "safe", False),
        (Scene.PRE_REGISTER, {"terminateOnTimeout": False}, "safe", True),
        (Scene.PRE_REGISTER, {}, "genauth", True),
        (Scene.POST_REGISTER, {}, "safe", True),
        (Scene.POST_REGISTER, {"terminateOnTimeout": True}, "safe", False),
    ],
)
@pytest.mark.parametrize("source", [SPIN, SILENT], ids=["spins", "silent"])
async def test_no_callback_in_time(
    tenant: Tenant, source: str, scene: Scene, options: dict[str, Any], policy: str, allowed: bool
) -> None:
    await tenant.settings(failurePolicy=policy)
    await tenant.deploy(scene, source, timeout=1, **options)
    await tenant.deploy(scene, OK)
    verdict = await tenant.run(scene)
    assert verdict.allowed is allowed
    assert verdict.steps[0].skipped is allowed
    assert verdict.steps[0].outcome is (Outcome.TIMED_OUT if source is SPIN else Outcome.NO_CALLBACK)
    if allowed:
        assert verdict.effects.profile == {"nickname": "n"}
        assert b"authpipe_let_through_total" in tenant.application.metrics.render()


async def test_the_same_request_id_is_answered_once(tenant: Tenant) -> None:
    function_id = await tenant.deploy(Scene.POST_REGISTER, OK)
    event = {"request_id": "r1", "user": {"id": "u1"}}
    answers = await asyncio.gather(*(tenant.run(Scene.POST_REGISTER, **event) for _ in range(5)))
    assert len({answer.run_id for answer in answers}) == 1
    total, _ = await tenant.application.run_log.function_logs(pool_id=tenant.pool_id, function_id=function_id)
    assert total == 1
    with pytest.raises(Conflict):
        await tenant.run(Scene.POST_REGISTER, request_id="r1", user={"id": "u2"})


async def test_a_change_takes_effect_at_the_next_run(tenant: Tenant) -> None:
    function_id = await tenant.deploy(Scene.PRE_REGISTER, DENY)
    assert not (await tenant.run(Scene.PRE_REGISTER)).allowed
    functions = tenant.application.functions
    await functions.update(pool_id=tenant.pool_id, draft={"funcId": function_id, "sourceCode": OK})
    assert (await tenant.run(Scene.PRE_REGISTER)).effects.profile == {"nickname": "n"}
    failed = await functions.update(pool_id=tenant.pool_id, draft={"funcId": function_id, "sourceCode": "function ("})
    assert failed.status == "failed" and "line 1" in (failed.upload_err_msg or "")
    assert (await tenant.run(Scene.PRE_REGISTER)).effects.profile == {"nickname": "n"}
    await functions.update(pool_id=tenant.pool_id, draft={"funcId": function_id, "enabled": False})
    assert (await tenant.run(Scene.PRE_REGISTER)).steps == []


async def test_a_change_by_another_process_is_heard_of(tmp_path: Path, tenant: Tenant) -> None:
    await tenant.deploy(Scene.PRE_REGISTER, DENY)
    assert not (await tenant.run(Scene.PRE_REGISTER)).allowed
    other_settings = settings_module.load({}, data_dir=tmp_path, spares=0)
    async with Application.open(other_settings) as other:
        listed = await other.functions.list(pool_id=tenant.pool_id)
        await other.functions.delete(pool_id=tenant.pool_id, function_id=listed[0].func_id)
        async with asyncio.timeout(20):
            while not (await tenant.run(Scene.PRE_REGISTER)).allowed:
                await asyncio.sleep(0.02)


async def test_secrets_are_redacted_wherever_text_is_kept(tenant: Tenant) -> None:
    await tenant.application.environment.put(pool_id=tenant.pool_id, key="KEY", value="hunter2hunter2", secret=True)
    source = "function pipe(u, c, cb) { log(env.KEY, { deep: [env.KEY] }); cb(new Error(`no: ${env.KEY}`)) }"
    function_id = await tenant.deploy(Scene.PRE_REGISTER, source)
    verdict = await tenant.run(Scene.PRE_REGISTER)
    assert verdict.message == "no: [redacted]"
    assert verdict.steps[0].logs == [["[redacted]", {"deep": ["[redacted]"]}]]
    run_log = tenant.application.run_log
    _, kept = await run_log.function_logs(pool_id=tenant.pool_id, function_id=function_id)
    assert "hunter2" not in str(kept)
    assert "hunter2" not in str(await run_log.run(pool_id=tenant.pool_id, run_id=verdict.run_id))


@pytest.mark.parametrize(("level", "kept"), [("none", 0), ("outcome", 1), ("full", 1)])
async def test_record_levels(tenant: Tenant, level: str, kept: int) -> None:
    await tenant.settings(recordLevel=level)
    await tenant.deploy(Scene.PRE_AUTHENTICATION, OK)
    verdict = await tenant.run(Scene.PRE_AUTHENTICATION)
    assert len(await tenant.application.run_log.runs(pool_id=tenant.pool_id)) == kept
    if kept:
        found = await tenant.application.run_log.run(pool_id=tenant.pool_id, run_id=verdict.run_id)
        assert isinstance(found.snapshot, dict) is (level == "full")


async def test_one_pool_never_runs_in_anothers_worker(application: Application) -> None:
    leak = "function pipe(u, c, cb) { u.nickname = String(globalThis.seen); globalThis.seen = env.WHO; cb(null, u, c) }"
    tenants = []
    for name in ("a", "b"):
        made = Tenant(application, (await application.user_pools.create(name)).user_pool.pool_id)
        await application.environment.put(pool_id=made.pool_id, key="WHO", value=name)
        await made.deploy(Scene.POST_AUTHENTICATION, leak)
        tenants.append((name, made))
    for _ in range(20):
        for name, made in tenants:
            verdict = await made.run(Scene.POST_AUTHENTICATION)
            assert verdict.effects.profile["nickname"] in ("undefined", name)


async def test_what_the_caller_got_wrong(tenant: Tenant) -> None:
    with pytest.raises(NotFound):
        await tenant.application.engine.run(pool_id="0" * 24, scene=Scene.PRE_REGISTER, user={}, context={})
    await tenant.deploy(Scene.PRE_REGISTER, OK)
    with pytest.raises(PayloadTooLarge):
        await tenant.run(Scene.PRE_REGISTER, context={"note": "x" * 1_100_000})


async def test_a_debug_run_stores_nothing(tenant: Tenant) -> None:
    verdict = await tenant.application.engine.debug(
        pool_id=tenant.pool_id, scene=Scene.PRE_REGISTER, source="function (", user={}, context={}
    )
    assert verdict.steps[0].outcome is Outcome.THREW and "line 1" in (verdict.steps[0].message or "")
    assert await tenant.application.run_log.runs(pool_id=tenant.pool_id) == []
