"""Ticket numbers count up, are given once, and have a check digit beside them."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import db
from app.core.config import settings
from app.tickets import repository, service
from app.tickets.numbers import check_digit
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.tickets.support import Trip, booked, do

digits = st.text("0123456789", min_size=13, max_size=13)


@pytest.mark.parametrize(("number", "expected"), [("0277198099386", 5), ("2202364224106", 4)])
def test_the_check_digit_stands_beside_the_thirteen(number: str, expected: int) -> None:
    """Two numbers of real passes; a thirteenth digit that checks the twelve before it would be another."""
    assert check_digit(number) == expected
    assert int(number[:12]) % 7 != int(number[12])
    assert check_digit("0" + number) == expected


@given(digits, st.integers(0, 12), st.integers(0, 9))
def test_one_wrong_digit_is_noticed(number: str, place: int, digit: int) -> None:
    """Unless it is wrong by seven."""
    remainder = 0
    for one in number:
        remainder = (remainder * 10 + int(one)) % 7
    wrong = number[:place] + str(digit) + number[place + 1 :]

    assert check_digit(number) == remainder
    assert (check_digit(wrong) == remainder) == (abs(digit - int(number[place])) in (0, 7))


async def people(traveller: Client, fleet: Fleet, sql: Any, bookings: int) -> list[tuple[Trip, int]]:
    """Nine passengers of each of so many bookings of one flight."""
    flight = await fleet.flight(9 * bookings)
    trips = [await booked(traveller, fleet, sql, flight, adults=9) for _ in range(bookings)]
    return [(trip, position) for trip in trips for position in trip.positions]


async def test_fifty_at_once_have_fifty_numbers(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Every fifth is undone after it took its number: a gap is allowed, the same number twice is not."""
    passengers = (await people(traveller, fleet, sql, 6))[:50]

    async def one(index: int) -> list[str]:
        trip, position = passengers[index]
        async with db.transaction() as session:
            issued = await service.issue(session, trip.id, trip.names(position), trip.segments)
            if index % 5 == 0:
                raise RuntimeError("undone")
        return issued[position]

    found = await asyncio.gather(*(one(index) for index in range(50)), return_exceptions=True)
    given_out = [number for one in found if isinstance(one, list) for number in one]
    stored = await sql(
        "SELECT number FROM tickets WHERE booking_id = ANY(CAST(:ids AS bigint[]))",
        ids=[trip.id for trip, _ in passengers],
    )
    trip, position = passengers[0]
    later = (await trip.issued(position))[position][0]

    assert len(given_out) == len(set(given_out)) == 40
    assert {row["number"] for row in stored} == set(given_out)
    assert all(len(number) == 13 and number.startswith("000") for number in given_out)
    assert later > max(given_out)


async def test_numbers_would_be_given_twice_if_they_were_read_and_then_written(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    passengers = await people(traveller, fleet, sql, 1)

    async def read_then_write(session: db.Session, code: str, count: int) -> int:
        taken = await db.rows(
            session, "SELECT * FROM ticket_sequences WHERE accounting_code = :code", code=code
        )
        serial = taken[0]["last_serial"] + count if taken else count
        await asyncio.sleep(0.02)
        await db.rows(
            session,
            "INSERT INTO ticket_sequences VALUES (:code, :serial)"
            " ON CONFLICT (accounting_code) DO UPDATE SET last_serial = excluded.last_serial",
            code=code,
            serial=serial,
        )
        return serial

    monkeypatch.setattr(settings(), "ticket_accounting_code", "986")
    monkeypatch.setattr(repository, "take_serials", read_then_write)
    found = await asyncio.gather(
        *(trip.issued(position) for trip, position in passengers), return_exceptions=True
    )

    assert any("duplicate key" in str(one) for one in found)


async def test_each_accounting_code_counts_for_itself(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one; what was issued under another code stays what it is."""
    trip = await booked(traveller, fleet, sql, adults=2, infants=1)
    await trip.issued(0)
    monkeypatch.setattr(settings(), "ticket_accounting_code", "987")

    assert await trip.issued(1, 2) == {1: ["9870000000001"], 2: ["9870000000002"]}
    assert [ticket["number"][:3] for ticket in await trip.tickets()] == ["000", "987", "987"]
    assert [ticket["check_digit"] for ticket in await trip.tickets()][1:] == [
        9870000000001 % 7,
        9870000000002 % 7,
    ]


async def test_tickets_show_who_travels_on_what(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """An infant has a ticket of its own; a booking without tickets has none."""
    trip = await booked(traveller, fleet, sql, *await fleet.round_trip(), adults=1, infants=1)
    other = await booked(traveller, fleet, sql)
    issued = await trip.issued()
    tickets = await do(service.of_bookings, [trip.id, other.id])

    assert tickets[other.id] == []
    assert [
        {name: ticket[name] for name in ("number", "position", "ticket_name", "kind", "exchanged_for")}
        for ticket in tickets[trip.id]
    ] == [
        {
            "number": issued[position][0],
            "position": position,
            "ticket_name": f"LOVELACE/ADA {position}",
            "kind": "ticket",
            "exchanged_for": None,
        }
        for position in (0, 1)
    ]
    assert [
        (one["number"], one["slice_index"], one["segment_index"], one["flight_id"], one["status"])
        for one in tickets[trip.id][1]["coupons"]
    ] == [(1, 0, 0, trip.flights[0], "O"), (2, 1, 0, trip.flights[1], "O")]
