"""Run records: written in batches, read back newest first, deleted by age and number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, Table, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authpipe.errors import NotFound
from authpipe.model import Invocation, Outcome, Scene
from authpipe.storage import retention
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.tables import invocations, run_snapshots, runs

_SEALED_AS = "snapshot of run "
_encode = msgspec.json.Encoder().encode


class RunRecord(msgspec.Struct, kw_only=True):
    """What is kept of one run."""

    run_id: str
    pool_id: str
    scene: str
    #: "continue" or "deny"
    verdict: str
    #: "ok", "denied" or "failed"
    reason: str
    message: str | None = None
    request_id: str
    user_id: str | None = None
    app_id: str | None = None
    #: seconds since the epoch
    started_at: float
    #: milliseconds
    duration: float
    #: "run", "asynchronous" or "debug"
    origin: str = "run"
    steps: list[Invocation] = []
    #: JSON text of {"user", "context"}, at record level full
    snapshot: bytes | None = None


class Output(msgspec.Struct):
    """What a function wrote during one invocation."""

    logs: list[list[Any]] = []
    console: list[dict[str, Any]] = []
    warnings: list[str] = []


_decode_output = msgspec.json.Decoder(Output).decode


class Runs:
    """Rows of runs and their invocations; snapshots are sealed."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher
        # Text once, tuples then: at thousands of rows a second SQLAlchemy's own insert costs more than SQLite's.
        self._insert_json = _insert_json_texts(database)
        self._insert = {table: _insert_text(table, database) for table in (runs, invocations, run_snapshots)}

    async def add(self, records: Sequence[RunRecord]) -> None:
        """Store the records, all or none, in one transaction."""
        batches: dict[Table, list[tuple[Any, ...]]] = {
            runs: [_run_row(record) for record in records],
            invocations: [row for record in records for row in _invocation_rows(record)],
            run_snapshots: [self._snapshot_row(record) for record in records if record.snapshot is not None],
        }
        async with self._database.write(self._database.logs) as connection:
            for table, rows in batches.items():
                await self._write(connection, table, rows)

    async def _write(self, connection: AsyncConnection, table: Table, rows: list[tuple[Any, ...]]) -> None:
        if table in self._insert_json:
            plain = [row for row in rows if not any(type(value) is bytes for value in row)]
            await connection.exec_driver_sql(self._insert_json[table], (_encode(plain).decode(),))
            rows = [row for row in rows if any(type(value) is bytes for value in row)] if len(plain) < len(rows) else []
        if rows:
            await connection.exec_driver_sql(self._insert[table], rows)

    async def get(self, *, pool_id: str, run_id: str) -> RunRecord:
        """That run with all that is kept of it. Raises `NotFound`."""
        mine = (runs.c.pool_id == pool_id, runs.c.run_id == run_id)
        snapshot = (run_snapshots.c.pool_id == pool_id, run_snapshots.c.run_id == run_id)
        async with self._database.read(self._database.logs) as connection:
            row = (await connection.execute(select(runs).where(*mine))).one_or_none()
            if row is None:
                raise NotFound("There is no such run in this user pool.")
            steps = await _steps(connection, [row], pool_id=pool_id, output=True)
            sealed = (await connection.execute(select(run_snapshots.c.sealed_snapshot).where(*snapshot))).scalar()
        record = _record(row, steps.get(run_id, []))
        if sealed is not None:
            record.snapshot = self._cipher.open(sealed, pool_id=pool_id, name=_SEALED_AS + run_id)
        return record

    async def invocations(
        self, *, pool_id: str, function_id: str, page: int, limit: int
    ) -> tuple[int, list[tuple[RunRecord, Invocation]]]:
        """How often the function was invoked, and page `page` (from 1) of it, newest first, runs without steps."""
        mine = (invocations.c.pool_id == pool_id, invocations.c.function_id == function_id)
        total = select(func.count()).select_from(invocations).where(*mine)
        query = select(invocations).where(*mine).order_by(invocations.c.run_id.desc(), invocations.c.position.desc())
        async with self._database.read(self._database.logs) as connection:
            count = (await connection.execute(total)).scalar_one()
            found = (await connection.execute(query.limit(limit).offset((page - 1) * limit))).all()
            query = select(runs).where(runs.c.pool_id == pool_id, runs.c.run_id.in_({row.run_id for row in found}))
            records = {row.run_id: _record(row, []) for row in await connection.execute(query)}
        return count, [(records[row.run_id], _invocation(row)) for row in found if row.run_id in records]

    async def prune(self, *, now: float, retention_days: int, retention_runs: int) -> int:
        """Delete, in every user pool, runs older than `retention_days` and all but `retention_runs`; how many."""
        return await retention.prune(self._database, oldest=now - retention_days * 86_400, kept=retention_runs)

    async def delete_pool(self, *, pool_id: str) -> None:
        """Delete every run of the user pool."""
        async with self._database.write(self._database.logs) as connection:
            for table in (runs, run_snapshots, invocations):
                await connection.execute(delete(table).where(table.c.pool_id == pool_id))

    async def list(
        self, *, pool_id: str, scene: Scene | None = None, before: str | None = None, limit: int
    ) -> list[RunRecord]:
        """Up to `limit` runs, newest first, older than run `before`; steps come without what they wrote."""
        query = select(runs).where(runs.c.pool_id == pool_id).order_by(runs.c.run_id.desc()).limit(limit)
        if scene is not None:
            query = query.where(runs.c.scene == scene.value)
        if before is not None:
            query = query.where(runs.c.run_id < before)
        async with self._database.read(self._database.logs) as connection:
            rows = (await connection.execute(query)).all()
            steps = await _steps(connection, rows, pool_id=pool_id, output=False)
        return [_record(row, steps.get(row.run_id, [])) for row in rows]

    def _snapshot_row(self, record: RunRecord) -> tuple[Any, ...]:
        name = _SEALED_AS + record.run_id
        return (
            record.pool_id,
            record.run_id,
            self._cipher.seal(record.snapshot or b"", pool_id=record.pool_id, name=name),
        )


