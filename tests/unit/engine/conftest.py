"""Plans for the engine's pure parts."""

from collections.abc import Callable
from typing import Any

import pytest

from authpipe.model import Plan, PoolSettings, Scene, UserPool

POOL_ID = "62137a1862ec85e145962edd"

MakePlan = Callable[..., Plan]


@pytest.fixture
def make_plan() -> MakePlan:
    """`make_plan(scene, **pool_settings)`: a plan without functions."""

    def make(scene: Scene, **settings: Any) -> Plan:
        pool = UserPool(
            pool_id=POOL_ID, name="Acme", settings=PoolSettings(**settings), created_at="2026-01-01T00:00:00.000Z"
        )
        return Plan(pool=pool, scene=scene, steps=(), environment={})

    return make
