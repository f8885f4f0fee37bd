"""The first tables of the run records."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "l0001"
down_revision = None


def upgrade(operations: Operations) -> None:
    """Runs, their snapshots, their invocations."""
    _runs(operations)
    _invocations(operations)


def _runs(operations: Operations) -> None:
    operations.create_table(
        "runs",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("scene", sa.String, nullable=False),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("user_id", sa.String),
        sa.Column("app_id", sa.String),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("duration", sa.Double, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("function_ids", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "run_id", name="pk_runs"),
        sqlite_with_rowid=False,
    )
    operations.create_table(
        "run_snapshots",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("sealed_snapshot", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "run_id", name="pk_run_snapshots"),
    )


def _invocations(operations: Operations) -> None:
    operations.create_table(
        "invocations",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("function_id", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("skipped", sa.Boolean, nullable=False),
        sa.Column("duration", sa.Double, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("output", sa.LargeBinary),
        sa.PrimaryKeyConstraint("pool_id", "function_id", "run_id", "position", name="pk_invocations"),
        sqlite_with_rowid=False,
    )
