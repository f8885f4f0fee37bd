"""Control over a real database file, with a clock that stands and a compile check that is told what to say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from authpipe.control.access_keys import PoolKeys
from authpipe.control.environment import EnvironmentValues
from authpipe.control.functions import PipelineFunctions
from authpipe.control.run_log import RunLog
from authpipe.control.tokens import Tokens
from authpipe.control.user_pools import UserPools
from authpipe.ids import id_maker
from authpipe.model import CompileReport, PlanChanged
from authpipe.settings import LimitSettings
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.environment import Environment
from authpipe.storage.functions import Functions
from authpipe.storage.keys import AccessKeys
from authpipe.storage.plans import Plans
from authpipe.storage.pools import Pools
from authpipe.storage.runs import Runs

LIMITS = LimitSettings(source_bytes=200, functions_per_pool=4, environment_values=3, environment_value_bytes=30)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        return self.time


@dataclass
class Control:
    """Everything of control, wired as the application wires it."""

    database: Database
    cipher: Cipher
    clock: Clock = field(default_factory=Clock)
    #: user pools whose change was announced
    announced: list[str] = field(default_factory=list)
    #: sources that were compiled
    checked: list[str] = field(default_factory=list)
    #: how often recorded runs were asked to be written
    flushes: int = 0

    def __post_init__(self) -> None:
        options = {"announce": self.announce, "clock": self.clock}
        new_id = id_maker(self.clock.now)
        keys, pools, self.runs = (
            AccessKeys(self.database, self.cipher),
            Pools(self.database),
            Runs(self.database, self.cipher),
        )
        self.plans = Plans(self.database, self.cipher)
        self.tokens = self.new_tokens()
        self.user_pools = UserPools(pools, keys, (self.runs.delete_pool,), new_id=new_id, **options)
        self.access_keys = PoolKeys(keys, new_id=new_id, **options)
        self.functions = PipelineFunctions(
            Functions(self.database), pools, LIMITS, check=self.check, new_id=new_id, **options
        )
        self.environment = EnvironmentValues(Environment(self.database, self.cipher), LIMITS, **options)
        self.run_log = RunLog(self.runs, Functions(self.database), flush=self.flush)

    def new_tokens(self) -> Tokens:
        return Tokens(AccessKeys(self.database, self.cipher), self.cipher, clock=self.clock, lifetime=7200)

    async def announce(self, change: PlanChanged) -> None:
        self.announced.append(change.pool_id)
        self.tokens.forget(change.pool_id)

    async def check(self, source: str) -> CompileReport:
        """A source with "bad" in it does not compile."""
        self.checked.append(source)
        if "bad" in source:
            return CompileReport(error="Unexpected token (1:5)")
        return CompileReport(parameters=3)

    async def flush(self) -> None:
        self.flushes += 1


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    database = await Database.open(url=f"sqlite:///{tmp_path / 'm.db'}", logs_url=f"sqlite:///{tmp_path / 'l.db'}")
    yield Control(database, Cipher(bytes(32)))
    await database.close()


@pytest.fixture
async def pool_id(control: Control) -> str:
    made = await control.user_pools.create("Acme")
    control.announced.clear()
    return made.user_pool.pool_id
