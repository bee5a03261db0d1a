"""Whatever the database holds about people is placed: told and forgotten, kept for a reason, or not about people."""

import importlib
import pkgutil
import re

import app
from app.core.db import Base
from app.privacy import service

for module in pkgutil.walk_packages(app.__path__, "app."):
    if module.name.endswith(".models"):
        importlib.import_module(module.name)

# Rows that are gone after an erasure, whatever is in them.
ROWS_GO = {
    "sessions",
    "refresh_tokens",
    "api_keys",
    "challenges",
    "recovery_codes",
    "devices",
    "pushes",
    "emails",
    "notification_preferences",
    "flight_follows",
    "guest_links",
    "guest_lookups",
    "booking_services",
    "idempotency_keys",
    "webhook_messages",
    "webhook_deliveries",
    "webhook_attempts",
}
# Rows that stay for the books, and what of them says nothing any more.
FORGOTTEN = {
    "users": {
        "email",
        "full_name",
        "password_hash",
        "role",
        "email_verified",
        "locale",
        "totp_secret",
        "totp_confirmed_at",
        "totp_last_step",
    },
    "bookings": {"contact"},
    "booking_passengers": {
        "title",
        "given_name",
        "family_name",
        "born_on",
        "gender",
        "ticket_name",
        "document",
        "loyalty",
    },
    "booking_trips": {"traveller"},
    "tickets": {"ticket_name"},
    "payments": {"payment_method", "brand", "last4"},
    "webhook_subscriptions": {
        "url",
        "bookings",
        "description",
        "secrets",
        "disabled_reason",
        "failing_since",
    },
    "outbox": {"data"},
}
# What stays of these rows: numbers, states and times of an account without a face.
KEPT = {
    "users": {"id", "password_changed_at", "suspended_at", "erased_at", "created_at"},
    "bookings": {
        *("id", "pnr", "user_id", "status", "total_minor", "currency", "cabin", "fare_brand", "price"),
        *("conditions", "baggage", "terms", "hold_expires_at", "hold_prolonged", "price_stands_until"),
        *("revision", "sequence", "created_at", "updated_at"),
    },
    "booking_passengers": {"booking_id", "position", "type", "infant_of", "cancelled_at"},
    "booking_trips": {"flight_id", "booking_id"},
    "tickets": {"number", "booking_id", "position", "kind", "conjunction_of", "exchanged_for", "issued_at"},
    "payments": {
        *("id", "public_id", "booking_id", "purpose", "subject_id", "status", "amount_minor", "currency"),
        # The processor's name for the payment, by which its books are compared with ours.
        *("refunded_minor", "intent", "failure", "looks", "next_look_at", "created_at", "updated_at"),
        "captured_at",
    },
    "webhook_subscriptions": {"id", "user_id", "events", "status", "created_at", "updated_at"},
    "outbox": {
        *("id", "event_id", "type", "subject", "sequence", "created_at", "dispatched_at", "attempts"),
        *("not_before", "traceparent"),
    },
}
# Of bookings, and named by their numbers alone.
NUMBERS = {
    "booking_segments",
    "booking_timeline",
    "booking_extras",
    "cancellation_quotes",
    "change_quotes",
    "airline_changes",
    "refunds",
    "ledger_entries",
    "ledger_lines",
    "coupons",
    "coupon_events",
    "seat_claims",
    "seat_assignments",
    "processor_events",
    "reconciliations",
}
# Whose they are is said by an id or a keyed hash, and by nothing else; the rest is for the books and for security.
IDS = {"audit_log", "erasures", "revocations", "attempts", "jobs", "rule_books"}
NOBODYS = {
    *(
        "aircraft_cabins",
        "airlines",
        "airports",
        "booking_tally",
        "check_in_counters",
        "flight_changes",
        "flights",
        "heartbeats",
        "measurements",
    ),
    *("inventory", "job_inputs", "job_items", "job_refusals", "provider_budgets", "provider_endpoints"),
    *("schedule_boards", "ticket_sequences", "timetable_changes", "zone_rules"),
}
_ABOUT_PEOPLE = re.compile(
    r"user|person|owner|email|mail|name|phone|address|born|birth|gender|contact|recipient|caller|agent|network|token"
    r"|secret|document|card|last4"
)
# Names that look like people's and are not: of airlines, cities and processes, and the leases of workers.
_LOOKS_ONLY = {
    *("airlines.name", "airports.name", "heartbeats.name", "jobs.lease_token", "schedule_boards.lease_token"),
    "measurements.name",
    # A keyed hash, an address without its last part.
    *("attempts.caller", "audit_log.network", "erasures.user_id"),
}


def test_every_table_is_placed_once() -> None:
    """Whoever adds a table says whether it is about people."""
    groups = (ROWS_GO, set(FORGOTTEN), NUMBERS, IDS, NOBODYS)
    placed = [table for group in groups for table in group]

    assert sorted(placed) == sorted(Base.metadata.tables)
    assert FORGOTTEN.keys() == KEPT.keys()


def test_every_column_of_what_stays_is_placed() -> None:
    """Whoever adds a column to an account, a booking or a payment says whether it is forgotten."""
    for table, forgotten in FORGOTTEN.items():
        columns = set(Base.metadata.tables[table].columns.keys())
        assert forgotten | KEPT[table] == columns, table
        assert not forgotten & KEPT[table], table


def test_nothing_else_looks_like_somebody() -> None:
    """A column whose name speaks of people does not hide in a table that is said not to be about any."""
    found = {
        f"{table}.{column.name}"
        for table in NUMBERS | IDS | NOBODYS
        for column in Base.metadata.tables[table].columns
        if _ABOUT_PEOPLE.search(column.name)
    }

    assert found == _LOOKS_ONLY


def test_who_tells_also_forgets() -> None:
    """But for the audit log, which names nobody and which nobody changes."""
    told = {function.__module__ for function in service.TOLD}
    erased = {function.__module__ for function in service.ERASED}

    assert told - erased == {"app.core.audit"}
    # Payments are told with their bookings, events with what they are about.
    assert erased - told == {"app.payments.personal", "app.core.outbox"}
