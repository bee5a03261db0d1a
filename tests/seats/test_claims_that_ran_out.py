"""A hold that ran out frees its seats at that moment, with every worker down."""

from typing import Any

import pytest

from app.seats.errors import SeatNotAllowed, SeatTaken
from tests.seats.support import assign, check_in, claim, run_out, seated, someone, wants
from tests.support.fleet import Fleet


async def test_others_can_have_its_seat(fleet: Fleet, sql: Any) -> None:
    """The row of who sat there is released by whoever sits down next."""
    flight = await fleet.flight(150)
    late, next_one, third = [await claim(flight) for _ in range(3)]
    await assign(late, wants("20A"))
    with pytest.raises(SeatTaken):
        await assign(next_one, wants("20A"))
    await run_out(sql, late)

    assert await seated(late) == {}
    assert await assign(next_one, wants("20A")) == {0: "20A"}
    with pytest.raises(SeatTaken):
        await assign(third, wants("20A"))
    rows = await sql(
        "SELECT claim_id, released_at IS NULL AS kept FROM seat_assignments WHERE flight_id = :id ORDER BY id",
        id=flight.id,
    )
    assert [(row["claim_id"], row["kept"]) for row in rows] == [
        (late["claim_id"], False),
        (next_one["claim_id"], True),
    ]


async def test_its_infant_is_gone_too(fleet: Fleet, sql: Any) -> None:
    """Another one may sit in the same block, if on another seat."""
    flight = await fleet.flight(150)
    late, other = await claim(flight), await claim(flight)
    await assign(late, wants("20A", carries_infant=True))
    await run_out(sql, late)

    assert await assign(other, wants("20B", carries_infant=True)) == {0: "20B"}


async def test_a_claim_that_was_given_back_is_as_dead(fleet: Fleet, sql: Any) -> None:
    """Whether or not anybody gave up its seats."""
    flight = await fleet.flight(150)
    gone, other = await claim(flight), await claim(flight)
    await assign(gone, wants("20A"))
    await sql("UPDATE seat_claims SET released_at = now() WHERE id = :id", id=gone["claim_id"])

    assert await assign(other, wants("20A")) == {0: "20A"}


async def test_who_has_no_claim_any_more_gets_no_seat(fleet: Fleet, sql: Any) -> None:
    """Neither chosen nor given."""
    late = await claim(await fleet.flight(150))
    await run_out(sql, late)

    with pytest.raises(SeatNotAllowed, match="no claim"):
        await assign(late, wants("20A"))
    with pytest.raises(SeatNotAllowed, match="no claim"):
        await check_in(late, [someone(0)])


async def test_what_was_bought_stays(fleet: Fleet, sql: Any) -> None:
    """A claim without an end keeps its seats."""
    flight = await fleet.flight(150)
    bought, other = await claim(flight), await claim(flight)
    await assign(bought, wants("20A"))
    await sql("UPDATE seat_claims SET expires_at = NULL WHERE id = :id", id=bought["claim_id"])

    with pytest.raises(SeatTaken):
        await assign(other, wants("20A"))
