"""Every call has its price."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "price_overrides",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=True),
        sa.Column("cached_input", sa.BigInteger(), nullable=True),
        sa.Column("cache_write", sa.BigInteger(), nullable=True),
        sa.Column("output", sa.BigInteger(), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_overrides")),
    )
    with op.batch_alter_table("price_overrides", schema=None) as batch_op:
        batch_op.create_index(
            "ix_price_overrides_connection_model_effective_from",
            ["connection", "model", "effective_from"],
            unique=False,
        )

    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("group_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("api_key_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("correction_of", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("cost_micros", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("price_source", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("price", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cost_micros", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("api_key_id", sa.String(), nullable=True))
        batch_op.create_index(
            "ix_messages_chat_id_model_cost_micros",
            ["chat_id", "model", "cost_micros", "tokens_are_estimated"],
            unique=False,
            sqlite_where=sa.text("output_tokens IS NOT NULL"),
            postgresql_where=sa.text("output_tokens IS NOT NULL"),
        )

    with op.batch_alter_table("workspace", schema=None) as batch_op:
        batch_op.add_column(sa.Column("currency", sa.String(), nullable=False, server_default="USD"))
        batch_op.add_column(
            sa.Column("exchange_rate_micros", sa.BigInteger(), nullable=False, server_default="1000000")
        )
        batch_op.add_column(sa.Column("exchange_rate_on", sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("workspace", schema=None) as batch_op:
        batch_op.drop_column("exchange_rate_on")
        batch_op.drop_column("exchange_rate_micros")
        batch_op.drop_column("currency")

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("ix_messages_chat_id_model_cost_micros")
        batch_op.drop_column("api_key_id")
        batch_op.drop_column("cost_micros")

    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.drop_column("price")
        batch_op.drop_column("price_source")
        batch_op.drop_column("cost_micros")
        batch_op.drop_column("correction_of")
        batch_op.drop_column("api_key_id")
        batch_op.drop_column("group_id")

    with op.batch_alter_table("price_overrides", schema=None) as batch_op:
        batch_op.drop_index("ix_price_overrides_connection_model_effective_from")

    op.drop_table("price_overrides")
