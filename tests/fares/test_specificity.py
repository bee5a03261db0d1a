"""Which filed fare is for a slice: the most specific one."""

from typing import Any

import pytest

from app.fares.pricing import CABINS
from tests.fares.support import facts, flat, made, price


def filed(*rows: tuple[Any, ...]) -> Any:
    """A book where any slice costs 100.00, and 900.00 in other cabins, with these fares of economy besides."""
    always = [
        ("*", "*", "*", cabin, "", "100" if cabin == "economy" else "900", "0", "", "") for cabin in CABINS
    ]
    return made(flat(fares=[*always, *rows]))


def fare(
    carrier: str, origin: str, destination: str, amount: int, km: Any = "", first: str = "", last: str = ""
) -> tuple[Any, ...]:
    return carrier, origin, destination, "economy", km, amount, "0", first, last


LADDER = [
    ("*", "*", "GB", 101),
    ("*", "US", "*", 102),
    ("*", "US", "GB", 103),
    ("*", "NYC", "GB", 104),
    ("*", "NYC", "LON", 105),
    ("*", "JFK", "LON", 106),
    ("*", "JFK", "LHR", 107),
    ("ZZ", "*", "*", 108),
    ("ZZ", "US", "GB", 109),
    ("ZZ", "NYC", "LON", 110),
    ("ZZ", "JFK", "LHR", 111),
]


@pytest.mark.parametrize("known", range(len(LADDER) + 1))
def test_the_most_specific_fare_is_taken(known: int) -> None:
    """Airports, cities, countries, distance; any fare of the carrier itself before those of all carriers."""
    book = filed(*(fare(*row) for row in reversed(LADDER[:known])))

    assert price(book, facts("JFK", "LHR", airline="ZZ")).total == (100 + known) * 100


def test_fares_of_others_are_not_taken() -> None:
    """Another carrier, airport, city, country, direction."""
    book = filed(*(fare(*row) for row in LADDER))

    assert price(book, facts("JFK", "LHR", airline="BA")).total == 10_700
    assert price(book, facts("JFK", "LGW", airline="BA")).total == 10_600
    assert price(book, facts("EWR", "LGW", airline="BA")).total == 10_500
    assert price(book, facts("LAX", "LHR", airline="BA")).total == 10_300
    assert price(book, facts("LAX", "CDG", airline="BA")).total == 10_200
    assert price(book, facts("CDG", "LHR", airline="BA")).total == 10_100
    assert price(book, facts("LHR", "JFK", airline="BA")).total == 10_000
    assert price(book, facts("LHR", "JFK", airline="ZZ")).total == 10_800


def test_connections_are_priced_from_end_to_end() -> None:
    """By the airports where the slice begins and ends, and the carrier of its first flight."""
    book = filed(fare("ZZ", "JFK", "CDG", 150), fare("*", "JFK", "LHR", 160))

    assert price(book, facts("JFK", "LHR", "LHR", "CDG", airline="ZZ")).total == 15_000


def test_a_code_that_is_an_airport_and_a_city_means_the_airport() -> None:
    """As everywhere: IST is Istanbul's new airport, and SAW another one of the city IST."""
    book = filed(fare("*", "IST", "LHR", 150))

    assert price(book, facts("IST", "LHR")).total == 15_000
    assert price(book, facts("SAW", "LHR")).total == 10_000


@pytest.mark.parametrize(("destination", "total"), [("ORD", 120), ("LAX", 140), ("LHR", 150)])
def test_bands_go_by_the_distance_of_the_ends(destination: str, total: int) -> None:
    """1188 km, 3974 km, 5540 km; a band holds its last kilometre."""
    book = filed(
        fare("*", "US", "*", 150), fare("*", "US", "*", 140, km=3974), fare("*", "US", "*", 120, km=1200)
    )

    assert price(book, facts("JFK", destination)).total == total * 100


def test_a_kilometre_more_than_the_band_is_the_next_band() -> None:
    """And none of a specific fare's bands leads to a less specific fare."""
    book = filed(fare("*", "JFK", "LAX", 140, km=3973))

    assert price(book, facts("JFK", "LAX")).total == 10_000


def test_each_hundred_kilometres_cost_more() -> None:
    """To the kilometre: 10.00 and 39.74 times 2.00."""
    row = ("*", "JFK", "LAX", "economy", "", "10.00", "2.00", "", "")

    assert price(filed(row), facts("JFK", "LAX")).total == 8948


@pytest.mark.parametrize(
    ("day", "total"),
    [
        ("2027-02-28", 150),
        ("2027-03-01", 120),
        ("2027-03-31", 120),
        ("2027-04-01", 150),
        ("2027-05-31", 150),
        ("2027-06-01", 170),
    ],
)
def test_a_fare_for_some_days_comes_before_one_for_all(day: str, total: int) -> None:
    """Days of departure, both included; of two that are for a day, the one that begins later."""
    book = filed(
        fare("*", "JFK", "LHR", 150),
        fare("*", "JFK", "LHR", 170, first="2027-06-01"),
        fare("*", "JFK", "LHR", 120, first="2027-03-01", last="2027-03-31"),
    )

    assert price(book, facts("JFK", "LHR", at=day + "T12:00")).total == total * 100


def test_a_fare_that_is_over_gives_way_to_a_less_specific_one() -> None:
    """There is always one for any distance."""
    book = filed(fare("*", "JFK", "LHR", 150, last="2026-12-31"))

    assert price(book, facts("JFK", "LHR")).total == 10_000
