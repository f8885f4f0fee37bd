"""The first tables of the main database."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "m0001"
down_revision = None


def upgrade(operations: Operations) -> None:
    """User pools and what belongs to them."""
    _pools(operations)
    _functions(operations)
    _environment(operations)
    _queue(operations)
    _changes(operations)


def _owned(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_user_pools"
    return sa.ForeignKeyConstraint(["pool_id"], ["user_pools.pool_id"], name=name, ondelete="CASCADE")


def _pools(operations: Operations) -> None:
    operations.create_table(
        "user_pools",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("settings", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", name="pk_user_pools"),
    )
    operations.create_table(
        "access_keys",
        sa.Column("access_key_id", sa.String, nullable=False),
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("revoked_at", sa.Double),
        sa.PrimaryKeyConstraint("access_key_id", name="pk_access_keys"),
        _owned("access_keys"),
    )
    operations.create_index("ix_access_keys_pool_id", "access_keys", ["pool_id"])


def _functions(operations: Operations) -> None:
    operations.create_table(
        "functions",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("function_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("scene", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("asynchronous", sa.Boolean, nullable=False),
        sa.Column("timeout", sa.Integer),
        sa.Column("terminate_on_timeout", sa.Boolean),
        sa.Column("live_revision", sa.Integer),
        sa.Column("failed_source", sa.LargeBinary),
        sa.Column("upload_error", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "function_id", name="pk_functions"),
        _owned("functions"),
    )
    operations.create_index("ix_functions_pool_id_scene_position", "functions", ["pool_id", "scene", "position"])
    operations.create_table(
        "revisions",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("function_id", sa.String, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.Column("parameters", sa.Integer),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "function_id", "number", name="pk_revisions"),
        sa.ForeignKeyConstraint(
            ["pool_id", "function_id"],
            ["functions.pool_id", "functions.function_id"],
            name="fk_revisions_functions",
            ondelete="CASCADE",
        ),
    )


def _environment(operations: Operations) -> None:
    operations.create_table(
        "environment",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("sealed_value", sa.LargeBinary, nullable=False),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "name", name="pk_environment"),
        _owned("environment"),
    )


def _queue(operations: Operations) -> None:
    operations.create_table(
        "invocation_queue",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("invocation_id", sa.String, nullable=False),
        sa.Column("function_id", sa.String, nullable=False),
        sa.Column("scene", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("user_id", sa.String),
        sa.Column("app_id", sa.String),
        sa.Column("sealed_snapshot", sa.LargeBinary, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("due_at", sa.Double),
        sa.Column("failure", sa.Text),
        sa.PrimaryKeyConstraint("pool_id", "invocation_id", name="pk_invocation_queue"),
        _owned("invocation_queue"),
    )
    operations.create_index("ix_invocation_queue_due_at", "invocation_queue", ["due_at"])


def _changes(operations: Operations) -> None:
    operations.create_table(
        "changes",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_changes"),
        sqlite_autoincrement=True,
    )
