"""Tickets and their coupons, which move by rules that the database knows too."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "fbb3927896b9"
down_revision: str | None = "5b1f0d7c2e94"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# From the first letter to the second; `app.tickets.coupons` says what each is called.
_MOVES = ("OC", "CO", "CL", "CF", "LF", "OS", "SO", "OI", "CI", "LI", "IO", "OE", "IE", "OR", "IR", "OV")

_GUARD = f"""
CREATE FUNCTION guard_coupon() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'O' OR NEW.check_in_sequence IS NOT NULL THEN
            RAISE EXCEPTION 'a coupon begins open' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF (NEW.ticket_number, NEW.number, NEW.booking_id, NEW.position, NEW.slice_index, NEW.segment_index,
           NEW.flight_id)
       IS DISTINCT FROM (OLD.ticket_number, OLD.number, OLD.booking_id, OLD.position, OLD.slice_index,
           OLD.segment_index, OLD.flight_id)
       OR (OLD.check_in_sequence IS NOT NULL AND NEW.check_in_sequence IS DISTINCT FROM OLD.check_in_sequence) THEN
        RAISE EXCEPTION 'only the status of a coupon changes' USING ERRCODE = 'check_violation';
    ELSIF NEW.status <> OLD.status AND OLD.status || NEW.status NOT IN {_MOVES} THEN
        RAISE EXCEPTION 'a coupon cannot go from % to %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""
_NOTE = """
CREATE FUNCTION note_coupon() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD IS NULL OR NEW.status <> OLD.status THEN
        INSERT INTO coupon_events (ticket_number, coupon_number, before, after)
        VALUES (NEW.ticket_number, NEW.number, OLD.status, NEW.status);
    END IF;
    RETURN NULL;
END $$
"""
_TRIGGERS = (
    "CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON coupons FOR EACH ROW EXECUTE FUNCTION guard_coupon()",
    "CREATE TRIGGER note AFTER INSERT OR UPDATE ON coupons FOR EACH ROW EXECUTE FUNCTION note_coupon()",
    (
        "CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON coupons "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    ),
    (
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON tickets "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    ),
    (
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON coupon_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    ),
)


def upgrade() -> None:
    op.create_table(
        "ticket_sequences",
        sa.Column("accounting_code", sa.CHAR(length=3), nullable=False),
        sa.Column("last_serial", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("accounting_code ~ '^[0-9]{3}$'", name=op.f("ck_ticket_sequences_three_digits")),
        sa.CheckConstraint(
            "last_serial BETWEEN 0 AND 9999999999", name=op.f("ck_ticket_sequences_ten_digits")
        ),
        sa.PrimaryKeyConstraint("accounting_code", name=op.f("pk_ticket_sequences")),
    )
    op.create_table(
        "check_in_counters",
        sa.Column("flight_id", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.Integer(), nullable=False),
        sa.CheckConstraint("last_sequence > 0", name=op.f("ck_check_in_counters_from_1")),
        sa.ForeignKeyConstraint(["flight_id"], ["flights.id"], name=op.f("fk_check_in_counters_flight_id")),
        sa.PrimaryKeyConstraint("flight_id", name=op.f("pk_check_in_counters")),
    )
    op.create_table(
        "tickets",
        sa.Column("number", sa.CHAR(length=13), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), server_default="ticket", nullable=False),
        sa.Column("conjunction_of", sa.CHAR(length=13), nullable=True),
        sa.Column("exchanged_for", sa.CHAR(length=13), nullable=True),
        sa.Column("ticket_name", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('ticket', 'emd')", name=op.f("ck_tickets_known_kind")),
        sa.CheckConstraint("number ~ '^[0-9]{13}$'", name=op.f("ck_tickets_thirteen_digits")),
        sa.CheckConstraint("conjunction_of < number", name=op.f("ck_tickets_first_of_a_set_comes_first")),
        sa.ForeignKeyConstraint(
            ["booking_id", "position"],
            ["booking_passengers.booking_id", "booking_passengers.position"],
            name="fk_tickets_passenger",
        ),
        sa.ForeignKeyConstraint(
            ["conjunction_of"], ["tickets.number"], name=op.f("fk_tickets_conjunction_of")
        ),
        sa.ForeignKeyConstraint(["exchanged_for"], ["tickets.number"], name=op.f("fk_tickets_exchanged_for")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tickets")),
        sa.UniqueConstraint("booking_id", "position", "number", name="uq_tickets_of_passenger"),
    )
    op.create_table(
        "coupons",
        sa.Column("ticket_number", sa.CHAR(length=13), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("slice_index", sa.SmallInteger(), nullable=False),
        sa.Column("segment_index", sa.SmallInteger(), nullable=False),
        sa.Column("flight_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.CHAR(length=1), server_default="O", nullable=False),
        sa.Column("check_in_sequence", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('O', 'A', 'C', 'L', 'F', 'E', 'R', 'V', 'S', 'I')",
            name=op.f("ck_coupons_known_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('C', 'L') OR check_in_sequence IS NOT NULL",
            name=op.f("ck_coupons_checked_in_with_a_sequence"),
        ),
        sa.CheckConstraint("check_in_sequence > 0", name=op.f("ck_coupons_sequence_from_1")),
        sa.CheckConstraint("number BETWEEN 1 AND 4", name=op.f("ck_coupons_four_a_ticket")),
        sa.ForeignKeyConstraint(
            ["booking_id", "position", "ticket_number"],
            ["tickets.booking_id", "tickets.position", "tickets.number"],
            name="fk_coupons_ticket",
        ),
        sa.ForeignKeyConstraint(["flight_id"], ["flights.id"], name=op.f("fk_coupons_flight_id")),
        sa.PrimaryKeyConstraint("ticket_number", "number", name=op.f("pk_coupons")),
        sa.UniqueConstraint("flight_id", "check_in_sequence", name="uq_coupons_sequence_of_flight"),
    )
    op.create_index(
        "uq_coupons_live",
        "coupons",
        ["booking_id", "position", "slice_index", "segment_index"],
        unique=True,
        postgresql_where=sa.text("status IN ('O', 'A', 'C', 'L', 'I', 'S')"),
    )
    op.create_table(
        "coupon_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ticket_number", sa.CHAR(length=13), nullable=False),
        sa.Column("coupon_number", sa.SmallInteger(), nullable=False),
        sa.Column("before", sa.CHAR(length=1), nullable=True),
        sa.Column("after", sa.CHAR(length=1), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_number", "coupon_number"],
            ["coupons.ticket_number", "coupons.number"],
            name="fk_coupon_events_coupon",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_events")),
    )
    op.create_index(
        "ix_coupon_events_of_coupon", "coupon_events", ["ticket_number", "coupon_number", "id"], unique=False
    )
    for statement in (_GUARD, _NOTE, *_TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_coupon_events_of_coupon", table_name="coupon_events")
    op.drop_table("coupon_events")
    op.drop_index(
        "uq_coupons_live",
        table_name="coupons",
        postgresql_where=sa.text("status IN ('O', 'A', 'C', 'L', 'I', 'S')"),
    )
    op.drop_table("coupons")
    op.drop_table("tickets")
    op.drop_table("check_in_counters")
    op.drop_table("ticket_sequences")
    for function in ("guard_coupon", "note_coupon"):
        op.execute(f"DROP FUNCTION {function}()")
