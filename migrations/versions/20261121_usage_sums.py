"""Sums beside the ledger."""

import math

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

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
WHO_AND_WHAT = ("period", "user_id", "group_id", "api_key_id", "connection", "model", "origin")
WHAT = ("period", "connection", "model", "origin")
# What one entry of the ledger counts, in the order of SUMS.
ADDED_UP = """
    SUM(CASE WHEN correction_of IS NULL THEN 1 ELSE 0 END),
    SUM(input_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens),
    SUM(output_tokens), SUM(reasoning_tokens), SUM(COALESCE(cost_micros, 0)),
    SUM(CASE WHEN correction_of IS NULL AND cost_micros IS NULL AND input_tokens + output_tokens > 0
        THEN 1 ELSE 0 END),
    SUM(CASE WHEN correction_of IS NULL AND outcome = 'stopped' THEN 1 ELSE 0 END),
    SUM(CASE WHEN correction_of IS NULL AND outcome = 'failed' THEN 1 ELSE 0 END)
"""
KIND = "CASE WHEN origin LIKE 'chat:%' THEN 'chat' ELSE origin END"


def upgrade() -> None:
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("day", sa.String(), nullable=False, server_default=""))
    _table("usage_sums", WHO_AND_WHAT)
    op.create_index("ix_usage_sums_user_id_period", "usage_sums", ["user_id", "period"])
    op.create_index("ix_usage_sums_group_id_period", "usage_sums", ["group_id", "period"])
    _table("usage_model_sums", WHAT)
    op.create_table(
        "usage_model_times",
        *_keys("period", "connection", "model", "measure"),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "period", "connection", "model", "measure", "bucket", name=op.f("pk_usage_model_times")
        ),
        sqlite_with_rowid=False,
    )
    _table(
        "usage_chat_sums", ("chat_id", "connection", "model"), "user_id", "group_id", "first_day", "last_day"
    )
    op.create_index(
        "ix_usage_chat_sums_connection_model_cost", "usage_chat_sums", ["connection", "model", "cost_micros"]
    )
    op.create_index(
        "ix_usage_chat_sums_user_id_cost",
        "usage_chat_sums",
        ["user_id", "connection", "model", "cost_micros"],
    )
    _add_up_what_is_there()


def downgrade() -> None:
    for name in ("usage_chat_sums", "usage_model_times", "usage_model_sums", "usage_sums"):
        op.drop_table(name)
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.drop_column("day")


def _table(name: str, key: tuple[str, ...], *more: str) -> None:
    op.create_table(
        name,
        *_keys(*key, *more),
        *(sa.Column(sum_name, sa.BigInteger(), nullable=False) for sum_name in SUMS),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        sqlite_with_rowid=False,
    )


def _keys(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _add_up_what_is_there() -> None:
    """Days were counted in UTC until now."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    day = "substr(at, 1, 10)" if is_sqlite else "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
    op.execute(f"UPDATE ledger_entries SET day = {day}")  # noqa: S608  (nothing in it comes from outside)
    who = "user_id, COALESCE(group_id, ''), COALESCE(api_key_id, ''), connection, model"
    for period in ("day", "substr(day, 1, 7)"):
        _insert("usage_sums", WHO_AND_WHAT, f"{period}, {who}, {KIND}")
        _insert("usage_model_sums", WHAT, f"{period}, connection, model, {KIND}")
        _insert_times(period)
    for model in ("connection, model", "'', ''"):
        _insert_chats(model)


def _insert(table: str, key: tuple[str, ...], values: str) -> None:
    columns = ", ".join((*key, *SUMS))
    places = ", ".join(str(number) for number in range(1, len(key) + 1))
    op.execute(
        f"INSERT INTO {table} ({columns}) SELECT {values}, {ADDED_UP} FROM ledger_entries GROUP BY {places}"  # noqa: S608
    )


def _insert_chats(model: str) -> None:
    columns = ", ".join(
        ("chat_id", "connection", "model", "user_id", "group_id", "first_day", "last_day", *SUMS)
    )
    op.execute(
        f"INSERT INTO usage_chat_sums ({columns}) "  # noqa: S608
        f"SELECT substr(origin, 6), {model}, MIN(user_id), COALESCE(MAX(group_id), ''), MIN(day), MAX(day), "
        f"{ADDED_UP} FROM ledger_entries WHERE origin LIKE 'chat:_%' GROUP BY 1, 2, 3"
    )


def _insert_times(period: str) -> None:
    """Four buckets to each doubling of milliseconds."""
    connection = op.get_bind()
    counts: dict[tuple[object, ...], int] = {}
    for measure, column, condition in (
        ("first_token", "first_token_ms", "first_token_ms IS NOT NULL"),
        ("total", "total_ms", "outcome = 'finished'"),
    ):
        rows = connection.execute(
            sa.text(
                f"SELECT {period}, connection, model, {column} FROM ledger_entries "  # noqa: S608
                f"WHERE correction_of IS NULL AND {condition}"
            )
        )
        for name, vendor, model, milliseconds in rows:
            key = (name, vendor, model, measure, max(0, math.floor(math.log2(max(1, milliseconds)) * 4)))
            counts[key] = counts.get(key, 0) + 1
    names = ("period", "connection", "model", "measure", "bucket", "count")
    if counts:
        table = sa.table("usage_model_times", *(sa.column(name) for name in names))
        values = [dict(zip(names, (*key, count), strict=True)) for key, count in counts.items()]
        connection.execute(sa.insert(table), values)
