"""Brings a database's schema to the newest migration, in one transaction, safe beside other processes."""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

_FOLDER = Path(__file__).parent / "migrations"
#: PostgreSQL advisory lock held while migrating
_LOCK = 7_166_921_573


def upgrade(connection: Connection, which: str) -> None:
    """Run the migrations of `which` ("main" or "logs") that are missing, inside the caller's transaction.

    Each migration is a file with `upgrade(operations)`: alembic's own `op` is shared by the whole interpreter
    and would mix up two databases that are opened at the same time.
    """
    script = ScriptDirectory(_FOLDER, version_locations=[_FOLDER / which])
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    context = MigrationContext.configure(
        connection,
        opts={"version_table": f"authpipe_version_{which}", "fn": lambda revision, _: steps(script, revision)},
    )
    context.run_migrations(operations=Operations(context))


def steps(script: ScriptDirectory, revision: object) -> list[object]:
    """The migrations between `revision` and the newest."""
    return list(script._upgrade_revs("head", revision))  # type: ignore[arg-type]
