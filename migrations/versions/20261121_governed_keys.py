"""What API keys may do, and accounts for programs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_service", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        # Keys from before could do all that their owners may, and go on to do so.
        everything = "admin chat embeddings usage"
        batch_op.add_column(sa.Column("scopes", sa.String(), nullable=False, server_default=everything))
        batch_op.add_column(sa.Column("models", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("address_ranges", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_column("address_ranges")
        batch_op.drop_column("models")
        batch_op.drop_column("scopes")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("is_service")
