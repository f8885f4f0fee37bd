"""Every statement on rows that belong to a user pool says which user pool."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    Column,
    Delete,
    Select,
    Table,
    Update,
    event,
    or_,
    select,
)
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BooleanClauseList, ClauseElement
from sqlalchemy.sql.selectable import Join

from authpipe.model import Invocation, PoolSettings, Scene
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.environment import Environment
from authpipe.storage.functions import Functions, Upload
from authpipe.storage.keys import AccessKeys
from authpipe.storage.plans import Plans
from authpipe.storage.pools import Pools
from authpipe.storage.queue import InvocationQueue, QueuedInvocation
from authpipe.storage.runs import RunRecord, Runs
from authpipe.storage.tables import LOGS, MAIN, functions, revisions, runs

#: tables whose rows outlive or precede any user pool
UNOWNED = {"changes": "read by every process, whatever its pools, and kept when a pool is deleted"}
#: (method, table) → why it looks beyond one user pool
ALLOWED = {
    ("Pools.list", "user_pools"): "the operator's list of user pools",
    ("AccessKeys.find_active", "access_keys"): "credentials are how the user pool is found",
    ("InvocationQueue.claim", "invocation_queue"): "one queue runner serves every user pool",
    ("InvocationQueue.waiting", "invocation_queue"): "a gauge of the whole server",
    ("InvocationQueue.prune", "invocation_queue"): "retention is the same in every user pool",
    ("Runs.prune", "runs"): "the walk from one user pool to the next",
}
#: statements that go to the driver as text
DRIVER_TEXT = re.compile(r"BEGIN|PRAGMA |INSERT INTO (runs|invocations|run_snapshots) \(pool_id, ")

POOL = "0" * 24


class Rows:
    """The storage of one database, with a user pool that has one row of everything."""

    def __init__(self, database: Database) -> None:
        cipher = Cipher(bytes(32))
        self.pools, self.functions = Pools(database), Functions(database)
        self.keys, self.environment = AccessKeys(database, cipher), Environment(database, cipher)
        self.plans, self.queue, self.runs = (
            Plans(database, cipher),
            InvocationQueue(database, cipher),
            Runs(database, cipher),
        )

    async def create_pool(self) -> object:
        key = self.keys.seal(pool_id=POOL, access_key_id=POOL, secret="s", at=1.0)
        return await self.pools.create(pool_id=POOL, name="n", first_key=key, at=1.0)

    async def add_key(self) -> object:
        key = self.keys.seal(pool_id=POOL, access_key_id="second", secret="s", at=1.0)
        return await self.keys.add(key, pool_id=POOL, quota=9)

    async def create_function(self) -> object:
        values = dict.fromkeys(("timeout", "terminate_on_timeout")) | dict.fromkeys(("name", "description"), "")
        return await self.functions.create(
            pool_id=POOL,
            function_id="f",
            scene=Scene.PRE_REGISTER,
            values=values | {"enabled": True, "asynchronous": False},
            upload=Upload(source="x", parameters=0, error=None),
            quota=9,
            at=1.0,
        )

    async def update_function(self) -> object:
        upload = Upload(source="y", parameters=0, error=None)
        return await self.functions.update(pool_id=POOL, function_id="f", values={"name": "n"}, upload=upload, at=1.0)

    async def put(self) -> object:
        return await self.environment.put(
            pool_id=POOL, name="A", value="v", secret=None, check=lambda *_: None, quota=9, at=1.0
        )

    async def queue_add(self) -> object:
        names = ("invocation_id", "function_id", "scene", "run_id", "request_id")
        item = QueuedInvocation(**dict.fromkeys(names, "i"), pool_id=POOL, snapshot=b"{}", created_at=1.0)
        return await self.queue.add([item])

    async def record(self) -> object:
        names = ("run_id", "scene", "verdict", "reason", "request_id")
        step = Invocation(function_id="f", name="n", revision=1)
        return await self.runs.add(
            [
                RunRecord(
                    **dict.fromkeys(names, "r"),
                    pool_id=POOL,
                    started_at=1.0,
                    duration=1.0,
                    steps=[step],
                    snapshot=b"{}",
                )
            ]
        )


#: public method → a call that reaches all it does; in an order in which there is something to find
EXERCISE: dict[str, Callable[[Rows], Awaitable[object]]] = {
    "Pools.create": lambda rows: rows.create_pool(),
    "Pools.get": lambda rows: rows.pools.get(pool_id=POOL),
    "Pools.list": lambda rows: rows.pools.list(),
    "Pools.update_settings": lambda rows: rows.pools.update_settings(pool_id=POOL, change=lambda _: PoolSettings()),
    "AccessKeys.add": lambda rows: rows.add_key(),
    "AccessKeys.find_active": lambda rows: rows.keys.find_active(POOL),
    "AccessKeys.list": lambda rows: rows.keys.list(pool_id=POOL),
    "AccessKeys.revoke": lambda rows: rows.keys.revoke(pool_id=POOL, access_key_id="second", at=2.0),
    "Functions.create": lambda rows: rows.create_function(),
    "Functions.update": lambda rows: rows.update_function(),
    "Functions.get": lambda rows: rows.functions.get(pool_id=POOL, function_id="f"),
    "Functions.list": lambda rows: rows.functions.list(pool_id=POOL, scene=Scene.PRE_REGISTER),
    "Functions.set_order": lambda rows: rows.functions.set_order(pool_id=POOL, scene=Scene.PRE_REGISTER, order=["f"]),
    "Environment.put": lambda rows: rows.put(),
    "Environment.list": lambda rows: rows.environment.list(pool_id=POOL),
    "Plans.load": lambda rows: rows.plans.load(pool_id=POOL, scene=Scene.PRE_REGISTER),
    "InvocationQueue.add": lambda rows: rows.queue_add(),
    "InvocationQueue.claim": lambda rows: rows.queue.claim(limit=1, now=2.0, lease_seconds=1),
    "InvocationQueue.retry": lambda rows: rows.queue.retry(pool_id=POOL, invocation_id="i", at=3.0),
    "InvocationQueue.waiting": lambda rows: rows.queue.waiting(),
    "InvocationQueue.fail": lambda rows: rows.queue.fail(pool_id=POOL, invocation_id="i", reason="r"),
    "InvocationQueue.failures": lambda rows: rows.queue.failures(pool_id=POOL),
    "InvocationQueue.done": lambda rows: rows.queue.done(pool_id=POOL, invocation_id="i"),
    "InvocationQueue.prune": lambda rows: rows.queue.prune(now=1.0, retention_days=1),
    "Runs.add": lambda rows: rows.record(),
    "Runs.list": lambda rows: rows.runs.list(pool_id=POOL, scene=Scene.PRE_REGISTER, before="z", limit=9),
    "Runs.get": lambda rows: rows.runs.get(pool_id=POOL, run_id="r"),
    "Runs.invocations": lambda rows: rows.runs.invocations(pool_id=POOL, function_id="f", page=1, limit=9),
    "Runs.prune": lambda rows: rows.runs.prune(now=1.0, retention_days=0, retention_runs=0),
    "Runs.delete_pool": lambda rows: rows.runs.delete_pool(pool_id=POOL),
    "Environment.delete": lambda rows: rows.environment.delete(pool_id=POOL, name="A"),
    "Functions.delete": lambda rows: rows.functions.delete(pool_id=POOL, function_id="f"),
    "Pools.delete": lambda rows: rows.pools.delete(pool_id=POOL),
}


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncIterator[tuple[Rows, list[ClauseElement], list[str]]]:
    """The storage, the statements it executes and what goes to the driver as text."""
    database = await Database.open(url=f"sqlite:///{tmp_path / 'm.db'}", logs_url=f"sqlite:///{tmp_path / 'l.db'}")
    statements: list[ClauseElement] = []
    texts: list[str] = []

    def composed(_connection: Any, statement: Any, *_: Any) -> None:
        statements.append(statement)

    def sent(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if context.compiled is None:
            texts.append(statement)

    for engine in (database.main.sync_engine, database.logs.sync_engine):
        event.listen(engine, "before_execute", composed)
        event.listen(engine, "before_cursor_execute", sent)
    yield Rows(database), statements, texts
    await database.close()


async def test_every_query_on_a_pools_rows_names_the_pool(
    rows: tuple[Rows, list[ClauseElement], list[str]],
) -> None:
    storage, statements, _ = rows
    found: set[tuple[str, str]] = set()
    for name, call in EXERCISE.items():
        statements.clear()
        await call(storage)
        assert statements or name == "Runs.add", f"{name} executed nothing"
        found |= {(name, table) for statement in statements for table in unfiltered(statement)}
    assert found == ALLOWED.keys()


async def test_what_goes_to_the_driver_as_text_is_known(rows: tuple[Rows, list[ClauseElement], list[str]]) -> None:
    storage, _, texts = rows
    for call in EXERCISE.values():
        await call(storage)
    assert [text for text in texts if not DRIVER_TEXT.match(text)] == []
    assert any(text.startswith("INSERT INTO runs") for text in texts)


def test_every_public_method_of_storage_is_exercised() -> None:
    classes = (Pools, AccessKeys, Functions, Environment, Plans, InvocationQueue, Runs)
    methods = {
        f"{each.__name__}.{name}"
        for each in classes
        for name, method in vars(each).items()
        if inspect.iscoroutinefunction(method) and not name.startswith("_")
    }
    assert methods == EXERCISE.keys()


def test_every_table_belongs_to_a_pool_or_says_why_not() -> None:
    tables = [*MAIN.tables.values(), *LOGS.tables.values()]
    assert [table.name for table in tables if "pool_id" not in table.c or table.c.pool_id.nullable] == []
    assert UNOWNED.keys() <= {table.name for table in tables}


def test_pool_id_comes_first_and_by_keyword(package: Path) -> None:
    """In storage and control, a function that takes a `pool_id` takes nothing but what it works on before it."""
    import ast

    late = []
    for path in [*(package / "storage").rglob("*.py"), *(package / "control").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                names = [argument.arg for argument in node.args.kwonlyargs]
                positional = [argument.arg for argument in node.args.args]
                if ("pool_id" in names and names[0] != "pool_id") or "pool_id" in positional:
                    late.append(f"{path.name}:{node.name}")
    assert sorted(late) == sorted(LATE)


#: public functions to which a user pool is the subject itself
LATE = ("tokens.py:forget",)


def unfiltered(statement: ClauseElement) -> Iterator[str]:
    """Names of the pool-owned tables that `statement`, or a select inside it, uses without naming the pool.

    An insert cannot: `pool_id` is never null.
    """
    for part in visitors.iterate(statement):
        if isinstance(part, Select):
            yield from _unbound(_tables(part), [part.whereclause, *_join_conditions(part)])
        elif isinstance(part, Update | Delete):
            yield from _unbound({part.table}, [part.whereclause])


def _tables(query: Select[Any]) -> set[Table]:
    return {
        table
        for source in query.get_final_froms()
        for table in ([source] if isinstance(source, Table) else _joined(source))
    }


def _joined(source: Any) -> Iterator[Table]:
    if isinstance(source, Table):
        yield source
    elif isinstance(source, Join):
        yield from _joined(source.left)
        yield from _joined(source.right)


def _join_conditions(query: Select[Any]) -> Iterator[ClauseElement]:
    for source in query.get_final_froms():
        for part in visitors.iterate(source):
            if isinstance(part, Join):
                yield part.onclause


def _unbound(tables: set[Table], conditions: list[ClauseElement | None]) -> set[str]:
    bound: set[Table] = set()
    pairs: list[tuple[Table, Table]] = []
    for condition in conditions:
        for left, right in _pool_equalities(condition):
            if isinstance(right, BindParameter):
                bound.add(left.table)
            elif _is_pool_id(right):
                pairs.append((left.table, right.table))
    for _ in pairs:
        bound |= {other for pair in pairs if set(pair) & bound for other in pair}
    return {table.name for table in tables - bound if table.name not in UNOWNED}


def _pool_equalities(condition: ClauseElement | None) -> Iterator[tuple[Column[Any], ClauseElement]]:
    """What `pool_id` columns must equal for the whole condition to hold; what stands in an OR does not count."""
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for clause in condition.clauses:
            yield from _pool_equalities(clause)
    elif isinstance(condition, BinaryExpression) and condition.operator is operators.eq and _is_pool_id(condition.left):
        yield condition.left, condition.right


def _is_pool_id(operand: ClauseElement) -> bool:
    return isinstance(operand, Column) and operand.name == "pool_id"


def test_a_query_without_the_pool_would_be_seen() -> None:
    mine = functions.c.pool_id == "p"
    joined = select(functions.c.name).join(revisions, revisions.c.function_id == functions.c.function_id)
    seen = {
        "no condition": select(functions),
        "another column": select(functions).where(functions.c.function_id == "p"),
        "not equal": select(functions).where(functions.c.pool_id != "p"),
        "one side of an or": select(functions).where(or_(mine, functions.c.name == "n")),
        "delete": Delete(functions),
        "update": Update(functions).values(name="n"),
        "inside another": select(select(functions).subquery()),
    }
    assert {name: set(unfiltered(statement)) for name, statement in seen.items()} == {
        name: {"functions"} for name in seen
    }
    assert list(unfiltered(joined.where(mine))) == ["revisions"]
    assert list(unfiltered(joined.where(mine, revisions.c.pool_id == functions.c.pool_id))) == []
    assert list(unfiltered(select(runs).where(runs.c.pool_id == "p", runs.c.run_id < "r"))) == []
