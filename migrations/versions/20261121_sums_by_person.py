"""Sums by person, beside those that know models too."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = ("period", "user_id", "group_id", "api_key_id", "origin")
SUMS = (
    "requests",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_micros",
    "unpriced",
    "stopped",
    "failed",
)


def upgrade() -> None:
    op.create_table(
        "usage_person_sums",
        *(sa.Column(name, sa.String(), nullable=False) for name in KEY),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_usage_person_sums")),
        sqlite_with_rowid=False,
    )
    key, sums = ", ".join(KEY), ", ".join(f"SUM({name})" for name in SUMS)
    op.execute(
        f"INSERT INTO usage_person_sums ({key}, {', '.join(SUMS)}) "  # noqa: S608  (nothing comes from outside)
        f"SELECT {key}, {sums} FROM usage_sums GROUP BY {key}"
    )
    # The primary key begins with period and user: it answers as quickly.
    op.drop_index("ix_usage_sums_user_id_period", table_name="usage_sums")
    _index_chats("connection", "model", "cost_micros", "first_day", "last_day", "group_id")


def downgrade() -> None:
    _index_chats("connection", "model", "cost_micros")
    op.create_index("ix_usage_sums_user_id_period", "usage_sums", ["user_id", "period"])
    op.drop_table("usage_person_sums")


def _index_chats(*columns: str) -> None:
    name = "ix_usage_chat_sums_connection_model_cost"
    op.drop_index(name, table_name="usage_chat_sums")
    op.create_index(name, "usage_chat_sums", list(columns))
