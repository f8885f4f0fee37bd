"""Plans as workers will run them, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from authpipe.errors import NotFound
from authpipe.model import Scene, Step
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.environment import Environment
from authpipe.storage.functions import Functions, Upload
from authpipe.storage.plans import Plans

SCENE = Scene.PRE_REGISTER


@pytest.fixture
def plans(database: Database, cipher: Cipher) -> Plans:
    return Plans(database, cipher)


async def test_a_plan_holds_the_enabled_functions_of_its_scene_in_order(
    database: Database, plans: Plans, pool_id: str, make_function: Any
) -> None:
    made = {name: await make_function(pool_id, name=name) for name in "abc"}
    await make_function(pool_id, name="off", enabled=False)
    await make_function(pool_id, name="elsewhere", scene=Scene.POST_REGISTER)
    await Functions(database).set_order(pool_id=pool_id, scene=SCENE, order=[made["c"].function_id])
    plan = await plans.load(pool_id=pool_id, scene=SCENE)
    assert (plan.scene, plan.pool.pool_id) == (SCENE, pool_id)
    assert [step.name for step in plan.steps] == ["c", "a", "b"]


async def test_a_step_carries_what_the_function_says(plans: Plans, pool_id: str, make_function: Any) -> None:
    made = await make_function(
        pool_id, name="n", source="source ✓", asynchronous=True, timeout=7, terminate_on_timeout=True
    )
    (step,) = (await plans.load(pool_id=pool_id, scene=SCENE)).steps
    assert step == Step(
        function_id=made.function_id,
        name="n",
        revision=1,
        source="source ✓",
        parameters=3,
        asynchronous=True,
        timeout=7,
        terminate_on_timeout=True,
    )


async def test_what_a_function_leaves_open_takes_the_defaults(
    database: Database, cipher: Cipher, pool_id: str, make_function: Any
) -> None:
    await make_function(pool_id)
    (step,) = (await Plans(database, cipher, default_timeout=11).load(pool_id=pool_id, scene=SCENE)).steps
    assert (step.timeout, step.terminate_on_timeout) == (11, None)


async def test_a_bad_source_never_replaces_the_live_revision(
    database: Database, plans: Plans, pool_id: str, make_function: Any
) -> None:
    made = await make_function(pool_id, source="good")
    bad = Upload(source="bad", parameters=None, error="line 1")
    await Functions(database).update(pool_id=pool_id, function_id=made.function_id, values={}, upload=bad, at=3.0)
    (step,) = (await plans.load(pool_id=pool_id, scene=SCENE)).steps
    assert (step.source, step.revision, step.broken) == ("good", 1, None)


async def test_a_function_that_never_compiled_is_a_broken_step(plans: Plans, pool_id: str, make_function: Any) -> None:
    await make_function(pool_id, source="bad", error="Unexpected end (1:17)")
    (step,) = (await plans.load(pool_id=pool_id, scene=SCENE)).steps
    assert (step.broken, step.source, step.revision) == ("Unexpected end (1:17)", "", 0)


async def test_the_environment_is_there_in_clear_with_secrets_named(
    database: Database, cipher: Cipher, plans: Plans, pool_id: str
) -> None:
    for name, secret in (("VARIABLE", False), ("SECRET", True)):
        await Environment(database, cipher).put(
            pool_id=pool_id, name=name, value=name.lower(), secret=secret, check=lambda *_: None, quota=9, at=1.0
        )
    plan = await plans.load(pool_id=pool_id, scene=SCENE)
    assert plan.environment == {"VARIABLE": "variable", "SECRET": "secret"}
    assert plan.secret_names == {"SECRET"}


async def test_a_pool_without_functions_has_an_empty_plan_and_an_unknown_one_none(plans: Plans, pool_id: str) -> None:
    assert (await plans.load(pool_id=pool_id, scene=SCENE)).steps == ()
    with pytest.raises(NotFound):
        await plans.load(pool_id="nobody", scene=SCENE)


async def test_nothing_of_another_pool_is_in_a_plan(
    database: Database, cipher: Cipher, plans: Plans, make_pool: Any, make_function: Any
) -> None:
    mine, other = [(await make_pool()).pool_id for _ in range(2)]
    await make_function(other)
    await Environment(database, cipher).put(
        pool_id=other, name="A", value="b", secret=False, check=lambda *_: None, quota=9, at=1.0
    )
    plan = await plans.load(pool_id=mine, scene=SCENE)
    assert (plan.steps, plan.environment, plan.secret_names) == ((), {}, frozenset())