def _insert_text(table: Table, database: Database) -> str:
    return str(insert(table).compile(dialect=database.logs.dialect))


def _insert_json_texts(database: Database) -> dict[Table, str]:
    """On SQLite, statements that take a whole batch as one JSON text.

    Row by row the driver's thread and the event loop would hand the interpreter lock to and fro for every one.
    """
    if database.logs.dialect.name != "sqlite":
        return {}
    texts = {}
    for table in (runs, invocations):
        names = ", ".join(column.name for column in table.columns)
        values = ", ".join(f"value ->> {place}" for place in range(len(table.columns)))
        texts[table] = f"INSERT INTO {table.name} ({names}) SELECT {values} FROM json_each(?)"
    return texts


def _run_row(record: RunRecord) -> tuple[Any, ...]:
    return (
        record.pool_id,
        record.run_id,
        record.scene,
        record.verdict,
        record.reason,
        _text(record.message),
        _text(record.request_id),
        _text(record.user_id),
        _text(record.app_id),
        record.started_at,
        record.duration,
        record.origin,
        " ".join([step.function_id for step in record.steps]),
    )


def _invocation_rows(record: RunRecord) -> Iterator[tuple[Any, ...]]:
    for position, step in enumerate(record.steps):
        yield (
            record.pool_id,
            step.function_id,
            record.run_id,
            position,
            step.name,
            step.revision,
            step.outcome.value,
            step.skipped,
            step.duration,
            _text(step.message),
            _text(step.detail),
            _output(step) if step.logs or step.console or step.warnings else None,
        )


def _text(value: str | None) -> str | None:
    """`value` as both databases take it: what a function says may hold NUL and halves of surrogate pairs."""
    if value is None or (value.isascii() and "\0" not in value):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _output(step: Invocation) -> bytes:
    output = Output(step.logs, step.console, step.warnings)
    try:
        return _encode(output)
    except (UnicodeEncodeError, OverflowError):
        plain = {"logs": step.logs, "console": step.console, "warnings": step.warnings}
        return json.dumps(plain).encode("ascii")


async def _steps(
    connection: AsyncConnection, rows: Sequence[Row[Any]], *, pool_id: str, output: bool
) -> dict[str, list[Invocation]]:
    hidden = () if output else ("output", "detail")
    columns = [column for column in invocations.c if column.name not in hidden]
    # The key of `invocations` begins with the function, so that its log is one range; hence both lists.
    query = select(*columns).where(
        invocations.c.pool_id == pool_id,
        invocations.c.function_id.in_({name for row in rows for name in row.function_ids.split()}),
        invocations.c.run_id.in_({row.run_id for row in rows}),
    )
    found: dict[str, list[Invocation]] = {}
    for row in await connection.execute(query.order_by(invocations.c.run_id, invocations.c.position)):
        found.setdefault(row.run_id, []).append(_invocation(row))
    return found


def _record(row: Row[Any], steps: list[Invocation]) -> RunRecord:
    values = dict(row._mapping)
    del values["function_ids"]
    return RunRecord(**values, steps=steps)


def _invocation(row: Row[Any]) -> Invocation:
    values = dict(row._mapping)
    written = values.pop("output", None)
    output = _read_output(written) if written else Output()
    for name in ("pool_id", "run_id", "position"):
        del values[name]
    values["outcome"] = Outcome(values["outcome"])
    return Invocation(**values, logs=output.logs, console=output.console, warnings=output.warnings)


def _read_output(written: bytes) -> Output:
    try:
        return _decode_output(written)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(written), Output)
