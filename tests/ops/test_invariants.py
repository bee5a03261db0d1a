"""The invariants that the product watches itself: each corruption that is planted is counted, told and named."""

import re
import time
from typing import Any

import pytest

from app.core import db
from app.ops import measuring
from app.ops.invariants import INVARIANTS
from tests.bookings.test_invariants import Scene, scene, scenes
from tests.ops.test_metrics import read, value
from tests.payments.support import held
from tests.support.client import Client
from tests.support.fleet import Fleet

__all__ = ["scene", "scenes"]

# What is done to the paid booking `:pnr` on flight `:flight`, or to the hold `:held`, each in a transaction that never
# was and without the constraints that would refuse it.
PLANTS = {
    "seats_beyond_capacity": (
        "ALTER TABLE inventory DROP CONSTRAINT ck_inventory_never_oversold",
        "UPDATE inventory SET capacity = 0 WHERE flight_id = :flight",
    ),
    "seats_held_miscounted": ("UPDATE inventory SET held = held + 1 WHERE flight_id = :flight",),
    "confirmed_without_seats": (
        "UPDATE seat_claims SET expires_at = now() + interval '1 hour' WHERE {claim}",
    ),
    "ended_with_seats": ("UPDATE bookings SET status = 'expired' WHERE pnr = :held",),
    "confirmed_without_payment": ("UPDATE payments SET status = 'failed' WHERE {mine}",),
    "confirmed_without_tickets": ("DELETE FROM tickets WHERE {mine}",),
    "sold_at_another_price": ("UPDATE bookings SET total_minor = total_minor + 1 WHERE pnr = :pnr",),
    "steps_missing": ("UPDATE bookings SET status = 'completed' WHERE pnr = :pnr",),
    "ledger_out_of_balance": (
        "UPDATE ledger_lines SET amount_minor = amount_minor + 1 WHERE account = 'fares' AND {lines}",
    ),
    "hold_overdue": ("UPDATE bookings SET hold_expires_at = now() - interval '6 minutes' WHERE pnr = :held",),
    "payment_forgotten": (
        "UPDATE payments SET status = 'processing', next_look_at = NULL WHERE {mine} AND status = 'captured'",
    ),
    "refund_forgotten": (
        """INSERT INTO refunds (booking_id, payment_id, amount_minor, currency, reason, due_on, next_try_at)
           SELECT booking_id, id, 1, currency, 'test', now(), now() - interval '6 minutes' FROM payments
           WHERE {mine}""",
    ),
    "event_not_handed_on": (
        "UPDATE outbox SET dispatched_at = NULL, created_at = now() - interval '6 minutes' WHERE subject = :pnr",
    ),
    "webhook_sender_lost": (
        "CREATE TABLE webhook_deliveries_of_any_time PARTITION OF webhook_deliveries DEFAULT",
        """INSERT INTO webhook_deliveries (event_at, event_id, subscription_id, type, state, lease_token, lease_until)
           VALUES (now(), gen_random_uuid(), gen_random_uuid(), 'booking.held', 'sending', gen_random_uuid(),
                   now() - interval '6 minutes')""",
    ),
}


async def breaks(session: db.Session, name: str) -> set[str]:
    """All that breaks an invariant now; other tests may have left something that does."""
    question = INVARIANTS[name].question
    return {
        row["what"] for row in await db.rows(session, f"SELECT CAST(what AS text) FROM ({question}) q(what)")
    }


@pytest.mark.parametrize("name", INVARIANTS)
async def test_a_corruption_is_seen(scene: Scene, sql: Any, name: str) -> None:
    """By its question; what is in order is not in the way of it."""
    async with db.transaction() as session:
        before = await breaks(session, name)
    ids = await sql(
        "SELECT CAST(id AS text) FROM bookings WHERE pnr IN (:pnr, :held)", pnr=scene.pnr, held=scene.held
    )
    assert len(ids) == 2
    assert before.isdisjoint({str(scene.flight.id), *(row["id"] for row in ids)})

    async with scene.corrupted(PLANTS[name]) as session:
        assert await breaks(session, name) > before


async def test_what_is_broken_is_told_until_it_is_mended(api: Client, sql: Any) -> None:
    """From the worker's question through the database to the scrape of any API process."""
    sample = 'jetway_invariant_violations{invariant="event_not_handed_on"}'
    # What other tests have left may become old enough to count at any moment, and of a hundred no more are counted.
    await sql("UPDATE outbox SET created_at = now() WHERE dispatched_at IS NULL")
    await measuring.check_invariants()
    before = value(await read(api), sample)
    await sql(
        """
        INSERT INTO outbox (type, subject, sequence, data, created_at, not_before)
        VALUES ('test.poison', 'poison', 1, '{}', now() - interval '1 hour', now() + interval '1 hour')
        """
    )

    await measuring.check_invariants()
    told = await read(api)
    await sql("DELETE FROM outbox WHERE subject = 'poison'")

    assert value(told, sample) == before + 1
    assert value(told, "jetway_outbox_waiting") >= 1
    assert time.time() - value(told, "jetway_invariants_checked_timestamp_seconds") < 60
    assert {*re.findall(r'jetway_invariant_violations\{invariant="(\w+)"', told)} == INVARIANTS.keys()
    await measuring.check_invariants()
    assert value(await read(api), sample) == before


async def test_a_question_that_takes_too_long_says_nothing_of_the_others(
    api: Client, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up and the others are asked; the time of the last whole check does not go on."""
    await measuring.check_invariants()
    await sql("UPDATE measurements SET at = at - interval '1 hour'")
    slow = INVARIANTS["hold_overdue"]._replace(question="SELECT pg_sleep(60)")
    monkeypatch.setitem(INVARIANTS, "hold_overdue", slow)
    monkeypatch.setattr(measuring, "_BRIEF_MILLISECONDS", 500)

    await measuring.check_invariants()

    fresh = await sql(
        "SELECT name FROM measurements WHERE kind = 'invariant' AND at > now() - interval '1 minute'"
    )
    assert {one["name"] for one in fresh} == INVARIANTS.keys() - {"hold_overdue"}
    assert time.time() - value(await read(api), "jetway_invariants_checked_timestamp_seconds") > 3600


async def test_bookings_and_held_seats_are_counted(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """As many as there are in each state, and none where there is none."""
    await measuring.take_stock()
    before = value(await read(traveller), "jetway_seats_held")

    await held(traveller, fleet)
    await measuring.take_stock()
    told = await read(traveller)

    assert value(told, "jetway_seats_held") == before + 1
    found = await sql("SELECT status, count(*) AS bookings FROM bookings GROUP BY status")
    assert {one["status"]: value(told, f'jetway_bookings{{status="{one["status"]}"}}') for one in found} == {
        one["status"]: one["bookings"] for one in found
    }
    assert 'jetway_bookings{status="completed"}' in told
