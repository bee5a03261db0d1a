"""Journeys put together and ordered: the same as by trying everything."""

from itertools import pairwise, product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.offers.ranking import MOST_LISTED, Option, ranked
from app.timetable.engine import Segment

SORTS = ["best", "price", "duration", "departure"]


def flight(number: int, departs: int, minutes: int, offset: int = 0) -> Segment:
    return Segment(number, "ZZ", "AAA", "BBB", departs, departs + minutes, offset, 0, "A320")


@st.composite
def an_option(draw: st.DrawFn, earliest: int) -> Option:
    departs = draw(st.integers(earliest, earliest + 2880))
    offset = draw(st.sampled_from([-480, 0, 345, 840]))
    segments = [flight(draw(st.integers(1, 10**9)), departs, draw(st.integers(30, 900)), offset)]
    if draw(st.booleans()):
        segments.append(
            flight(draw(st.integers(1, 10**9)), segments[0].arrives + 60, draw(st.integers(30, 300)))
        )
    light = draw(st.integers(100, 5000))
    return Option(tuple(segments), "K", (light, light + 100, light + 500))


questions = st.lists(st.lists(an_option(100_000), max_size=6), min_size=1, max_size=3)


def elapsed(options: tuple[Option, ...]) -> int:
    return sum(one.segments[-1].arrives - one.segments[0].departs for one in options)


def at_night(one: Option) -> bool:
    first = one.segments[0]
    return not 6 * 60 <= (first.departs + first.departs_offset) % 1440 < 22 * 60


def by_trying_everything(slices: list[list[Option]], sort: str, most: int | None) -> list[Any]:
    """The documented order, worked out journey by journey."""
    journeys = [
        chosen
        for chosen in product(*slices)
        if all(b.segments[0].departs > a.segments[-1].arrives for a, b in pairwise(chosen))
    ]
    priced = [
        (chosen, brand, sum(one.prices[brand] for one in chosen)) for chosen in journeys for brand in range(3)
    ]
    if not priced:
        return []
    cheapest, shortest = min(total for *_, total in priced), min(map(elapsed, journeys))

    def key(one: Any) -> Any:
        chosen, _, total = one
        departs = chosen[0].segments[0].departs
        score = {
            "price": total,
            "duration": elapsed(chosen),
            "departure": departs,
            "best": 1000 * total // cheapest
            + 500 * elapsed(chosen) // shortest
            + 60 * sum(len(option.segments) - 1 for option in chosen)
            + 100 * sum(map(at_night, chosen)),
        }[sort]
        return score, total, departs

    return [key(one) for one in sorted(priced, key=key) if most is None or one[2] <= most]


@given(questions, st.sampled_from(SORTS), st.none() | st.integers(300, 9000))
def test_the_order_is_the_documented_one(slices: list[list[Option]], sort: str, most: int | None) -> None:
    """For one slice and for several, with a highest price and without."""
    found = ranked(slices, sort, most)

    expected = by_trying_everything(slices, sort, most)
    cheapest = min((one.total for one in ranked(slices, "price", None)), default=1)
    shortest = min((elapsed(one.options) for one in ranked(slices, "duration", None)), default=1)
    keys = []
    for one in found:
        departs = one.options[0].segments[0].departs
        score = {
            "price": one.total,
            "duration": elapsed(one.options),
            "departure": departs,
            "best": 1000 * one.total // cheapest
            + 500 * elapsed(one.options) // shortest
            + 60 * sum(len(option.segments) - 1 for option in one.options)
            + 100 * sum(map(at_night, one.options)),
        }[sort]
        keys.append((score, one.total, departs))
    assert keys == expected[:MOST_LISTED]


@given(questions, st.sampled_from(SORTS))
def test_a_total_is_the_sum_of_what_its_slices_cost(slices: list[list[Option]], sort: str) -> None:
    """In the brand that it names."""
    for one in ranked(slices, sort, None):
        assert one.total == sum(option.prices[one.brand] for option in one.options)


@given(questions)
def test_nobody_leaves_before_having_arrived(slices: list[list[Option]]) -> None:
    """Whatever is put together."""
    for one in ranked(slices, "best", None):
        for earlier, later in zip(one.options, one.options[1:], strict=False):
            assert later.segments[0].departs > earlier.segments[-1].arrives


def test_six_slices_of_many_flights_are_ordered_in_bounded_work() -> None:
    """Not every one of 200 to the sixth journeys is looked at, but the cheapest is found."""
    slices = [
        [
            Option(
                (flight(n + 1, 100_000 + day * 4000 + n * 7, 60 + n),), "K", (1000 + n, 1100 + n, 1500 + n)
            )
            for n in range(200)
        ]
        for day in range(6)
    ]

    found = ranked(slices, "price", None)

    assert len(found) == MOST_LISTED
    assert found[0].total == 6000
