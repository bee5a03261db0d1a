"""newest attempts"""

from collections.abc import Sequence

from alembic import op

revision: str = "8d2f6b0c4a17"
down_revision: str | None = "a951db54fb22"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_webhook_attempts_sent_at",
        "webhook_attempts",
        ["sent_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": True},
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_attempts_sent_at", table_name="webhook_attempts", postgresql_using="brin")
