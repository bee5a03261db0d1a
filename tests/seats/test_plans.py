"""Every aircraft has exactly the seats that are for sale, each once, and the same ones whenever one looks."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.aircraft import service as aircraft
from app.core import tables
from app.seats import layouts
from app.seats.layouts import CABINS
from app.seats.plans import Plan, Seat, plan

TYPES = [kind.icao for kind in aircraft.every()]
capacities = st.dictionaries(st.sampled_from(CABINS), st.integers(1, 400), min_size=1)


def made(code: str | None, seats: dict[str, int]) -> Plan:
    plan.cache_clear()
    return plan(code, tuple(sorted(seats.items())))


def test_each_type_is_laid_out_once() -> None:
    """And no other; `*` is for the unknown ones."""
    listed = [icao for row in tables.read(layouts._LAYOUTS) for icao in row["types"].split()]

    assert sorted(listed) == sorted(["*", *TYPES])


@pytest.mark.parametrize("code", [*TYPES, "*", None])
def test_a_type_has_the_seats_that_it_usually_sells(code: str | None) -> None:
    """Cabin by cabin."""
    found = aircraft.find(code or "")
    seats = found.seats if found else {"economy": 150, "business": 12}

    assert {name: len(cabin.seats) for name, cabin in made(code, seats).cabins.items()} == seats


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([*TYPES, "*", "ZZZZ", None]), capacities)
def test_any_capacity_is_met_to_the_seat(code: str | None, seats: dict[str, int]) -> None:
    """With unique designators that fit the database, rows that rise through all cabins, no 13 and no I."""
    found = made(code, seats)
    rows = [row for cabin in CABINS if cabin in seats for row in found.cabins[cabin].rows]
    everything = [seat for row in rows for seat in row.seats]

    assert {name: len(cabin.seats) for name, cabin in found.cabins.items()} == seats
    assert len({seat.designator for seat in everything}) == len(everything) == len(found.seats)
    assert all(re.fullmatch(r"[1-9][0-9]{0,2}[A-HJ-Z]", seat.designator) for seat in everything)
    assert all(len(seat.block) <= 8 for seat in everything)
    numbers = [row.number for row in rows]
    assert numbers == [number for number in range(1, numbers[-1] + 1) if number != 13]
    assert all(row.seats for row in rows)
    places = [seat.place for seat in found.cabins[next(iter(seats))].seats]
    assert places == sorted(set(places))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(TYPES), capacities)
def test_a_plan_is_the_same_whenever_it_is_drawn(code: str, seats: dict[str, int]) -> None:
    """By another process as well: nothing is drawn by lot."""
    first, second = made(code, seats), made(code, dict(reversed(seats.items())))

    assert first is not second
    assert first.seats == second.seats


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(TYPES), capacities)
def test_seats_know_where_they_are(code: str, seats: dict[str, int]) -> None:
    """A seat is a window, aisle or middle seat; exits and bulkheads have legroom, and neighbours know each other."""
    for seat in made(code, seats).seats.values():
        sides = {"window", "aisle", "middle"} & set(seat.characteristics)
        assert sides in ({"window"}, {"aisle"}, {"middle"}, {"window", "aisle"})
        assert (seat.kind == "legroom") == bool({"exit_row", "bulkhead"} & set(seat.characteristics))
    for cabin in made(code, seats).cabins.values():
        for left, right in pairwise(cabin.seats):
            assert left.is_beside(right) == right.is_beside(left)
            if left.is_beside(right):
                assert (left.row, left.block) == (right.row, right.block)


def letters(seats: list[Seat]) -> str:
    return "".join(seat.designator.lstrip("0123456789") for seat in seats)


def test_an_a320_looks_as_people_know_it() -> None:
    """Three rows of business, then economy with two exits over the wing and a number missing."""
    found = made("A320", {"economy": 150, "business": 12})
    business, economy = found.cabins["business"], found.cabins["economy"]

    assert [(row.number, letters(row.seats)) for row in business.rows] == [(n, "ACDF") for n in (1, 2, 3)]
    assert {letters(row.seats) for row in economy.rows} == {"ABCDEF"}
    assert [row.number for row in economy.rows if row.seats[0].is_at_exit] == [14, 15]
    assert found.seats["4A"].characteristics == ("window", "bulkhead")
    assert found.seats["15C"].characteristics == ("aisle", "exit_row")
    assert found.seats["5B"].kind == "front"
    assert found.seats["29E"].characteristics == ("middle", "near_lavatory")
    assert found.seats["28E"].kind == "standard"


def test_a_wide_aircraft_has_bassinets_at_the_bulkhead_and_an_upper_deck() -> None:
    """Between the aisles, at the front of each cabin."""
    found = made("A388", {"economy": 360, "business": 76, "first": 14})
    bassinets = [seat for seat in found.seats.values() if "bassinet" in seat.characteristics]

    assert {letters([seat]) for seat in bassinets if seat.cabin == "economy"} == set("DEFG")
    assert all("bulkhead" in seat.characteristics for seat in bassinets)
    assert {name: cabin.deck for name, cabin in found.cabins.items()} == {
        "first": 1,
        "business": 1,
        "economy": 0,
    }


def test_a_short_row_keeps_its_windows() -> None:
    """The last of a cabin has what is left over."""
    last = made("A320", {"economy": 15}).cabins["economy"].rows[-1]

    assert letters(last.seats) == "ABF"


def test_what_is_no_aircraft_has_no_plan() -> None:
    """More rows than a designator can number."""
    assert made("A320", {"economy": 10_000_000}).cabins == {}
    assert len(made("A320", {"economy": 998 * 6}).cabins["economy"].seats) == 998 * 6
