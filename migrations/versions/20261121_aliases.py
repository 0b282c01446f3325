"""Aliases, several keys for one connection, and which connections stay in the house."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "aliases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_weighted", sa.Boolean(), nullable=False),
        sa.Column("allows_cloud", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aliases")),
        sa.UniqueConstraint("name", name=op.f("uq_aliases_name")),
    )
    op.create_table(
        "alias_targets",
        sa.Column("alias_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alias_id"], ["aliases.id"], name=op.f("fk_alias_targets_alias_id_aliases"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alias_id", "position", name=op.f("pk_alias_targets")),
    )
    op.create_table(
        "connection_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("encrypted_key", sa.Text(), nullable=False),
        sa.Column("key_hint", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
            name=op.f("fk_connection_keys_connection_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_keys")),
    )
    with op.batch_alter_table("connection_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_connection_keys_connection_id"), ["connection_id"], unique=False)
    with op.batch_alter_table("connections", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_local", sa.Boolean(), nullable=False, server_default=sa.false()))
    # What runs models on somebody's own machine was meant to stay there.
    op.execute("UPDATE connections SET is_local = true WHERE kind IN ('ollama', 'lmstudio')")


def downgrade() -> None:
    with op.batch_alter_table("connections", schema=None) as batch_op:
        batch_op.drop_column("is_local")
    op.drop_table("connection_keys")
    op.drop_table("alias_targets")
    op.drop_table("aliases")
