"""What local models are made of and whether they load, images of messages, and tickets for sockets."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
DETAILS = (
    ("family", sa.String()),
    ("parameters", sa.String()),
    ("quantization", sa.String()),
    ("size", sa.BigInteger()),
)


def upgrade() -> None:
    with op.batch_alter_table("models", schema=None) as batch_op:
        for name, kind in DETAILS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    op.create_table(
        "model_loads",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("is_exclusive", sa.Boolean(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("heartbeat_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        _key("model_loads", "model_id", "models"),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_model_loads")),
    )
    op.create_table(
        "message_images",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        _key("message_images", "message_id", "messages"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_images")),
    )
    with op.batch_alter_table("message_images", schema=None) as batch_op:
        batch_op.create_index(
            "ix_message_images_message_id_position", ["message_id", "position"], unique=False
        )
    op.create_table(
        "tickets",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=True),
        sa.Column("api_key_id", sa.String(), nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        _key("tickets", "user_id", "users"),
        _key("tickets", "session_id", "sign_in_sessions"),
        _key("tickets", "api_key_id", "api_keys"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_tickets")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tickets_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_table("tickets")
    op.drop_table("message_images")
    op.drop_table("model_loads")
    with op.batch_alter_table("models", schema=None) as batch_op:
        for name, _ in DETAILS:
            batch_op.drop_column(name)


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """To the target's id; a row goes when that goes."""
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete="CASCADE")
