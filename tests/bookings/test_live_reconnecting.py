"""A client that comes back with `Last-Event-ID` hears exactly what it has missed."""

import asyncio
from typing import Any

import pytest

from app.bookings import events
from app.core import db
from tests.bookings.paid import held
from tests.bookings.streamed import (
    Row,
    Stream,
    closed,
    happens,
    is_late,
    nothing_lent,
    opened,
    refused,
    step,
    types,
)
from tests.support.client import Client
from tests.support.fleet import Fleet


async def begun(traveller: Client, pnr: str) -> str:
    """The id with which a stream begins now."""
    async with opened(traveller, pnr) as stream:
        last: str = (await stream.next())["id"]
        return last


async def test_what_was_missed_comes_first(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """From each event on that is named, by the header or by the query; then what is new."""
    flight = await fleet.flight()
    pnr = (await held(traveller, fleet, flight))["pnr"]
    last = await begun(traveller, pnr)
    await happens(sql, pnr, "booking.changed")
    await is_late(sql, flight, 30)
    await happens(sql, pnr, "booking.confirmed", "payment.succeeded")
    everything = ["booking.changed", "flight.delayed", "booking.confirmed", "payment.succeeded"]
    async with opened(traveller, pnr, last) as stream:
        told = await stream.take(4)
        assert types(told) == everything
        await is_late(sql, flight, 60)
        assert (await stream.next())["data"]["data"]["delay_minutes"] == 60

    for seen, one in enumerate(told, 1):
        async with opened(traveller, pnr, last_event_id=one["id"]) as stream:
            assert types(await stream.take(5 - seen)) == [*everything[seen:], "flight.delayed"]
    # A browser that comes back has the newer id in the header, and the older one still in its address.
    async with opened(traveller, pnr, told[2]["id"], last_event_id=told[0]["id"]) as stream:
        assert (await stream.next())["event"] == "payment.succeeded"


async def test_reconnecting_in_a_burst_loses_nothing_and_repeats_nothing(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off again and again, sometimes in the middle of what comes at once, while two subjects go on."""
    monkeypatch.setattr(events, "_MOST_AT_ONCE", 7)
    flight = await fleet.flight()
    pnr = (await held(traveller, fleet, flight))["pnr"]
    last = await begun(traveller, pnr)

    async def booking_goes_on() -> None:
        for n in range(20):
            await happens(sql, pnr, *["booking.changed"] * (1 + n % 3))

    async def flight_goes_on() -> None:
        for n in range(20):
            await is_late(sql, flight, 20 * (n + 1))

    happening = asyncio.gather(booking_goes_on(), flight_goes_on())
    told: list[Row] = []
    while len(told) < 59:
        async with opened(traveller, pnr, last) as stream:
            told += await stream.take(min(1 + len(told) % 10, 59 - len(told)))
        last = told[-1]["id"]
    await happening

    sequences: dict[str, list[int]] = {"booking.changed": [], "flight.delayed": []}
    for one in told:
        sequences[one["event"]].append(one["data"]["sequence"])
    assert sequences == {"booking.changed": list(range(2, 41)), "flight.delayed": list(range(1, 21))}
    async with opened(traveller, pnr, last) as stream:
        assert await stream.is_silent(0.5)
    # Nobody was cut off while a connection was lent to them.
    await closed()
    await nothing_lent()


async def test_what_is_written_first_and_committed_last_is_told(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Its row has the smaller id. The event that overtook it was told, and its id does not pass it over."""
    flight = await fleet.flight()
    pnr = (await held(traveller, fleet, flight))["pnr"]
    [booking] = await sql("SELECT id FROM bookings WHERE pnr = :pnr", pnr=pnr)
    async with opened(traveller, pnr) as stream:
        await stream.next()
        async with db.transaction() as slow:
            await step(slow, booking["id"], "booking.confirmed")
            await is_late(sql, flight, 30)
            overtook = await stream.next()
            assert overtook["event"] == "flight.delayed"
            assert await not_yet(stream)
        late = await stream.next()

    assert late["event"] == "booking.confirmed"
    ids = await sql(
        "SELECT type FROM outbox WHERE 'evt_' || replace(CAST(event_id AS text), '-', '')"
        " = ANY(CAST(:ids AS text[])) ORDER BY id",
        ids=[overtook["data"]["id"], late["data"]["id"]],
    )
    assert [row["type"] for row in ids] == ["booking.confirmed", "flight.delayed"]
    async with opened(traveller, pnr, overtook["id"]) as stream:
        assert (await stream.next())["data"] == late["data"]


async def not_yet(stream: Stream) -> bool:
    """Whether nothing comes for two looks."""
    before = stream.response.content.total_bytes
    await asyncio.sleep(2 * events._PAUSE_SECONDS)
    return bool(stream.response.content.total_bytes == before)


@pytest.mark.parametrize(
    "garbage",
    ["nonsense", "{pnr}", "{pnr}.-1", "{pnr}.1.ZZ1", "{pnr}.99", "{pnr}.1.{flight}.7", "BBBBBB.1", "\u00e4"],
)
async def test_an_id_that_is_none_is_refused(traveller: Client, fleet: Fleet, sql: Any, garbage: str) -> None:
    """Before the stream begins, and it is said how to begin without."""
    flight = await fleet.flight()
    pnr = (await held(traveller, fleet, flight))["pnr"]
    named = f"{flight.number}-{flight.day:%Y%m%d}-{flight.origin}"

    answer = await refused(traveller, pnr, last_event_id=garbage.format(pnr=pnr, flight=named))

    assert (answer.status, answer.code) == (422, "unknown_event")
    assert answer.body["errors"][0]["pointer"] == "last_event_id"


async def test_an_id_whose_followers_are_gone_is_refused(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Rather than that something is left out silently."""
    pnr = (await held(traveller, fleet))["pnr"]
    last = await begun(traveller, pnr)
    await happens(sql, pnr, "booking.changed", "booking.confirmed")
    await sql("DELETE FROM outbox WHERE subject = :pnr AND sequence = 2", pnr=pnr)

    assert (await refused(traveller, pnr, last_event_id=last)).code == "unknown_event"
