"""Calls that are being made, and what processes hold for those to come."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "open_calls",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("draws", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_calls")),
    )
    with op.batch_alter_table("open_calls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_open_calls_claim"), ["claim"], unique=False)
        batch_op.create_index(batch_op.f("ix_open_calls_heartbeat_at"), ["heartbeat_at"], unique=False)
    with op.batch_alter_table("budget_reservations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("is_allotment", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("budget_reservations", schema=None) as batch_op:
        batch_op.drop_column("wanted_at")
        batch_op.drop_column("is_allotment")
    op.drop_table("open_calls")
