"""Names on tickets may be forgotten, and who published rules is named by an id."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "5d0e2b7c94af"
down_revision: str | None = "c35116f429b2"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A ticket stays as it was issued, but for the name of somebody who asked to be forgotten.
_ONLY_FORGOTTEN = """
CREATE TRIGGER only_forgotten BEFORE UPDATE ON tickets FOR EACH ROW
WHEN (NEW.ticket_name !~ '^ERASED/[A-Z]+$' OR to_jsonb(NEW) - 'ticket_name' <> to_jsonb(OLD) - 'ticket_name')
EXECUTE FUNCTION refuse_change()
"""
_ONLY_ADDED = (
    "CREATE TRIGGER only_added BEFORE {} ON tickets FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
)
_NAMES = (
    "ALTER TABLE rule_books DISABLE TRIGGER only_added",
    "{}",
    "ALTER TABLE rule_books ENABLE TRIGGER only_added",
)
_AS_IDS = "UPDATE rule_books b SET published_by = u.id::text FROM users u WHERE u.email = b.published_by"
_AS_EMAILS = "UPDATE rule_books b SET published_by = u.email FROM users u WHERE u.id::text = b.published_by"


def upgrade() -> None:
    op.execute("DROP TRIGGER only_added ON tickets")
    op.execute(_ONLY_ADDED.format("DELETE OR TRUNCATE"))
    op.execute(_ONLY_FORGOTTEN)
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for statement in _NAMES:
        op.execute(statement.format(_AS_IDS))
    op.create_index("ix_emails_of_booking", "emails", [sa.literal_column("(data ->> 'pnr')")])
    op.create_index(
        "ix_outbox_of_account",
        "outbox",
        [sa.literal_column("(data ->> 'user_id')")],
        postgresql_where=sa.text("data ? 'user_id'"),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_of_account", table_name="outbox")
    op.drop_index("ix_emails_of_booking", table_name="emails")
    for statement in _NAMES:
        op.execute(statement.format(_AS_EMAILS))
    op.execute("DROP TRIGGER never_emptied ON audit_log")
    op.execute("DROP TRIGGER only_forgotten ON tickets")
    op.execute("DROP TRIGGER only_added ON tickets")
    op.execute(_ONLY_ADDED.format("UPDATE OR DELETE OR TRUNCATE"))
