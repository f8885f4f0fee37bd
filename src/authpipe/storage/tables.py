"""Every table, once: the main database's and the run records'; queries live with their noun."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: what operators made; must survive
MAIN = MetaData(naming_convention=_NAMES)
#: what runs left behind; may lose its last batch
LOGS = MetaData(naming_convention=_NAMES)


def _pool_id(*, primary_key: bool = False) -> Column[str]:
    owner = ForeignKey("user_pools.pool_id", ondelete="CASCADE")
    return Column("pool_id", String, owner, primary_key=primary_key, nullable=False)


user_pools = Table(
    "user_pools",
    MAIN,
    Column("pool_id", String, primary_key=True),
    Column("name", String, nullable=False),
    #: JSON text of PoolSettings
    Column("settings", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
)

access_keys = Table(
    "access_keys",
    MAIN,
    Column("access_key_id", String, primary_key=True),
    _pool_id(),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
    Index(None, "pool_id"),
)

functions = Table(
    "functions",
    MAIN,
    _pool_id(primary_key=True),
    Column("function_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("description", String, nullable=False),
    Column("scene", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("asynchronous", Boolean, nullable=False),
    #: seconds; null means the server's default
    Column("timeout", Integer),
    #: null means what the pool's failure policy says
    Column("terminate_on_timeout", Boolean),
    #: the revision that runs; null while none ever compiled
    Column("live_revision", Integer),
    #: the source submitted last, while it does not compile
    Column("failed_source", LargeBinary),
    #: why the source submitted last does not compile
    Column("upload_error", Text),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index(None, "pool_id", "scene", "position"),
)

revisions = Table(
    "revisions",
    MAIN,
    Column("pool_id", String, primary_key=True),
    Column("function_id", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    #: UTF-8, byte for byte as submitted
    Column("source", LargeBinary, nullable=False),
    #: declared parameters of `pipe`, when the source tells
    Column("parameters", Integer),
    Column("created_at", Double, nullable=False),
    ForeignKeyConstraint(
        ["pool_id", "function_id"], ["functions.pool_id", "functions.function_id"], ondelete="CASCADE"
    ),
)

environment = Table(
    "environment",
    MAIN,
    _pool_id(primary_key=True),
    Column("name", String, primary_key=True),
    Column("sealed_value", LargeBinary, nullable=False),
    Column("secret", Boolean, nullable=False),
    Column("updated_at", Double, nullable=False),
)

invocation_queue = Table(
    "invocation_queue",
    MAIN,
    _pool_id(primary_key=True),
    Column("invocation_id", String, primary_key=True),
    Column("function_id", String, nullable=False),
    Column("scene", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("user_id", String),
    Column("app_id", String),
    Column("sealed_snapshot", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    #: when it may be claimed (again): while claimed, the end of the lease; null once failed for good
    Column("due_at", Double),
    Column("failure", Text),
    Index(None, "due_at"),
)

#: outlives its user pool, so that other processes learn of the deletion
changes = Table(
    "changes",
    MAIN,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("pool_id", String, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    LOGS,
    Column("pool_id", String, primary_key=True),
    Column("run_id", String, primary_key=True),
    Column("scene", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("message", Text),
    Column("request_id", String, nullable=False),
    Column("user_id", String),
    Column("app_id", String),
    Column("started_at", Double, nullable=False),
    #: milliseconds
    Column("duration", Double, nullable=False),
    Column("origin", String, nullable=False),
    #: ids of the functions of its steps, spaces between; the way to its rows in `invocations`
    Column("function_ids", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: apart from `runs`, which stays small enough to page through quickly
run_snapshots = Table(
    "run_snapshots",
    LOGS,
    Column("pool_id", String, primary_key=True),
    Column("run_id", String, primary_key=True),
    Column("sealed_snapshot", LargeBinary, nullable=False),
)

invocations = Table(
    "invocations",
    LOGS,
    Column("pool_id", String, primary_key=True),
    Column("function_id", String, primary_key=True),
    Column("run_id", String, primary_key=True),
    #: place among the steps of its run
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("outcome", String, nullable=False),
    Column("skipped", Boolean, nullable=False),
    #: milliseconds
    Column("duration", Double, nullable=False),
    Column("message", Text),
    Column("detail", Text),
    #: JSON text of {"logs", "console", "warnings"}; null when all are empty
    Column("output", LargeBinary),
    sqlite_with_rowid=False,
)
