"""Calls of programs can be stored as conversations, which go on where a program goes on."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("stores_calls", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("chats", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recorded_from", sa.String(), nullable=True))
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("history_digest", sa.String(), nullable=True))
        batch_op.create_index(
            "ix_messages_history_digest",
            ["history_digest"],
            unique=False,
            sqlite_where=sa.text("history_digest IS NOT NULL"),
            postgresql_where=sa.text("history_digest IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("ix_messages_history_digest")
        batch_op.drop_column("history_digest")
    with op.batch_alter_table("chats", schema=None) as batch_op:
        batch_op.drop_column("recorded_from")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_column("stores_calls")
