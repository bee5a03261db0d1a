"""Bookings that are paid for, and what is done with them afterwards."""

import itertools
from inspect import unwrap
from typing import Any

from app.bookings import tasks
from tests.payments.support import VISA
from tests.support.client import BORN, Answer, Client, adult, booking
from tests.support.fleet import Fleet, Flight

PAYMENT = {"payment": VISA}
Row = dict[str, Any]
# Nobody is booked twice on a flight.
_people = itertools.count(1)


def somebody(kind: str = "adult", **more: Any) -> Row:
    """A traveller of their own name."""
    return adult(next(_people), type=kind, born_on=BORN[kind], **more)


async def offer(
    traveller: Client, fleet: Fleet, *flights: Flight, brand: str = "Flex", people: list[Row], **more: Any
) -> Row:
    """The cheapest offer in a brand for these people; two flights are there and back."""
    there, *back = flights
    kinds = [person["type"] for person in people]
    counts = {
        "adults": kinds.count("adult"),
        "children": kinds.count("child"),
        "infants": kinds.count("infant"),
    }
    found = await fleet.offers(
        traveller, there, **counts, **({"return_date": back[0].day} if back else {}), **more
    )
    return next(
        one
        for one in found
        if one["fare_brand"] == brand and one["slices"][0]["segments"][0]["flight_number"] == there.number
    )


async def held(
    traveller: Client,
    fleet: Fleet,
    *flights: Flight,
    brand: str = "Flex",
    people: list[Row] | None = None,
    **more: Any,
) -> Row:
    people = people or [somebody()]
    there = flights or (await fleet.flight(),)
    found = await offer(traveller, fleet, *there, brand=brand, people=people, **more)
    answer = await traveller.post("/bookings", booking(found["id"], people))
    assert answer.status == 201, answer.body
    body: Row = answer.body
    return body


async def bought(
    traveller: Client, fleet: Fleet, sql: Any, *flights: Flight, method: str = "pm_card_visa", **more: Any
) -> Row:
    """A booking that was paid for the day before: it can be voided no more."""
    pnr = (await held(traveller, fleet, *flights, **more))["pnr"]
    paid = await traveller.post(f"/bookings/{pnr}/payments", {"payment_method": method})
    assert paid.status == 201, paid.body
    await agree(sql, pnr, "void_until", minutes=-1)
    return await read(traveller, pnr)


async def agree(sql: Any, pnr: str, name: str, minutes: int) -> None:
    """Let it have been agreed at purchase that something can be done until then."""
    await sql(
        "UPDATE bookings SET terms = terms || jsonb_build_object("
        "CAST(:name AS text), date_trunc('second', now()) + make_interval(mins => :minutes)) WHERE pnr = :pnr",
        name=name,
        minutes=minutes,
        pnr=pnr,
    )


async def leaves(sql: Any, flight: Flight, minutes: float) -> None:
    """Let a flight leave so many minutes from now, or have left."""
    await sql(
        "UPDATE flights SET departs_at = now() + make_interval(secs => :seconds),"
        " arrives_at = now() + make_interval(secs => :seconds + 7200.0) WHERE id = :id",
        seconds=minutes * 60.0,
        id=flight.id,
    )


async def read(traveller: Client, pnr: str) -> Row:
    answer = await traveller.get(f"/bookings/{pnr}")
    assert answer.status == 200, answer.body
    body: Row = answer.body
    return body


async def quoted(traveller: Client, pnr: str, **what: Any) -> Row:
    """What cancelling would give back."""
    answer = await traveller.post(f"/bookings/{pnr}/cancellations", what or None)
    assert answer.status == 201, answer.body
    body: Row = answer.body
    return body


async def confirm(traveller: Client, pnr: str, quote: Row) -> Answer:
    return await traveller.post(f"/bookings/{pnr}/cancellations/{quote['id']}/confirm")


async def cancelled(traveller: Client, pnr: str, **what: Any) -> tuple[Row, Row]:
    """Quoted and confirmed: the quote and the booking."""
    quote = await quoted(traveller, pnr, **what)
    answer = await confirm(traveller, pnr, quote)
    assert answer.status == 200, answer.body
    return quote, answer.body


async def change_quoted(
    traveller: Client,
    fleet: Fleet,
    found: Row,
    *flights: Flight,
    slices: list[int] | None = None,
    **more: Any,
) -> Answer:
    """Ask what it costs to fly these instead, for those who travel."""
    people = more.pop("people", None) or [p for p in found["passengers"] if p["status"] == "active"]
    brand = more.pop("brand", found["fare_brand"])
    new = await offer(traveller, fleet, *flights, brand=brand, people=people, **more)
    wanted = slices or [one["index"] for one in found["slices"]]
    return await traveller.post(
        f"/bookings/{found['pnr']}/changes", {"slices": wanted, "offer_id": new["id"]}
    )


async def confirm_change(traveller: Client, pnr: str, quote: Row, method: str | None = None) -> Answer:
    body = {"payment": {"payment_method": method}} if method else None
    return await traveller.post(f"/bookings/{pnr}/changes/{quote['id']}/confirm", body)


async def settled() -> None:
    """What Beat asks for: what is owed back is sent, and found out about."""
    await unwrap(tasks.settle_refunds)()


async def events(sql: Any, pnr: str) -> list[Row]:
    found: list[Row] = await sql(
        "SELECT type, data FROM outbox WHERE subject = :pnr ORDER BY sequence", pnr=pnr
    )
    return found


def coupons(found: Row, position: int = 0) -> str:
    """The statuses of a passenger's coupons, in the order in which they were issued."""
    tickets = found["passengers"][position]["tickets"]
    return "".join(coupon["status"] for ticket in tickets for coupon in ticket["coupons"])
