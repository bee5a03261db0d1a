"""What the code would never do, the database refuses."""

from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from app.core import db
from app.tickets import coupons
from app.tickets.coupons import STATUSES, Move
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.tickets.support import Trip, booked

MOVES = {
    before + move.after for move in vars(coupons).values() if isinstance(move, Move) for before in move.before
}

REFUSED = [
    ("UPDATE coupons SET status = 'C' WHERE OURS", "checked_in_with_a_sequence"),
    ("UPDATE coupons SET status = 'X' WHERE OURS", "cannot go from O to X"),
    ("UPDATE coupons SET check_in_sequence = 0 WHERE OURS", "sequence_from_1"),
    ("UPDATE coupons SET position = 1 WHERE OURS", "only the status"),
    ("UPDATE coupons SET slice_index = 1 WHERE OURS", "only the status"),
    ("UPDATE coupons SET number = 2 WHERE OURS", "only the status"),
    ("UPDATE coupons SET flight_id = (SELECT min(id) FROM flights) WHERE OURS", "only the status"),
    ("DELETE FROM coupons WHERE OURS", "rows of coupons are only ever added"),
    ("TRUNCATE coupons CASCADE", "rows of .* are only ever added"),
    ("UPDATE tickets SET ticket_name = 'BYRON/GEORGE' WHERE OURS", "rows of tickets are only ever added"),
    (
        "UPDATE tickets SET ticket_name = 'ERASED/AB', issued_at = now() - interval '1 day' WHERE OURS",
        "rows of tickets are only ever added",
    ),
    ("DELETE FROM tickets WHERE OURS", "rows of tickets are only ever added"),
    ("UPDATE coupon_events SET after = 'F'", "rows of coupon_events are only ever added"),
    ("DELETE FROM coupon_events", "rows of coupon_events are only ever added"),
    (
        (
            "INSERT INTO tickets (number, booking_id, position, ticket_name)"
            " SELECT '00012345678A1', booking_id, position, 'X' FROM tickets WHERE OURS"
        ),
        "thirteen_digits",
    ),
    (
        (
            "INSERT INTO tickets (number, booking_id, position, ticket_name)"
            " SELECT '9991234567890', booking_id, 7, 'X' FROM tickets WHERE OURS"
        ),
        "fk_tickets_passenger",
    ),
    (
        (
            "INSERT INTO tickets (number, booking_id, position, ticket_name, conjunction_of)"
            " SELECT '0000000000000', booking_id, position, 'X', number FROM tickets WHERE OURS"
        ),
        "first_of_a_set_comes_first",
    ),
    (
        (
            "INSERT INTO coupons SELECT ticket_number, 2, booking_id, position, 1, 0, flight_id, 'C', 5"
            " FROM coupons WHERE OURS"
        ),
        "a coupon begins open",
    ),
    (
        (
            "INSERT INTO coupons SELECT ticket_number, 5, booking_id, position, 1, 0, flight_id"
            " FROM coupons WHERE OURS"
        ),
        "four_a_ticket",
    ),
    (
        (
            "INSERT INTO coupons SELECT ticket_number, 2, booking_id, position, slice_index, segment_index, flight_id"
            " FROM coupons WHERE OURS"
        ),
        "uq_coupons_live",
    ),
    (
        "INSERT INTO coupons SELECT ticket_number, 2, booking_id, 1, 1, 0, flight_id FROM coupons WHERE OURS",
        "fk_coupons_ticket",
    ),
]
PASSED = [
    ("UPDATE coupons SET status = 'S' WHERE OURS", "S"),
    ("UPDATE coupons SET status = 'C', check_in_sequence = 7 WHERE OURS", "C"),
    (
        "INSERT INTO coupons SELECT ticket_number, 2, booking_id, position, 1, 0, flight_id FROM coupons WHERE OURS",
        "OO",
    ),
]


@pytest_asyncio.fixture
async def trip(traveller: Client, fleet: Fleet, sql: Any) -> Trip:
    """Somebody with a ticket of one coupon."""
    made = await booked(traveller, fleet, sql)
    await made.issued()
    return made


@pytest_asyncio.fixture
async def changed(trip: Trip) -> Any:
    """Run a statement about the coupon in a transaction that is undone; gives the statuses then."""

    async def run(statement: str) -> str:
        async with db.transaction() as session:
            await db.rows(session, statement.replace("OURS", f"booking_id = {trip.id}"))
            found = await db.rows(session, "SELECT status FROM coupons WHERE booking_id = :id", id=trip.id)
            await session.rollback()
            return "".join(row["status"] for row in found)

    return run


async def test_only_known_moves_pass(trip: Trip) -> None:
    """Of all pairs of statuses, those and no others that the code knows."""
    passed, said = set(), set()
    async with db.transaction() as session:
        for before, after in product(STATUSES, STATUSES):
            await db.rows(session, "ALTER TABLE coupons DISABLE TRIGGER guard")
            await db.rows(
                session,
                "UPDATE coupons SET status = :before, check_in_sequence = 1 WHERE booking_id = :id",
                before=before,
                id=trip.id,
            )
            await db.rows(session, "ALTER TABLE coupons ENABLE TRIGGER guard")
            update = "UPDATE coupons SET status = :after WHERE booking_id = :id"
            try:
                async with session.begin_nested():
                    await db.rows(session, update, after=after, id=trip.id)
            except DBAPIError as error:
                said.add(str(error.orig))
            else:
                passed.add(before + after)
        await session.rollback()

    assert {pair for pair in passed if pair[0] != pair[1]} == MOVES
    assert all("a coupon cannot go from" in one for one in said)


async def test_what_must_not_be_is_refused(changed: Any) -> None:
    """By a constraint or a trigger, whoever asks."""
    for statement, said in REFUSED:
        with pytest.raises(Exception, match=said):
            await changed(statement)


async def test_what_may_be_is_not_refused(changed: Any) -> None:
    """The negative control."""
    for statement, statuses in PASSED:
        assert await changed(statement) == statuses


async def test_a_sequence_number_stays_with_its_coupon_and_is_no_others(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Also for who comes past the code."""
    trip = await booked(traveller, fleet, sql, adults=2)
    await trip.issued()
    await sql(
        "UPDATE coupons SET status = 'C', check_in_sequence = 1 WHERE booking_id = :id AND position = 0",
        id=trip.id,
    )

    with pytest.raises(Exception, match="only the status"):
        await sql(
            "UPDATE coupons SET check_in_sequence = 2 WHERE booking_id = :id AND position = 0", id=trip.id
        )
    with pytest.raises(Exception, match="uq_coupons_sequence_of_flight"):
        await sql(
            "UPDATE coupons SET check_in_sequence = 1 WHERE booking_id = :id AND position = 1", id=trip.id
        )


async def test_whoever_changes_a_status_leaves_a_trail(trip: Trip, sql: Any) -> None:
    """A trigger writes it, so nobody can forget to."""
    await sql("UPDATE coupons SET status = 'S' WHERE booking_id = :id", id=trip.id)
    await sql("UPDATE coupons SET changed_at = now() WHERE booking_id = :id", id=trip.id)
    events = await sql(
        "SELECT e.before, e.after FROM coupon_events e JOIN tickets t ON t.number = e.ticket_number"
        " WHERE t.booking_id = :id ORDER BY e.id",
        id=trip.id,
    )

    assert events == [{"before": None, "after": "O"}, {"before": "O", "after": "S"}]
