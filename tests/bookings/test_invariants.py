"""The negative control of the invariants: each corruption that is planted is seen by its question, and by no chance."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from inspect import unwrap
from typing import Any

import pytest

from app.bookings import tasks
from app.core import db
from tests.invariants import BOOKS, INVARIANTS, PROCESSOR, broken, journal_of
from tests.payments.support import bought, held
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet, Flight

# What is done to a paid booking `:pnr` on flight `:flight`, whose hold is `:held` on the same flight, and which of the
# questions sees it. What the database itself would refuse is taken out of the way first, in the same transaction.
PLANTS: dict[str, tuple[str, ...]] = {
    "a counter differs from the recount of its claims, or is beyond the capacity": (
        "UPDATE inventory SET held = held + 1 WHERE flight_id = :flight",
    ),
    "a claim belongs to no booking": (
        "INSERT INTO seat_claims (flight_id, cabin, seats) VALUES (:flight, 'first', 1)",
    ),
    "a claim is of another flight than its segment": (
        "UPDATE seat_claims SET cabin = 'first' WHERE {claim}",
    ),
    "a booking that has ended, or a slice that was removed, keeps seats": (
        "UPDATE bookings SET status = 'expired' WHERE pnr = :held",
    ),
    "a paid booking has no seats, or they may run out": (
        "UPDATE seat_claims SET expires_at = now() + interval '1 hour' WHERE {claim}",
    ),
    "a hold has no seats, or they run out at another time than the hold": (
        "UPDATE bookings SET hold_expires_at = hold_expires_at + interval '1 hour' WHERE pnr = :held",
    ),
    "a claim is not for the people who need a seat": ("UPDATE seat_claims SET seats = 2 WHERE {claim}",),
    "nobody flies an active slice": ("UPDATE coupons SET status = 'R' WHERE {mine}",),
    "slices wait for a payment that is not there": (
        "UPDATE booking_segments SET state = 'pending' WHERE {mine}",
    ),
    "two sit on one seat": (
        "DROP INDEX uq_seat_assignments_seat",
        "DROP INDEX uq_seat_assignments_passenger",
        (
            "INSERT INTO seat_assignments (flight_id, seat, claim_id, position)"
            " SELECT flight_id, '1A', claim_id, n FROM booking_segments, generate_series(0, 1) AS n WHERE {mine}"
        ),
    ),
    "somebody who does not fly there has a seat": (
        (
            "INSERT INTO seat_assignments (flight_id, seat, claim_id, position)"
            " SELECT flight_id, '1A', claim_id, 5 FROM booking_segments WHERE {mine}"
        ),
    ),
    "a seat was paid for, and its passenger does not have it": (
        (
            "INSERT INTO booking_extras (booking_id, order_id, kind, position, slice_index, flight_id, seat, quantity,"
            " amount_minor, state) SELECT id, 1, 'seat', 0, 0, :flight, '1A', 1, 0, 'paid' FROM bookings"
            " WHERE pnr = :pnr"
        ),
    ),
    "who flies is not known to be on the flight": ("DELETE FROM booking_trips WHERE {mine}",),
    "an account has somebody twice on a flight": (
        (
            "UPDATE booking_passengers SET ticket_name = 'LOVELACE/ADA' WHERE booking_id IN"
            " (SELECT id FROM bookings WHERE pnr IN (:pnr, :held))"
        ),
    ),
    "an entry does not balance, or has one line": (
        "UPDATE ledger_lines SET amount_minor = amount_minor + 1 WHERE account = 'fares' AND {lines}",
    ),
    "what was sold is not the price of what is booked": (
        "UPDATE ledger_lines SET account = 'penalties' WHERE account = 'fares' AND {lines}",
    ),
    "extras that were sold are not those that are paid": (
        "UPDATE ledger_lines SET account = 'extras' WHERE account = 'fares' AND {lines}",
    ),
    "what the processor has for us is not what was captured and not refunded": (
        "UPDATE ledger_lines SET account = 'cash' WHERE account = 'processor' AND {lines}",
    ),
    "what is owed is not what was not refunded yet": (
        "UPDATE ledger_lines SET account = 'refunds_owed' WHERE account = 'fares' AND {lines}",
    ),
    "money came for nothing and is kept": (
        "UPDATE ledger_lines SET account = 'unapplied' WHERE account = 'fares' AND {lines}",
    ),
    "somebody pays us a penalty, and gets it": (
        "UPDATE ledger_lines SET account = 'penalties' WHERE account = 'processor_fees' AND {lines}",
    ),
    "a payment's refunds are not those that it knows of, or exceed it": (
        "UPDATE payments SET refunded_minor = 1 WHERE {mine}",
    ),
    "a booking is paid for twice, or is confirmed and not paid for": (
        "UPDATE payments SET purpose = 'extras' WHERE {mine}",
    ),
    "a payment is of another currency than its booking": (
        "UPDATE payments SET currency = 'JPY' WHERE {mine}",
    ),
    "a payment is under way for a booking that was given up, or two are": (
        "UPDATE payments SET status = 'processing', captured_at = NULL WHERE {mine}",
        "UPDATE bookings SET status = 'cancelled' WHERE pnr = :pnr",
    ),
    "an open payment is never looked at again": (
        "UPDATE payments SET status = 'processing', captured_at = NULL WHERE {mine}",
    ),
    "extras of a paid booking wait for a payment that is not there": (
        (
            "INSERT INTO booking_extras (booking_id, order_id, kind, position, slice_index, quantity, amount_minor)"
            " SELECT id, 1, 'bag', 0, 0, 1, 100 FROM bookings WHERE pnr = :pnr"
        ),
    ),
    "the lines of a price do not add up to its total": (
        "UPDATE bookings SET price = jsonb_set(price, '{{base,amount}}', '\"1.00\"') WHERE pnr = :held",
    ),
    "a booking has taken a step that there is not": (
        "UPDATE booking_timeline SET status = 'completed' WHERE sequence = 1 AND {mine}",
    ),
    "a booking is not where its last step left it": (
        "UPDATE bookings SET status = 'completed' WHERE pnr = :pnr",
    ),
    "timeline, outbox and sequence differ": ("DELETE FROM outbox WHERE subject = :pnr AND sequence = 2",),
    "a change is being paid for, and nobody pays": (
        (
            "INSERT INTO change_quotes (booking_id, revision, state, slices, offer, reason, fee_minor,"
            " difference_minor,"
            " due_minor, lines, accounts, parts, expires_at) SELECT id, 0, 'paying', '[0]', '', '', 0, 0, 0,"
            " '[]', '{{}}',"
            " '[]', now() FROM bookings WHERE pnr = :pnr"
        ),
    ),
    "a change of a flight that is no longer booked waits for an answer": (
        (
            "INSERT INTO airline_changes (booking_id, flight_id, slice_index, materiality, facts, options, advice,"
            " deadline_at) SELECT id, :flight, 7, 'material', '{{}}', '[]', '[]', now() FROM bookings WHERE pnr = :pnr"
        ),
    ),
    "who flies in a paid booking has no coupon, or two": (
        "DROP INDEX uq_coupons_live",
        (
            "INSERT INTO coupons (ticket_number, number, booking_id, position, slice_index, segment_index, flight_id)"
            " SELECT ticket_number, 4, booking_id, position, slice_index, segment_index, flight_id FROM coupons"
            " WHERE {mine}"
        ),
    ),
    "a passenger of a paid booking was never given a ticket": (
        "UPDATE coupons SET status = 'V' WHERE {mine}",
    ),
    "a coupon is good for travel, and nobody travels": (
        "UPDATE booking_passengers SET cancelled_at = now() WHERE {mine}",
    ),
    "a ticket number is given twice": (
        "ALTER TABLE tickets DROP CONSTRAINT pk_tickets CASCADE",
        "ALTER TABLE tickets DROP CONSTRAINT uq_tickets_of_passenger CASCADE",
        (
            "INSERT INTO tickets (number, booking_id, position, kind, ticket_name)"
            " SELECT number, booking_id, position, 'emd', ticket_name FROM tickets WHERE {mine}"
        ),
    ),
    "a check-in sequence is given twice": (
        "ALTER TABLE coupons DROP CONSTRAINT uq_coupons_sequence_of_flight",
        "UPDATE coupons SET check_in_sequence = 1 WHERE {mine}",
        (
            "INSERT INTO coupons (ticket_number, number, booking_id, position, slice_index, segment_index, flight_id,"
            " status, check_in_sequence) SELECT ticket_number, 4, booking_id, position, 9, 0, flight_id, 'R',"
            " 1 FROM coupons"
            " WHERE {mine}"
        ),
    ),
    "a key was left unfinished": (
        (
            "INSERT INTO idempotency_keys (caller, method, path, key, fingerprint)"
            " SELECT user_id, 'POST', '/bookings', 'left', '' FROM bookings WHERE pnr = :pnr"
        ),
    ),
    "an answer was kept of a booking that is not there": (
        (
            "INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, status, body) SELECT"
            " user_id, 'POST',"
            " '/bookings', 'lost', '', 201, convert_to('{{\"pnr\": \"NOBODY\"}}', 'UTF8') FROM bookings WHERE"
            " pnr = :pnr"
        ),
    ),
}

# What is done to the processor's journal instead.
JOURNALS: dict[str, Any] = {
    "the processor took money that we do not know of": lambda lines: [
        *lines,
        {**_charge(lines), "payment_intent": "pi_nobody", "metadata": {"payment": "pay_nobody"}},
    ],
    "a card was charged twice for one payment": lambda lines: [*lines, _charge(lines)],
    "a payment was captured, and the processor did not charge it": lambda lines: [
        line for line in lines if line is not _charge(lines)
    ],
    "the processor gave money back that we do not owe, or owe once": lambda lines: [
        *lines,
        {**_charge(lines), "what": "refunded"},
    ],
    "a card stays reserved for nothing": lambda lines: [
        line for line in lines if line["what"] not in ("declined", "released")
    ],
}
MORE_PLANTS: dict[str, tuple[str, ...]] = {
    "a refund succeeded, and the processor gave nothing back": (
        (
            "INSERT INTO refunds (booking_id, payment_id, amount_minor, currency, reason, status, reference, due_on)"
            " SELECT booking_id, id, 1, currency, 'test', 'succeeded', 're_nobody', now() FROM payments WHERE {mine}"
        ),
    ),
}


def _charge(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return next(line for line in lines if line["what"] == "charged")


class Scene:
    """A paid booking, a hold, and a card that was declined after it was reserved: all is true of them."""

    def __init__(self, flight: Flight, pnr: str, held: str, journal: list[dict[str, Any]]) -> None:
        self.flight, self.pnr, self.held, self.journal = flight, pnr, held, journal

    @asynccontextmanager
    async def corrupted(self, statements: tuple[str, ...]) -> AsyncIterator[db.Session]:
        """In a transaction that never was, without the triggers and constraints that would refuse it."""
        session = db.Session(db.engine())
        try:
            await db.rows(session, "SET LOCAL session_replication_role = replica")
            for check in ("payments", "bookings"):
                await self._unchecked(session, check)
            for statement in statements:
                text, known = self._filled(statement)
                await db.rows(session, text, **known)
            yield session
        finally:
            await session.rollback()
            await session.close()

    async def _unchecked(self, session: db.Session, table: str) -> None:
        found = await db.rows(
            session,
            "SELECT conname FROM pg_constraint WHERE conrelid = CAST(CAST(:name AS text) AS regclass) AND"
            " contype = 'c'",
            name=table,
        )
        for row in found:
            await db.rows(session, f"ALTER TABLE {table} DROP CONSTRAINT {row['conname']}")

    def _filled(self, statement: str) -> tuple[str, dict[str, Any]]:
        mine = "booking_id = (SELECT id FROM bookings WHERE pnr = :pnr)"
        text = statement.format(
            mine=mine,
            claim=f"id = (SELECT claim_id FROM booking_segments WHERE {mine})",
            lines=f"entry_id IN (SELECT id FROM ledger_entries WHERE {mine})",
        )
        known = {"pnr": self.pnr, "held": self.held, "flight": self.flight.id}
        return text, {name: value for name, value in known.items() if f":{name}" in text}


@pytest.fixture(scope="module")
def scenes() -> Iterator[list[Scene]]:
    """Made once: every corruption is undone."""
    return []


@pytest.fixture
async def scene(scenes: list[Scene], api: Client, fleet: Fleet, sandbox: Sandbox) -> Scene:
    if not scenes:
        traveller = await api.signed_up()
        flight = await fleet.flight()
        pnr = (await bought(traveller, fleet, flight))["pnr"]
        hold = (await held(traveller, fleet, flight))["pnr"]
        declined = {"payment_method": "pm_sandbox_captureFails"}
        assert (await traveller.post(f"/bookings/{hold}/payments", declined)).status == 402
        await unwrap(tasks.settle_payments)()
        hold = (await held(traveller, fleet, flight))["pnr"]
        scenes.append(Scene(flight, pnr, hold, await journal_of(sandbox)))
    return scenes[0]


async def test_all_is_true_of_what_was_done_properly(scene: Scene, sql: Any) -> None:
    """Nothing is planted, nothing is found."""
    assert await broken(sql, [scene.flight], scene.journal) == {}


def test_every_invariant_has_its_corruption() -> None:
    """None is only believed."""
    assert PLANTS.keys() == BOOKS.keys()
    assert JOURNALS.keys() | MORE_PLANTS.keys() == PROCESSOR.keys()
    assert len(INVARIANTS) == len(BOOKS) + len(PROCESSOR)


@pytest.mark.parametrize("name", [*PLANTS, *MORE_PLANTS])
async def test_a_planted_corruption_is_seen(scene: Scene, name: str) -> None:
    """By the question that is about it, whatever other questions see of it too."""
    async with scene.corrupted((PLANTS | MORE_PLANTS)[name]) as session:
        found = await broken(partial(db.rows, session), [scene.flight], scene.journal)

    assert name in found


@pytest.mark.parametrize("name", JOURNALS)
async def test_a_journal_that_differs_is_seen(scene: Scene, sql: Any, name: str) -> None:
    """Whichever side has more than the other."""
    found = await broken(sql, [scene.flight], JOURNALS[name](scene.journal))

    assert set(found) == {name}
