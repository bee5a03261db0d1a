"""Names on tickets, travel documents, loyalty numbers and special services; a traveller once on a flight."""

import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "5b1f0d7c2e94"
down_revision: str | None = "661d780b162f"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Who is booked already counts from the start as booked on their flights.
_TRIPS = """
    INSERT INTO booking_trips (flight_id, traveller, booking_id)
    SELECT s.flight_id, substr(sha256(convert_to(
               concat_ws(' ', b.user_id, p.ticket_name, to_char(p.born_on, 'YYYY-MM-DD')), 'UTF8')), 1, 16), b.id
    FROM bookings b JOIN booking_passengers p ON p.booking_id = b.id JOIN booking_segments s ON s.booking_id = b.id
    WHERE b.status IN ('held', 'confirmed', 'completed')
    ON CONFLICT DO NOTHING
"""
# How names were printed until now.
_LATIN = str.maketrans(
    {"Æ": "AE", "Ø": "OE", "Œ": "OE", "ẞ": "SS", "Þ": "TH"} | dict(zip("ÐĐŁĦŊŦİ", "DDLHNTI", strict=True))
)


def upgrade() -> None:
    op.add_column("booking_passengers", sa.Column("ticket_name", sa.String(), nullable=True))
    op.add_column(
        "booking_passengers",
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "booking_passengers",
        sa.Column("loyalty", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.alter_column("booking_passengers", "given_name", nullable=True)
    _print_names()
    op.alter_column("booking_passengers", "ticket_name", nullable=False)
    op.create_check_constraint(
        op.f("ck_booking_passengers_ticket_name_letters"),
        "booking_passengers",
        "ticket_name ~ '^[A-Z ]+/[A-Z ]+$'",
    )
    op.create_check_constraint(
        op.f("ck_booking_passengers_ticket_name_length"), "booking_passengers", "length(ticket_name) <= 58"
    )
    op.create_index(
        "ix_booking_passengers_documents",
        "booking_passengers",
        ["booking_id"],
        postgresql_where=sa.text("document IS NOT NULL"),
    )
    op.create_table(
        "booking_services",
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("flight_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.CheckConstraint("code ~ '^[A-Z]{4}$'", name=op.f("ck_booking_services_code_of_four_letters")),
        sa.ForeignKeyConstraint(
            ["booking_id", "position"],
            ["booking_passengers.booking_id", "booking_passengers.position"],
            name=op.f("fk_booking_services_booking_id"),
        ),
        sa.ForeignKeyConstraint(["flight_id"], ["flights.id"], name=op.f("fk_booking_services_flight_id")),
        sa.PrimaryKeyConstraint(
            "booking_id", "position", "code", "flight_id", name=op.f("pk_booking_services")
        ),
    )
    op.create_table(
        "booking_trips",
        sa.Column("flight_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("traveller", sa.LargeBinary(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_trips_booking_id")),
        sa.PrimaryKeyConstraint("flight_id", "traveller", name=op.f("pk_booking_trips")),
    )
    op.execute(_TRIPS)


def downgrade() -> None:
    op.drop_table("booking_trips")
    op.drop_table("booking_services")
    op.drop_index("ix_booking_passengers_documents", table_name="booking_passengers")
    op.drop_constraint(op.f("ck_booking_passengers_ticket_name_length"), "booking_passengers")
    op.drop_constraint(op.f("ck_booking_passengers_ticket_name_letters"), "booking_passengers")
    op.execute("UPDATE booking_passengers SET given_name = 'FNU' WHERE given_name IS NULL")
    op.alter_column("booking_passengers", "given_name", nullable=False)
    for column in ("loyalty", "document", "ticket_name"):
        op.drop_column("booking_passengers", column)


def _print_names() -> None:
    """Bookings keep the ticket names that they were answered with, by the rule of that time, cut to 58 characters."""
    connection = op.get_bind()
    known = connection.execute(
        sa.text("SELECT booking_id, position, family_name, given_name FROM booking_passengers")
    ).all()
    if known:
        connection.execute(
            sa.text(
                "UPDATE booking_passengers SET ticket_name = :printed"
                " WHERE booking_id = :booking_id AND position = :position"
            ),
            [
                {
                    "booking_id": row.booking_id,
                    "position": row.position,
                    "printed": f"{_printed(row.family_name)[:40]}/{_printed(row.given_name)[:17]}",
                }
                for row in known
            ],
        )


def _printed(name: str) -> str:
    upper = name.upper()
    plain = unicodedata.normalize("NFKD", upper.translate(_LATIN))
    spaced = "".join(c if "A" <= c <= "Z" else " " if c in " -" else "" for c in plain)
    return " ".join(spaced.split())
