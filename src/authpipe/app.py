"""The composition root: the only file that knows concrete classes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from authpipe.catalogue.catalogue import Catalogue
from authpipe.catalogue.catalogue import load as load_catalogue
from authpipe.control.environment import EnvironmentValues
from authpipe.control.functions import PipelineFunctions
from authpipe.control.run_log import RunLog
from authpipe.control.tokens import Tokens
from authpipe.control.user_pools import UserPools
from authpipe.engine.asynchronous import Backlog
from authpipe.engine.engine import Engine
from authpipe.engine.plans import PlanCache
from authpipe.engine.recorder import Recorder
from authpipe.ids import id_maker
from authpipe.metrics import Metrics
from authpipe.model import PlanChanged
from authpipe.runtime.hostcalls import HostCallError
from authpipe.runtime.pool import WorkerPool
from authpipe.settings import Settings
from authpipe.storage.changes import ChangeWatcher
from authpipe.storage.cipher import load_or_create
from authpipe.storage.database import Database
from authpipe.storage.environment import Environment
from authpipe.storage.functions import Functions
from authpipe.storage.keys import AccessKeys
from authpipe.storage.plans import Plans
from authpipe.storage.pools import Pools
from authpipe.storage.queue import InvocationQueue, QueuedInvocation
from authpipe.storage.runs import RunRecord, Runs


class SystemClock:
    """Wall time of this machine."""

    def now(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z."""
        return time.time()


def urls(settings: Settings) -> tuple[str, str]:
    """Database URLs of rows and of run records; the embedded default is two SQLite files in the data folder."""
    folder = settings.storage.data_dir.absolute()
    main = settings.storage.database or f"sqlite+aiosqlite:///{folder / 'authpipe.db'}"
    logs = settings.storage.logs_database
    if not logs:
        logs = main if settings.storage.database else f"sqlite+aiosqlite:///{folder / 'logs.db'}"
    return main, logs


async def no_directory(*, pool_id: str, arguments: Any) -> Any:
    """The `authing` host call while no identity host lends its directory."""
    raise HostCallError("no_directory", "no directory attached: authing.* needs an identity host that lends one")


@dataclass(kw_only=True)
class Application:
    """Everything built, by name. `Application.open` is how to get one."""

    settings: Settings
    database: Database
    workers: WorkerPool
    engine: Engine
    recorder: Recorder
    queue: Backlog
    catalogue: Catalogue
    metrics: Metrics
    user_pools: UserPools
    tokens: Tokens
    functions: PipelineFunctions
    environment: EnvironmentValues
    run_log: RunLog
    #: to be called with every change that another process made
    announce: Callable[[PlanChanged], Awaitable[None]]

    async def heard_of_change(self, pool_id: str) -> None:
        """Another process changed the user pool."""
        await self.announce(PlanChanged(pool_id))

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, *, serving: bool = True) -> AsyncIterator[Application]:
        """Open the database and, when `serving`, start workers and the queue; all of it ends with the block."""
        settings.storage.data_dir.mkdir(parents=True, exist_ok=True)
        url, logs_url = urls(settings)
        async with AsyncExitStack() as stack:
            database = await Database.open(url=url, logs_url=logs_url)
            stack.push_async_callback(database.close)
            application = _build(settings, database)
            if serving:
                await _start(application, stack)
            yield application


async def _start(application: Application, stack: AsyncExitStack) -> None:
    drain = application.settings.server.drain_seconds
    stack.push_async_callback(application.recorder.stop)
    stack.push_async_callback(application.workers.stop, drain)
    await application.workers.start()
    watcher = ChangeWatcher(
        application.database, application.settings.storage.watch_seconds, application.heard_of_change
    )
    stack.push_async_callback(watcher.stop)
    await watcher.start()
    stack.push_async_callback(application.queue.stop)
    application.queue.start()


def _build(settings: Settings, database: Database) -> Application:
    clock, new_id, limits = SystemClock(), id_maker(), settings.limits
    cipher = load_or_create(settings.storage.data_dir / "server.key")
    runs, queue = Runs(database, cipher), InvocationQueue(database, cipher)
    workers = WorkerPool(settings.runtime, limits, {"authing": no_directory})
    metrics = Metrics(workers.stats, lambda: backlog.running)
    plans = PlanCache(Plans(database, cipher, limits.default_timeout).load, limits)

    async def prune() -> int:
        storage, now = settings.storage, clock.now()
        await queue.prune(now=now, retention_days=storage.retention_days)
        return await runs.prune(now=now, retention_days=storage.retention_days, retention_runs=storage.retention_runs)

    recorder = Recorder(settings.storage, runs.add, prune)

    def observe(record: RunRecord, *, keep: bool) -> None:
        metrics.observe(record)
        if keep:
            recorder.record(record)

    async def store(items: list[QueuedInvocation]) -> None:
        await queue.add(items)
        backlog.notify()

    engine = Engine(
        workers=workers, plans=plans, store=store, observe=observe, limits=limits, clock=clock, new_id=new_id
    )
    backlog = Backlog(queue, engine, limits, clock)
    keys = AccessKeys(database, cipher)
    tokens = Tokens(keys, cipher, clock=clock, lifetime=settings.server.token_lifetime)

    async def announce(change: PlanChanged) -> None:
        engine.plan_changed(change.pool_id)
        tokens.forget(change.pool_id)

    functions = PipelineFunctions(
        Functions(database), Pools(database), limits, check=workers.check, announce=announce, clock=clock, new_id=new_id
    )
    return Application(
        settings=settings,
        database=database,
        workers=workers,
        engine=engine,
        recorder=recorder,
        queue=backlog,
        catalogue=load_catalogue(),
        metrics=metrics,
        user_pools=UserPools(Pools(database), keys, (runs.delete_pool,), announce=announce, clock=clock, new_id=new_id),
        tokens=tokens,
        functions=functions,
        environment=EnvironmentValues(Environment(database, cipher), limits, announce=announce, clock=clock),
        run_log=RunLog(runs, Functions(database), flush=recorder.flush, default_timeout=limits.default_timeout),
        announce=announce,
    )
