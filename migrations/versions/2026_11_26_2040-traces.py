"""keep with what is to be told later the trace that it was written in"""

import sqlalchemy as sa
from alembic import op

revision: str = "7c3f9e2ab451"
down_revision: str | None = "5d0a7c41e8b3"
branch_labels: str | None = None
depends_on: str | None = None

_TABLES = ("outbox", "webhook_messages", "emails", "pushes")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("traceparent", sa.String(55), nullable=True))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "traceparent")
