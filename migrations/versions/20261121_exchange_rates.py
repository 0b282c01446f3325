"""Exchange rates have a history."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RATE_OF_THE_WORKSPACE = """
INSERT INTO exchange_rates (id, currency, rate_micros, since, created_at, created_by)
SELECT 'before-history', currency, exchange_rate_micros, exchange_rate_on, created_at, ''
FROM workspace WHERE currency <> 'USD' AND exchange_rate_on IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("rate_micros", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
    )
    op.execute(RATE_OF_THE_WORKSPACE)


def downgrade() -> None:
    op.drop_table("exchange_rates")
