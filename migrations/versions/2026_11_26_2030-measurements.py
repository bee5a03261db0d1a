"""keep what is counted for the metrics: invariants that do not hold, bookings by state, seats held"""

import sqlalchemy as sa
from alembic import op

revision: str = "8c1f4e07a9d2"
down_revision: str | None = "5d0a7c41e8b3"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    # First, and so that it can be begun again: an index that keeps nobody from booking leaves the transaction.
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_bookings_status", "bookings", ["status"], postgresql_concurrently=True, if_not_exists=True
        )
    op.create_table(
        "measurements",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_measurements")),
    )


def downgrade() -> None:
    op.drop_table("measurements")
    with op.get_context().autocommit_block():
        op.drop_index("ix_bookings_status", "bookings", postgresql_concurrently=True, if_exists=True)
