"""Two people must never sit in the same place."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from app.core import db
from app.seats import repository, service
from app.seats.errors import SeatTaken
from tests.seats.support import A320, Row, assign, at_once, claim, wants
from tests.support.fleet import Fleet, Flight

RIVALS = 200


async def rivals(flight: Flight, count: int = RIVALS) -> list[Row]:
    """Claims of one seat each, made at once."""
    return await at_once(claim(flight) for _ in range(count))


async def attempt(claimed: Row, seat: str = "8A") -> str:
    try:
        await assign(claimed, wants(seat))
    except SeatTaken:
        return "taken"
    return "mine"


async def sitters(sql: Any, flight: Flight, seat: str = "8A") -> int:
    [row] = await sql(
        "SELECT count(*) FROM seat_assignments WHERE flight_id = :id AND seat = :seat AND released_at IS NULL",
        id=flight.id,
        seat=seat,
    )
    counted: int = row["count"]
    return counted


async def test_one_of_two_hundred_gets_the_seat(fleet: Fleet, sql: Any) -> None:
    """Each in a transaction of its own; everybody else is told that it is taken."""
    flight = await fleet.flight(RIVALS)
    claims = await rivals(flight)

    outcomes = await at_once(map(attempt, claims))

    assert Counter(outcomes) == {"mine": 1, "taken": RIVALS - 1}
    assert await sitters(sql, flight) == 1


async def test_the_index_alone_lets_one_win(fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock only keeps people from waiting for each other in a circle."""
    flight = await fleet.flight(60)
    claims = await rivals(flight, 60)

    async def nothing(*_: Any) -> None: ...

    monkeypatch.setattr(repository, "lock", nothing)
    outcomes = await at_once(map(attempt, claims))

    assert Counter(outcomes) == {"mine": 1, "taken": 59}
    assert await sitters(sql, flight) == 1


async def test_the_race_would_seat_several_if_nothing_guarded_it(
    fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: without the index, a look before the act lets more than one sit down."""
    flight = await fleet.flight(60)
    claims = await rivals(flight, 20)

    async def nothing(*_: Any) -> None: ...

    async def look_then_sit(session: db.Session, claimed: Row, *_: Any) -> list[Row]:
        if await repository.taken(session, [claimed["flight_id"]]):
            return []
        await asyncio.sleep(0.02)
        return await db.rows(
            session,
            "INSERT INTO seat_assignments (flight_id, seat, claim_id, position) VALUES (:flight, '8A', :claim, 0)"
            " RETURNING position, seat",
            flight=claimed["flight_id"],
            claim=claimed["claim_id"],
        )

    monkeypatch.setattr(repository, "lock", nothing)
    monkeypatch.setattr(repository, "take", look_then_sit)
    [index] = await sql("SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_seat_assignments_seat'")
    await sql("DROP INDEX uq_seat_assignments_seat")
    try:
        outcomes = await at_once(map(attempt, claims))
        assert Counter(outcomes)["mine"] > 1
    finally:
        await sql("DELETE FROM seat_assignments WHERE flight_id = :id", id=flight.id)
        await sql(index["indexdef"])


async def test_the_database_itself_refuses_a_second_sitter(fleet: Fleet, sql: Any) -> None:
    """Whatever the code does; and a second seat for a passenger, a second infant in a block, a seat called 13I."""
    flight = await fleet.flight()
    one, other = await claim(flight), await claim(flight)
    insert = (
        "INSERT INTO seat_assignments (flight_id, claim_id, seat, position, infant_block)"
        " VALUES (:flight, :claim, :seat, 0, :block)"
    )
    await sql(insert, flight=flight.id, claim=one["claim_id"], seat="4A", block="4ABC")

    for seat, block, who, refused in (
        ("4A", None, other, "uq_seat_assignments_seat"),
        ("4D", None, one, "uq_seat_assignments_passenger"),
        ("4B", "4ABC", other, "uq_seat_assignments_infant"),
        ("13I", None, other, "seat_shape"),
    ):
        with pytest.raises(Exception, match=refused):
            await sql(insert, flight=flight.id, claim=who["claim_id"], seat=seat, block=block)


async def test_people_who_change_places_do_not_wait_for_each_other(fleet: Fleet, sql: Any) -> None:
    """Each wants the other's seat, again and again: refused, never stuck, and nobody loses what they have."""
    flight = await fleet.flight(20)
    one, other = await claim(flight), await claim(flight)
    assert await assign(one, wants("4A")) == {0: "4A"}
    assert await assign(other, wants("4B")) == {0: "4B"}

    outcomes = await at_once(attempt(*pair) for pair in ((one, "4B"), (other, "4A")) * 10)

    assert set(outcomes) == {"taken"}
    assert (await sitters(sql, flight, "4A"), await sitters(sql, flight, "4B")) == (1, 1)


async def test_families_who_want_the_same_row_all_end(fleet: Fleet, sql: Any) -> None:
    """In whatever order they name its seats, one family has all of it."""
    flight = await fleet.flight(60)
    families = await at_once(claim(flight, 3) for _ in range(20))
    orders = [("8A", "8B", "8C"), ("8C", "8B", "8A"), ("8B", "8C", "8A")]

    async def sit(number: int) -> list[str]:
        """The seats that were lost to others."""
        wanted = [wants(seat, index) for index, seat in enumerate(orders[number % 3])]
        try:
            await assign(families[number], *wanted)
        except SeatTaken as refused:
            return sorted(refused.members["seats"])
        return []

    lost = await at_once(map(sit, range(20)))

    assert sorted(lost) == [[], *[["8A", "8B", "8C"]] * 19]
    async with db.transaction() as session:
        assert len(await repository.taken(session, [flight.id])) == 3


async def test_who_is_refused_can_choose_again_in_the_same_transaction(fleet: Fleet) -> None:
    """The seat that they had is still theirs, and the database goes on."""
    flight = await fleet.flight(30)
    one, pair = await claim(flight), await claim(flight, 2)
    await assign(one, wants("4A"))
    await assign(pair, wants("5A"), wants("5B", 1))

    async with db.transaction() as session:
        with pytest.raises(SeatTaken):
            await service.assign(session, pair, A320, [wants("5C"), wants("4A", 1)])
        kept = await service.of_claims(session, [pair["claim_id"]])
        moved = await service.assign(session, pair, A320, [wants("4B", 1)])

    assert [row["seat"] for row in kept] == ["5A", "5B"]
    assert [(row["position"], row["seat"]) for row in moved] == [(1, "4B")]
