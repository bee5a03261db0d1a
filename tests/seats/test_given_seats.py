"""Who chooses no seat is given one: together where possible, children beside an adult, standard seats first."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.seats import choosing, sitting
from app.seats.errors import SeatNotAllowed
from app.seats.plans import plan
from app.seats.sitting import Traveller
from tests.seats.support import assign, at_once, check_in, claim, seated, someone, wants
from tests.support.fleet import Fleet

PLAN = plan("A320", (("business", 12), ("economy", 60)))
CABIN = PLAN.cabins["economy"]
ALL = {seat.designator for seat in CABIN.seats}


def chosen(travellers: list[Traveller], free: set[str], **companions: Traveller) -> dict[int, str]:
    wanted = choosing.choose(CABIN, travellers, ALL - free, set(), companions)
    assert {one.seat for one in wanted} <= free
    sitting.seats(PLAN, "economy", wanted)
    return {one.position: one.seat for one in wanted}


def test_somebody_alone_gets_a_standard_seat() -> None:
    """While there is one; then a dearer one."""
    assert PLAN.seats[chosen([someone(0)], ALL)[0]].kind == "standard"
    assert chosen([someone(0)], {"4A", "5B"}) == {0: "4A"}


def test_a_family_sits_in_a_row_with_each_child_beside_an_adult() -> None:
    """Across the aisle is not beside."""
    family = [someone(0), someone(1), someone(2, "child"), someone(3, "child")]

    seats = {position: PLAN.seats[seat] for position, seat in chosen(family, ALL).items()}

    assert len({seat.row for seat in seats.values()}) == 1
    for child in (2, 3):
        assert any(seats[child].is_beside(seats[adult]) for adult in (0, 1))


def test_a_child_is_beside_an_adult_who_sits_already() -> None:
    """Though seats further in front are free."""
    assert chosen([someone(1, "child")], {"6A", "9C", "10B"}, **{"10A": someone(0)}) == {1: "10B"}


def test_who_cannot_sit_together_sits_apart() -> None:
    """Where the only stretch of seats is at an exit, the child sits elsewhere."""
    exits = {row.number for row in CABIN.rows if row.seats[0].is_at_exit}
    at_exit = {f"{number}{letter}" for number in exits for letter in "AB"}

    given = chosen([someone(0), someone(1, "child")], at_exit | {"11F"})

    assert given[1] == "11F"


def test_where_no_seat_will_do_nobody_is_seated() -> None:
    """A child alone with an exit row."""
    exits = {seat.designator for seat in CABIN.seats if seat.is_at_exit}

    with pytest.raises(SeatNotAllowed, match="desk"):
        chosen([someone(0), someone(1, "child")], exits)


parties = st.lists(
    st.tuples(st.sampled_from(["adult", "child"]), st.booleans(), st.booleans()), min_size=1, max_size=9
).map(
    lambda people: [
        someone(position, kind, carries_infant=carries and kind == "adult", needs_assistance=needs)
        for position, (kind, carries, needs) in enumerate(people)
    ]
)


@settings(max_examples=40, deadline=None)
@given(parties, st.sets(st.sampled_from(sorted(ALL)), min_size=9))
def test_everybody_sits_where_they_may_or_nobody_does(party: list[Traveller], free: set[str]) -> None:
    """Each in a seat of their own; refused only if too few seats are for those who have the least choice."""
    plain = {seat for seat in free if not PLAN.seats[seat].is_at_exit}
    carriers = sum(one.carries_infant for one in party)
    bound = sum(not one.may_sit_at_exits for one in party)
    fits = carriers <= len({PLAN.seats[seat].block for seat in plain}) and bound <= len(plain)
    if not fits:
        with pytest.raises(SeatNotAllowed):
            chosen(party, free)
        return

    given = chosen(party, free)

    assert given.keys() == {one.position for one in party}
    assert len(set(given.values())) == len(party)


async def test_many_who_check_in_at_once_all_sit(fleet: Fleet) -> None:
    """Thirty couples on sixty seats: nobody stands, nobody sits twice, and all couples sit together."""
    flight = await fleet.flight(60)
    couples = await at_once(claim(flight, 2) for _ in range(30))

    given = await at_once(check_in(one, [someone(0), someone(1)]) for one in couples)

    seats = [seat for one in given for seat in one.values()]
    assert (len(seats), len(set(seats))) == (60, 60)
    assert set(seats) == ALL
    assert all(PLAN.seats[one[0]].row == PLAN.seats[one[1]].row for one in given)


async def test_who_chose_keeps_the_seat(fleet: Fleet) -> None:
    """The others are put beside them; infants get none."""
    claimed = await claim(await fleet.flight(60), 2)
    await assign(claimed, wants("10A", carries_infant=True))

    given = await check_in(
        claimed, [someone(0, carries_infant=True), someone(1, "child"), someone(2, "infant")]
    )

    assert given == {1: "10B"}
    assert await seated(claimed) == {(claimed["claim_id"], 0): "10A", (claimed["claim_id"], 1): "10B"}
    assert await check_in(claimed, [someone(0, carries_infant=True), someone(1, "child")]) == {}
