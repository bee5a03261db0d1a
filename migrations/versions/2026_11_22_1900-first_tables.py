"""first tables"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "97a265253d20"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# Seats by ICAO type designator in a usual layout; `*` stands for types that nobody has described.
_CABINS = {
    "*": {"economy": 144},
    "C208": {"economy": 9},
    "BN2P": {"economy": 9},
    "DHC6": {"economy": 19},
    "AT76": {"economy": 70},
    "DH8D": {"economy": 76},
    "E75L": {"economy": 64, "business": 12},
    "E190": {"economy": 88, "business": 12},
    "E195": {"economy": 112, "business": 12},
    "BCS3": {"economy": 125, "business": 12},
    "A319": {"economy": 116, "business": 12},
    "A320": {"economy": 150, "business": 12},
    "A20N": {"economy": 150, "business": 12},
    "A321": {"economy": 174, "business": 16},
    "A21N": {"economy": 174, "business": 16},
    "B737": {"economy": 114, "business": 12},
    "B738": {"economy": 150, "business": 12},
    "B38M": {"economy": 150, "business": 12},
    "B39M": {"economy": 164, "business": 16},
    "B763": {"economy": 165, "premium_economy": 18, "business": 30},
    "B788": {"economy": 190, "premium_economy": 21, "business": 28},
    "B789": {"economy": 212, "premium_economy": 28, "business": 36},
    "B78X": {"economy": 240, "premium_economy": 32, "business": 42},
    "A332": {"economy": 210, "premium_economy": 21, "business": 30},
    "A333": {"economy": 230, "premium_economy": 24, "business": 34},
    "A339": {"economy": 226, "premium_economy": 28, "business": 32},
    "A359": {"economy": 224, "premium_economy": 24, "business": 42},
    "A35K": {"economy": 252, "premium_economy": 32, "business": 46},
    "B772": {"economy": 204, "premium_economy": 24, "business": 40, "first": 8},
    "B77W": {"economy": 240, "premium_economy": 28, "business": 52, "first": 8},
    "A388": {"economy": 360, "premium_economy": 44, "business": 76, "first": 14},
}


def upgrade() -> None:
    op.create_table(
        "aircraft_cabins",
        sa.Column("aircraft_type", sa.String(length=4), nullable=False),
        sa.Column("cabin", sa.String(length=16), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.CheckConstraint("seats > 0", name=op.f("ck_aircraft_cabins_has_seats")),
        sa.PrimaryKeyConstraint("aircraft_type", "cabin", name=op.f("pk_aircraft_cabins")),
    )
    op.create_table(
        "airlines",
        sa.Column("iata", sa.String(length=2), nullable=False),
        sa.Column("icao", sa.String(length=3), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("callsign", sa.String(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.PrimaryKeyConstraint("iata", name=op.f("pk_airlines")),
    )
    op.create_table(
        "airports",
        sa.Column("iata", sa.String(length=3), nullable=False),
        sa.Column("icao", sa.String(length=4), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("elevation_m", sa.Integer(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("city_code", sa.String(length=3), nullable=False),
        sa.PrimaryKeyConstraint("iata", name=op.f("pk_airports")),
    )
    op.create_index(op.f("ix_airports_city_code"), "airports", ["city_code"], unique=False)
    op.create_table(
        "flights",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("carrier", sa.String(length=2), nullable=False),
        sa.Column("number", sa.String(length=5), nullable=False),
        sa.Column("departure_date", sa.Date(), nullable=False),
        sa.Column("origin", sa.String(length=3), nullable=False),
        sa.Column("destination", sa.String(length=3), nullable=False),
        sa.Column("departs_local", sa.DateTime(), nullable=False),
        sa.Column("arrives_local", sa.DateTime(), nullable=False),
        sa.Column("departs_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrives_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("departure_terminal", sa.String(), nullable=True),
        sa.Column("departure_gate", sa.String(), nullable=True),
        sa.Column("departure_estimated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("departure_actual_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("departure_delay_minutes", sa.Integer(), nullable=True),
        sa.Column("arrival_terminal", sa.String(), nullable=True),
        sa.Column("arrival_gate", sa.String(), nullable=True),
        sa.Column("arrival_estimated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrival_actual_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrival_delay_minutes", sa.Integer(), nullable=True),
        sa.Column("baggage_belt", sa.String(), nullable=True),
        sa.Column("aircraft_type", sa.String(length=4), nullable=True),
        sa.Column("aircraft_registration", sa.String(), nullable=True),
        sa.Column("aircraft_icao24", sa.String(length=6), nullable=True),
        sa.Column("codeshares", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("arrives_at > departs_at", name=op.f("ck_flights_arrives_after_departure")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flights")),
        sa.UniqueConstraint("carrier", "number", "departure_date", "origin", name="uq_flights_identity"),
    )
    op.create_index("ix_flights_market", "flights", ["origin", "destination", "departure_date"], unique=False)
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("caller", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("caller", "method", "path", "key", name="uq_idempotency_keys_scope"),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "login_failures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failures")),
    )
    op.create_index("ix_login_failures_recent", "login_failures", ["email", "at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
        sa.UniqueConstraint("subject", "sequence", name=op.f("uq_outbox_subject_sequence")),
    )
    op.create_index(
        "ix_outbox_waiting", "outbox", ["id"], unique=False, postgresql_where=sa.text("dispatched_at IS NULL")
    )
    op.create_table(
        "schedule_boards",
        sa.Column("airport", sa.String(length=3), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fresh_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("flights", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("airport", "local_date", name=op.f("pk_schedule_boards")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), server_default="user", nullable=False),
        sa.Column("email_verified", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('user', 'admin')", name=op.f("ck_users_known_role")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_in_lower_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "bookings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("pnr", sa.String(length=6), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("cabin", sa.String(length=16), nullable=False),
        sa.Column("fare_brand", sa.String(), nullable=False),
        sa.Column("price", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("baggage", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("contact", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("pnr ~ '^[BCDFGHJKMNPQRSTVWXYZ2-9]{6}$'", name=op.f("ck_bookings_pnr_alphabet")),
        sa.CheckConstraint(
            "status <> 'held' OR hold_expires_at IS NOT NULL", name=op.f("ck_bookings_holds_expire")
        ),
        sa.CheckConstraint(
            "status IN ('held', 'confirmed', 'cancelled', 'expired', 'completed')",
            name=op.f("ck_bookings_known_status"),
        ),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_bookings_price_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_bookings_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sa.UniqueConstraint("pnr", name=op.f("uq_bookings_pnr")),
    )
    op.create_index(
        "ix_bookings_due",
        "bookings",
        ["hold_expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'held'"),
    )
    op.create_index(
        "ix_bookings_of_user", "bookings", ["user_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_table(
        "inventory",
        sa.Column("flight_id", sa.BigInteger(), nullable=False),
        sa.Column("cabin", sa.String(length=16), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sold", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "held >= 0 AND sold >= 0 AND held + sold <= capacity", name=op.f("ck_inventory_never_oversold")
        ),
        sa.ForeignKeyConstraint(["flight_id"], ["flights.id"], name=op.f("fk_inventory_flight_id")),
        sa.PrimaryKeyConstraint("flight_id", "cabin", name=op.f("pk_inventory")),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_refresh_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
    )
    op.create_index(op.f("ix_refresh_tokens_family_id"), "refresh_tokens", ["family_id"], unique=False)
    op.create_index(op.f("ix_refresh_tokens_user_id"), "refresh_tokens", ["user_id"], unique=False)
    op.create_table(
        "seat_claims",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("flight_id", sa.BigInteger(), nullable=False),
        sa.Column("cabin", sa.String(length=16), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("seats > 0", name=op.f("ck_seat_claims_has_seats")),
        sa.ForeignKeyConstraint(["flight_id"], ["flights.id"], name=op.f("fk_seat_claims_flight_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_claims")),
    )
    op.create_index(
        "ix_seat_claims_expiring",
        "seat_claims",
        ["flight_id", "cabin", "expires_at"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL AND expires_at IS NOT NULL"),
    )
    op.create_table(
        "booking_passengers",
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("given_name", sa.String(), nullable=False),
        sa.Column("family_name", sa.String(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("gender", sa.String(), nullable=True),
        sa.Column("infant_of", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_booking_passengers_booking_id")
        ),
        sa.PrimaryKeyConstraint("booking_id", "position", name=op.f("pk_booking_passengers")),
    )
    op.create_table(
        "booking_segments",
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("slice_index", sa.SmallInteger(), nullable=False),
        sa.Column("segment_index", sa.SmallInteger(), nullable=False),
        sa.Column("flight_id", sa.BigInteger(), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_segments_booking_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["seat_claims.id"], name=op.f("fk_booking_segments_claim_id")),
        sa.ForeignKeyConstraint(["flight_id"], ["flights.id"], name=op.f("fk_booking_segments_flight_id")),
        sa.PrimaryKeyConstraint(
            "booking_id", "slice_index", "segment_index", name=op.f("pk_booking_segments")
        ),
        sa.UniqueConstraint("claim_id", name=op.f("uq_booking_segments_claim_id")),
    )
    op.create_index(op.f("ix_booking_segments_flight_id"), "booking_segments", ["flight_id"], unique=False)
    op.create_table(
        "booking_timeline",
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_timeline_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", "sequence", name=op.f("pk_booking_timeline")),
    )
    cabins = sa.table("aircraft_cabins", sa.column("aircraft_type"), sa.column("cabin"), sa.column("seats"))
    layouts = [
        {"aircraft_type": kind, "cabin": cabin, "seats": seats}
        for kind, layout in _CABINS.items()
        for cabin, seats in layout.items()
    ]
    op.bulk_insert(cabins, layouts)


def downgrade() -> None:
    op.drop_table("booking_timeline")
    op.drop_index(op.f("ix_booking_segments_flight_id"), table_name="booking_segments")
    op.drop_table("booking_segments")
    op.drop_table("booking_passengers")
    op.drop_index(
        "ix_seat_claims_expiring",
        table_name="seat_claims",
        postgresql_where=sa.text("released_at IS NULL AND expires_at IS NOT NULL"),
    )
    op.drop_table("seat_claims")
    op.drop_index(op.f("ix_refresh_tokens_user_id"), table_name="refresh_tokens")
    op.drop_index(op.f("ix_refresh_tokens_family_id"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_table("inventory")
    op.drop_index("ix_bookings_of_user", table_name="bookings")
    op.drop_index("ix_bookings_due", table_name="bookings", postgresql_where=sa.text("status = 'held'"))
    op.drop_table("bookings")
    op.drop_table("users")
    op.drop_table("schedule_boards")
    op.drop_index("ix_outbox_waiting", table_name="outbox", postgresql_where=sa.text("dispatched_at IS NULL"))
    op.drop_table("outbox")
    op.drop_index("ix_login_failures_recent", table_name="login_failures")
    op.drop_table("login_failures")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("heartbeats")
    op.drop_index("ix_flights_market", table_name="flights")
    op.drop_table("flights")
    op.drop_index(op.f("ix_airports_city_code"), table_name="airports")
    op.drop_table("airports")
    op.drop_table("airlines")
    op.drop_table("aircraft_cabins")
