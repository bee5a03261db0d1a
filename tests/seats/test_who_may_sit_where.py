"""Exit rows are for those who can open them, and one spare oxygen mask is for one infant."""

import pytest

from app.core import db
from app.core.errors import AppError
from app.seats import service
from app.seats.errors import SeatNotAllowed, SeatNotFound, SeatTaken
from app.seats.sitting import Wanted
from tests.seats.support import A320, assign, claim, seated, wants
from tests.support.fleet import Fleet

# Of an A320 with 150 seats in economy: business to row 3, exits in rows 14 and 15.
REFUSED = [
    ("a child at an exit", [wants("14A", kind="child")], SeatNotAllowed),
    ("an infant's adult at an exit", [wants("15F", carries_infant=True)], SeatNotAllowed),
    ("who needs assistance at an exit", [wants("14C", needs_assistance=True)], SeatNotAllowed),
    ("a seat in another cabin", [wants("2A")], SeatNotAllowed),
    ("a seat for an infant", [wants("20A", kind="infant")], SeatNotAllowed),
    (
        "two infants in one block",
        [wants("20A", carries_infant=True), wants("20C", 1, carries_infant=True)],
        SeatNotAllowed,
    ),
    ("two seats for one", [wants("20A"), wants("20B")], SeatNotAllowed),
    ("a row that there is not", [wants("13A")], SeatNotFound),
    ("a letter that there is not", [wants("20G")], SeatNotFound),
    ("what is no seat", [wants("Ω")], SeatNotFound),
    ("one seat for two", [wants("20A"), wants("20A", 1)], SeatTaken),
]


@pytest.mark.parametrize(("what", "wanted", "error"), REFUSED, ids=[what for what, *_ in REFUSED])
async def test_refused(fleet: Fleet, what: str, wanted: list[Wanted], error: type[AppError]) -> None:
    """And nobody is seated by it."""
    flight = await fleet.flight(150)
    claimed = await claim(flight, 2)

    with pytest.raises(error):
        await assign(claimed, *wanted)

    assert await seated(claimed) == {}


async def test_allowed(fleet: Fleet) -> None:
    """An adult at an exit, a child and somebody who needs assistance elsewhere, infants with an aisle between them."""
    claimed = await claim(await fleet.flight(150), 5)

    given = await assign(
        claimed,
        wants("14A"),
        wants("16a", 1, "child"),
        wants("4C", 2, needs_assistance=True),
        wants("20C", 3, carries_infant=True),
        wants("20D", 4, carries_infant=True),
    )

    assert given == {0: "14A", 1: "16A", 2: "4C", 3: "20C", 4: "20D"}


async def test_somebody_elses_infant_counts(fleet: Fleet) -> None:
    """Until they move away."""
    flight = await fleet.flight(150)
    one, other = await claim(flight), await claim(flight)
    await assign(one, wants("20A", carries_infant=True))

    with pytest.raises(SeatNotAllowed, match="oxygen"):
        await assign(other, wants("20C", carries_infant=True))
    assert await assign(other, wants("20C")) == {0: "20C"}
    await assign(one, wants("21A", carries_infant=True))
    assert await assign(other, wants("20B", carries_infant=True)) == {0: "20B"}


async def test_who_moves_leaves_the_seat_to_others(fleet: Fleet) -> None:
    """And has one seat, whichever they asked for before."""
    flight = await fleet.flight(150)
    one, other = await claim(flight), await claim(flight)
    await assign(one, wants("20A"))
    await assign(one, wants("21A"))

    assert await assign(other, wants("20A")) == {0: "20A"}
    assert await assign(one, wants("21A")) == {0: "21A"}
    assert sorted((await seated(one, other)).values()) == ["20A", "21A"]


async def test_two_of_one_booking_swap_their_seats(fleet: Fleet) -> None:
    """In one call."""
    pair = await claim(await fleet.flight(150), 2)
    await assign(pair, wants("20A"), wants("20B", 1))

    assert await assign(pair, wants("20B"), wants("20A", 1)) == {0: "20B", 1: "20A"}


async def test_seats_are_given_up_with_the_claim_or_one_by_one(fleet: Fleet) -> None:
    """Twice is once."""
    flight = await fleet.flight(150)
    pair, other = await claim(flight, 2), await claim(flight, 2)
    await assign(pair, wants("20A"), wants("20B", 1))

    for _ in range(2):
        async with db.transaction() as session:
            await service.release(session, [pair["claim_id"]], [1])
    assert await seated(pair) == {(pair["claim_id"], 0): "20A"}
    async with db.transaction() as session:
        await service.release(session, [pair["claim_id"]])

    assert await assign(other, wants("20A"), wants("20B", 1)) == {0: "20A", 1: "20B"}


async def test_a_claim_of_another_flight_seats_nobody_here(fleet: Fleet) -> None:
    """A claim is for the seats of its own flight."""
    here, there = await fleet.flight(30), await fleet.flight(30)
    mixed = await claim(there) | {"flight_id": here.id}

    with pytest.raises(SeatNotAllowed, match="no claim"):
        await assign(mixed, wants("4A"))


async def test_looking_takes_nothing(fleet: Fleet) -> None:
    """`find` says what `assign` would, and refuses what others have."""
    flight = await fleet.flight(30)
    claimed = await claim(flight)
    async with db.transaction() as session:
        [seat] = await service.find(session, flight.id, A320, "economy", [wants("5A")])
    assert (seat.designator, seat.kind) == ("5A", "standard")
    await assign(claimed, wants("5A"))

    async with db.transaction() as session:
        with pytest.raises(SeatTaken):
            await service.find(session, flight.id, A320, "economy", [wants("5A")])
