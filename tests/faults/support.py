"""Requests that move money, each with what must be true however often it was cut and repeated."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.payments.support import VISA, bought, held, minor, paid_at_once
from tests.support.client import Client, Sandbox, adult
from tests.support.fleet import Fleet

_people = itertools.count(50_000)


@dataclass(frozen=True)
class Request:
    """What is asked, and what it must come to: the answer's status, the booking's state, money at the processor."""

    path: str
    body: Any
    status: int
    state: str
    moved: tuple[tuple[str, int], ...]
    pnr: str | None = None


Flow = Callable[[Client, Fleet], Awaitable[Request]]


async def hold(traveller: Client, fleet: Fleet) -> Request:
    offer = await fleet.offer(traveller, await fleet.flight())
    body = paid_at_once(offer) | {"passengers": [adult(next(_people))]}
    del body["payment"]
    return Request("/bookings", body, 201, "held", ())


async def hold_and_pay(traveller: Client, fleet: Fleet) -> Request:
    offer = await fleet.offer(traveller, await fleet.flight())
    body = paid_at_once(offer) | {"passengers": [adult(next(_people))]}
    return Request("/bookings", body, 201, "confirmed", (("charged", minor(offer["price"]["total"])),))


async def pay(traveller: Client, fleet: Fleet) -> Request:
    booked = await held(traveller, fleet)
    moved = (("charged", minor(booked["price"]["total"])),)
    return Request(f"/bookings/{booked['pnr']}/payments", VISA, 201, "confirmed", moved, booked["pnr"])


async def cancel(traveller: Client, fleet: Fleet) -> Request:
    booked = await bought(traveller, fleet)
    quote = (await traveller.post(f"/bookings/{booked['pnr']}/cancellations")).body
    moved = (("charged", minor(booked["price"]["total"])), ("refunded", minor(quote["refund"])))
    path = f"/bookings/{booked['pnr']}/cancellations/{quote['id']}/confirm"
    return Request(path, None, 200, "cancelled", moved, booked["pnr"])


async def change(traveller: Client, fleet: Fleet) -> Request:
    """To a dearer fare of another flight."""
    booked = await changeable(traveller, fleet)
    offers = await fleet.offers(traveller, await fleet.flight())
    dearer = next(one for one in offers if one["fare_brand"] == booked["fare_brand"])
    quote = await traveller.post(
        f"/bookings/{booked['pnr']}/changes", {"slices": [0], "offer_id": dearer["id"]}
    )
    assert quote.status == 201, quote.body
    due = minor(quote.body["amount_due"])
    assert due > 0
    moved = (("charged", minor(booked["price"]["total"])), ("charged", due))
    path = f"/bookings/{booked['pnr']}/changes/{quote.body['id']}/confirm"
    return Request(path, {"payment": VISA}, 200, "confirmed", moved, booked["pnr"])


async def extras(traveller: Client, fleet: Fleet) -> Request:
    """A bag for a booking that is paid."""
    booked = await bought(traveller, fleet)
    wanted = {"bags": [{"passenger": 0, "slice": 0, "quantity": 1}]}
    unpaid = await traveller.post(f"/bookings/{booked['pnr']}/extras", wanted)
    assert unpaid.code == "payment_required", unpaid.body
    moved = (("charged", minor(booked["price"]["total"])), ("charged", minor(unpaid.body["due"])))
    path = f"/bookings/{booked['pnr']}/extras"
    return Request(path, {**wanted, "payment": VISA}, 200, "confirmed", moved, booked["pnr"])


async def changeable(traveller: Client, fleet: Fleet) -> dict[str, Any]:
    """A booking that is paid for and may be changed."""
    offers = await fleet.offers(traveller, await fleet.flight())
    offer = next(one for one in offers if one["conditions"]["change"]["allowed"])
    answer = await traveller.post("/bookings", paid_at_once(offer) | {"passengers": [adult(next(_people))]})
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


async def moved_at_the_processor(sandbox: Sandbox, sql: Any, pnr: str) -> tuple[tuple[str, int], ...]:
    """Everything that the processor did for a booking, also what we have not heard of."""
    ours = {
        "pay_" + row["public_id"].hex
        for row in await sql(
            "SELECT p.public_id FROM payments p JOIN bookings b ON b.id = p.booking_id WHERE b.pnr = :pnr",
            pnr=pnr,
        )
    }
    cards = await sandbox.control("GET", "/cards")
    intents = {one["id"] for one in cards["intents"] if one["metadata"].get("payment") in ours}
    return tuple(
        (line["what"], line["amount"])
        for line in cards["journal"]
        if line["payment_intent"] in intents and line["what"] in ("charged", "refunded")
    )


async def require_whole(sandbox: Sandbox, sql: Any, pnr: str, request: Request) -> None:
    """Money moved once, the books say the same, seats are where they belong, and nothing is left to be done."""
    moved = await moved_at_the_processor(sandbox, sql, pnr)
    assert moved == request.moved
    assert await sql(_STATE, pnr=pnr) == [{"status": request.state}]
    assert await sql(_UNFINISHED, pnr=pnr) == []
    assert await sql(_UNBALANCED, pnr=pnr) == []
    [books] = await sql(_WITH_PROCESSOR, pnr=pnr)
    assert books["amount"] == sum(amount if what == "charged" else -amount for what, amount in moved)
    assert await sql(_SEATS_ASTRAY, pnr=pnr) == []
    [told] = await sql(_TOLD, pnr=pnr)
    assert told["sent"] == told["steps"] == list(range(1, len(told["sent"]) + 1))


_STATE = "SELECT status FROM bookings WHERE pnr = :pnr"
_UNFINISHED = """
    SELECT p.status, p.next_look_at AS due FROM payments p JOIN bookings b ON b.id = p.booking_id
    WHERE b.pnr = :pnr AND (p.status NOT IN ('captured', 'failed', 'cancelled') OR p.next_look_at IS NOT NULL)
    UNION ALL
    SELECT r.status, r.next_try_at FROM refunds r JOIN bookings b ON b.id = r.booking_id
    WHERE b.pnr = :pnr AND (r.status <> 'succeeded' OR r.next_try_at IS NOT NULL)
    UNION ALL
    SELECT 'key', i.locked_at FROM idempotency_keys i JOIN bookings b ON b.user_id = i.caller
    WHERE b.pnr = :pnr AND i.status IS NULL
