"""let the database tally bookings by their state, so that telling how many there are reads none of them"""

import sqlalchemy as sa
from alembic import op

revision: str = "2f6b90d4c7e1"
down_revision: str | None = "b5e27d90c14f"
branch_labels: str | None = None
depends_on: str | None = None

_TALLY = """
CREATE OR REPLACE FUNCTION tally_booking() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO booking_tally (status, change) VALUES (NEW.status, 1);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO booking_tally (status, change) VALUES (OLD.status, -1);
    ELSIF NEW.status <> OLD.status THEN
        INSERT INTO booking_tally (status, change) VALUES (OLD.status, -1), (NEW.status, 1);
    END IF;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE OR REPLACE TRIGGER tally AFTER INSERT OR DELETE OR UPDATE OF status ON bookings
FOR EACH ROW EXECUTE FUNCTION tally_booking()
"""
# One moment has all bookings and what of them is tallied already; the rest is what was there before the trigger.
_COUNT = """
INSERT INTO booking_tally (status, change)
SELECT status, sum(n) FROM (
    SELECT status, count(*) AS n FROM bookings GROUP BY status
    UNION ALL SELECT status, -sum(change) FROM booking_tally GROUP BY status) AS missing
GROUP BY status HAVING sum(n) <> 0
"""


def upgrade() -> None:
    op.create_table(
        "booking_tally",
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        if_not_exists=True,
    )
    op.execute(_TALLY)
    op.execute(_TRIGGER)
    # The trigger's lock ends here: counting takes a while, and keeps nobody from booking.
    with op.get_context().autocommit_block():
        op.execute(_COUNT)
        op.drop_index("ix_bookings_status", "bookings", postgresql_concurrently=True, if_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_bookings_status", "bookings", ["status"], postgresql_concurrently=True, if_not_exists=True
        )
    op.execute("DROP TRIGGER tally ON bookings")
    op.execute("DROP FUNCTION tally_booking()")
    op.drop_table("booking_tally")
