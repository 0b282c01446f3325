"""Groups, and who may use which connection and model."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("handle", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("handle", name=op.f("uq_groups_handle")),
    )
    _create_link("memberships", "user_id", "users", _facts_of_a_membership())
    op.create_index(
        "uq_memberships_user_id_is_main",
        "memberships",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("is_main"),
        postgresql_where=sa.text("is_main"),
    )
    _create_link("connection_groups", "connection_id", "connections")
    _create_link("model_groups", "model_id", "models")
    for table in ("connections", "models"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(
                sa.Column("is_restricted", sa.Boolean(), nullable=False, server_default=sa.false())
            )
        # The default was for the rows that were there: until now, everything was open to everyone.
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column("is_restricted", server_default=None)


def downgrade() -> None:
    for table in ("models", "connections"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("is_restricted")
    for table in ("model_groups", "connection_groups", "memberships", "groups"):
        op.drop_table(table)


def _create_link(table: str, key: str, other: str, facts: tuple[sa.Column[object], ...] = ()) -> None:
    """A table of pairs: something, and a group that it has to do with."""
    op.create_table(
        table,
        sa.Column(key, sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        *facts,
        sa.ForeignKeyConstraint(
            [key], [f"{other}.id"], name=op.f(f"fk_{table}_{key}_{other}"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f(f"fk_{table}_group_id_groups"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(key, "group_id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_group_id"), table, ["group_id"], unique=False)


def _facts_of_a_membership() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("is_manager", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
    )