"""
_UNBALANCED = """
    SELECT e.id FROM ledger_entries e JOIN bookings b ON b.id = e.booking_id
    JOIN ledger_lines l ON l.entry_id = e.id
    WHERE b.pnr = :pnr GROUP BY e.id HAVING sum(l.amount_minor) <> 0
"""
_WITH_PROCESSOR = """
    SELECT coalesce(sum(l.amount_minor), 0)::bigint AS amount FROM ledger_lines l
    JOIN ledger_entries e ON e.id = l.entry_id JOIN bookings b ON b.id = e.booking_id
    WHERE b.pnr = :pnr AND l.account IN ('processor', 'processor_fees')
"""
_SEATS_ASTRAY = """
    SELECT i.flight_id FROM inventory i
    WHERE i.flight_id IN (SELECT s.flight_id FROM booking_segments s JOIN bookings b ON b.id = s.booking_id
                          WHERE b.pnr = :pnr)
      AND i.held + i.sold <> (
        SELECT coalesce(sum(p.n), 0) FROM booking_segments s JOIN bookings b ON b.id = s.booking_id
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM booking_passengers
                            WHERE booking_id = b.id AND type <> 'infant' AND cancelled_at IS NULL) p
        WHERE s.flight_id = i.flight_id AND s.state = 'active' AND b.status IN ('held', 'confirmed'))
"""
_TOLD = """
    SELECT (SELECT array_agg(sequence ORDER BY sequence) FROM outbox WHERE subject = :pnr) AS sent,
           (SELECT array_agg(t.sequence ORDER BY t.sequence) FROM booking_timeline t
            JOIN bookings b ON b.id = t.booking_id WHERE b.pnr = :pnr) AS steps
"""
