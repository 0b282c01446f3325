"""How long the last load of each local model took, for whoever waits for the next."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("model_loads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_load_seconds", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("model_loads", schema=None) as batch_op:
        batch_op.drop_column("last_load_seconds")
