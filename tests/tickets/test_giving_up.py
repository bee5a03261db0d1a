"""Voiding, refunding and exchanging: one of them happens to a coupon, once."""

import asyncio
from typing import Any

import pytest

from app.core.config import settings
from app.tickets import service
from app.tickets.errors import CouponNotAllowed
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.tickets.support import booked, do


async def test_tickets_are_voided_together_while_all_are_open(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """One coupon in use is enough against it; who has no tickets has none to void."""
    trip = await booked(traveller, fleet, sql, *await fleet.round_trip(), adults=2)
    with pytest.raises(CouponNotAllowed):
        await do(service.void, trip.id)
    await trip.issued()
    await do(service.check_in, trip.id, {1}, trip.flights[0])
    with pytest.raises(CouponNotAllowed) as refused:
        await do(service.void, trip.id)
    assert [(one["number"], one["status"]) for one in refused.value.members["coupons"]] == [(1, "C")]
    assert await trip.statuses() == "OOCO"

    await do(service.offload, trip.id, {1}, trip.flights[0])
    assert {coupon["status"] for coupon in await do(service.void, trip.id)} == {"V"}

    assert await trip.statuses() == "VVVV"
    again = await trip.issued()
    assert len({*again[0], *again[1], *(ticket["number"] for ticket in await trip.tickets())}) == 4


async def test_a_part_is_refunded_and_the_rest_flies(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Of one passenger, one slice; who is checked in is off-loaded first."""
    trip = await booked(traveller, fleet, sql, *await fleet.round_trip(), adults=2)
    await trip.issued()
    back = trip.flights[1]
    await do(service.check_in, trip.id, {0, 1}, back)

    with pytest.raises(CouponNotAllowed):
        await do(service.refund, trip.id, {0}, {0, 1})
    assert await trip.statuses() == "OCOC"
    await do(service.offload, trip.id, {0}, back)
    refunded = await do(service.refund, trip.id, {0}, {1})

    assert [(one["position"], one["slice_index"], one["status"]) for one in refunded] == [(0, 1, "R")]
    assert len(await do(service.fly, [back])) == 1
    assert await trip.statuses() == "OROF"


async def test_a_slice_that_was_flown_in_part_is_not_refunded(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Nor exchanged: what is left of it is not what was paid for."""
    trip = await booked(traveller, fleet, sql)
    first, second = trip.flights[0], (await fleet.flight()).id
    segments = [
        {"slice_index": 0, "segment_index": place, "flight_id": flight}
        for place, flight in enumerate((first, second))
    ]
    await do(service.issue, trip.id, trip.names(), segments)
    await do(service.check_in, trip.id, {0}, first)
    await do(service.fly, [first])

    for give_up in (service.refund, service.exchange):
        with pytest.raises(CouponNotAllowed):
            await do(give_up, trip.id, {0}, {0})
    assert await trip.statuses() == "FO"


async def test_a_new_ticket_says_which_one_it_replaces(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The coupon that was exchanged stays what it is, and is no longer asked about."""
    trip = await booked(traveller, fleet, sql, *await fleet.round_trip(), adults=2)
    numbers = await trip.issued()
    exchanged = await do(service.exchange, trip.id, {1}, {1})
    other = {"slice_index": 1, "segment_index": 0, "flight_id": (await fleet.flight()).id}
    issued = await do(service.issue, trip.id, trip.names(1), [other], exchanged)

    assert exchanged == {1: numbers[1][0]}
    assert [(one["number"], one["exchanged_for"]) for one in await trip.tickets()] == [
        (numbers[0][0], None),
        (numbers[1][0], None),
        (issued[1][0], numbers[1][0]),
    ]
    assert await trip.statuses() == "OOOEO"
    assert await do(service.exchange, trip.id, {1}, {1}) == {1: issued[1][0]}
    with pytest.raises(CouponNotAllowed, match="no coupon"):
        await do(service.refund, trip.id, {1}, {1})
    with pytest.raises(CouponNotAllowed):
        await do(service.void, trip.id)


@pytest.mark.parametrize("codes", [("984", "985"), ("985", "984")])
async def test_who_has_several_tickets_exchanges_the_newest(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch, codes: tuple[str, str]
) -> None:
    """By when it was issued: the accounting code, and so the order of numbers, may have changed since."""
    trip = await booked(traveller, fleet, sql, *await fleet.round_trip())
    monkeypatch.setattr(settings(), "ticket_accounting_code", codes[0])
    await trip.issued()
    first = await do(service.exchange, trip.id, {0}, {1})
    monkeypatch.setattr(settings(), "ticket_accounting_code", codes[1])
    newest = await do(service.issue, trip.id, trip.names(), trip.segments[1:], first)

    assert await do(service.exchange, trip.id, {0}, {0, 1}) == {0: newest[0][0]}


async def test_of_several_who_want_a_coupon_one_has_it(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Refund, exchange, suspension and check-in at once, for each of nine people: the others are told."""
    trip = await booked(traveller, fleet, sql, adults=9)
    await trip.issued()

    async def at_once(position: int) -> list[Any]:
        asked = [(verb, {0}) for verb in (service.refund, service.exchange, service.suspend)]
        wanted: list[Any] = [do(verb, trip.id, {position}, slices) for verb, slices in asked]
        wanted.append(do(service.check_in, trip.id, {position}, trip.flights[0]))
        return await asyncio.gather(*wanted, return_exceptions=True)

    for answers in await asyncio.gather(*(at_once(position) for position in trip.positions)):
        refusals = [answer for answer in answers if isinstance(answer, BaseException)]
        assert {type(refusal) for refusal in refusals} == {CouponNotAllowed}
        assert len(refusals) == 3
    assert set(await trip.statuses()) <= set("RESC")
    events = await sql(
        "SELECT count(*) AS n FROM coupon_events e JOIN tickets t ON t.number = e.ticket_number"
        " WHERE t.booking_id = :id",
        id=trip.id,
    )
    assert events == [{"n": 18}]


async def test_the_airlines_changes_reach_everybody_on_the_flight(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Who is done with it stays so; afterwards some take their money, some another flight, the rest wait."""
    flight = await fleet.flight()
    trip, other = [await booked(traveller, fleet, sql, flight, adults=n) for n in (3, 1)]
    await trip.issued()
    await other.issued()
    await do(service.check_in, trip.id, {0}, flight.id)
    await do(service.refund, trip.id, {2}, {0})

    touched = await do(service.disrupt, [flight.id])
    assert {(one["booking_id"], one["position"]) for one in touched} == {
        (trip.id, 0),
        (trip.id, 1),
        (other.id, 0),
    }
    assert await trip.statuses() + await other.statuses() == "IIRI"
    with pytest.raises(CouponNotAllowed):
        await do(service.check_in, other.id, {0}, flight.id)

    await do(service.refund, trip.id, {0}, {0})
    await do(service.reopen, other.id, {0}, {0})
    assert [one["position"] for one in await do(service.reinstate, [flight.id])] == [1]
    assert await trip.statuses() + await other.statuses() == "RORO"
