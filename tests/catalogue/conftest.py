"""Runs functions through the real engine, in an application that every test of the folder shares."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from authpipe import settings
from authpipe.app import Application
from authpipe.catalogue.catalogue import Catalogue, load
from authpipe.model import Scene, Verdict

TABLE = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))

Case = dict[str, Any]
MakePool = Callable[..., Awaitable[str]]
RunPipeline = Callable[..., Awaitable[Verdict]]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The shipped catalogue."""
    return load()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def application(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Application]:
    """Database, engine and workers, on a folder of their own."""
    loaded = settings.load({}, data_dir=tmp_path_factory.mktemp("catalogue"), spares=2)
    async with Application.open(loaded) as opened:
        yield opened


@pytest.fixture(scope="session")
def make_pool(application: Application) -> MakePool:
    """Pool settings by wire name → id of a new user pool that has them."""

    async def make(**changes: Any) -> str:
        pool_id = (await application.user_pools.create("catalogue")).user_pool.pool_id
        if changes:
            await application.user_pools.update_settings(pool_id=pool_id, changes=changes)
        return pool_id

    return make


@pytest.fixture
def run_pipeline(application: Application, make_pool: MakePool) -> RunPipeline:
    """Scene and sources in order → the verdict of a new user pool that has them deployed.

    `settings` and `environment` are those of the user pool; user, context and identifiers are those of the run.
    """

    async def run(
        scene: str, *sources: str, settings: Case | None = None, environment: Case | None = None, **event: Any
    ) -> Verdict:
        pool_id = await make_pool(**(settings or {}))
        for key, value in (environment or {}).items():
            await application.environment.put(pool_id=pool_id, key=key, value=value)
        for source in sources:
            draft = {"sourceCode": source, "scene": scene, "funcName": "legacy"}
            made = await application.functions.create(pool_id=pool_id, draft=draft)
            assert made.status == "success", made
        event = {"user": {}, "context": {}} | event
        verdict = await application.engine.run(pool_id=pool_id, scene=Scene.parse(scene), **event)
        await application.user_pools.delete(pool_id=pool_id)
        return verdict

    return run


@pytest.fixture
def run_case(
    catalogue: Catalogue, application: Application, make_pool: MakePool
) -> Callable[[Case], Awaitable[dict[str, Any]]]:
    """Case → {verdict, message, threw, profile, customData, idToken, accessToken, logs}."""

    async def run(case: Case) -> dict[str, Any]:
        prologue = TABLE["prologues"][case["prologue"]] if "prologue" in case else ""
        verdict = await application.engine.debug(
            pool_id=await make_pool(**case.get("settings", {})),
            scene=Scene.parse(case["scene"]),
            source=f"{prologue}\n{catalogue.get(case['template']).code}",
            user=case.get("user", {}),
            context=case.get("context", {}),
            environment=case.get("env", {}),
        )
        return _came(verdict)

    return run


def _came(verdict: Verdict) -> dict[str, Any]:
    """What a case can expect. No case expects removed claims, claims of a login token or data for once."""
    effects, (step,) = verdict.effects, verdict.steps
    assert not effects.custom_data_once and not effects.login_token.set
    assert not effects.id_token.remove and not effects.access_token.remove
    return {
        "verdict": verdict.verdict,
        "message": verdict.message,
        "threw": step.outcome == "threw",
        "profile": effects.profile,
        "customData": effects.custom_data,
        "idToken": effects.id_token.set,
        "accessToken": effects.access_token.set,
        "logs": step.logs,
        "warnings": step.warnings,
    }
