"""find the payments of an hour that came to nothing"""

import sqlalchemy as sa
from alembic import op

revision: str = "5d0a7c41e8b3"
down_revision: str | None = "5d0e2b7c94af"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index(
        "ix_payments_unpaid", "payments", ["created_at"], postgresql_where=sa.text("status <> 'captured'")
    )


def downgrade() -> None:
    op.drop_index("ix_payments_unpaid", "payments")
