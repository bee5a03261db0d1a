"""What operators rule on connections: which row decides, who connects with whom, and what is refused."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.airlines import service as airlines
from app.core import tables
from app.rules.errors import RulesRefused
from app.rules.kinds import Book
from app.timetable import codes
from app.timetable.connections import CONNECTIONS, ConnectionRules
from app.timetable.minimums import Array
from tests.timetable.worlds import CARRIERS, DATES, REGIONS, minimum_time, policy, rules_with, world

DAY = date(2026, 11, 10)
PLAIN = CONNECTIONS.packaged().tables["minimum_times"]


def with_rows(*rows: Mapping[str, str]) -> ConnectionRules:
    return CONNECTIONS.build(rules_with(minimum_times=[*PLAIN[:5], *rows]))


def at_heathrow(rules: ConnectionRules, day: date = DAY) -> int:
    """From a domestic British Airways flight at terminal 5 to an international one of Iberia at terminal 3."""
    return rules.minimum(("LHR", "LHR"), (True, False), ("5", "3"), ("BA", "IB"), day)


@pytest.mark.parametrize(
    ("airports", "domestic", "terminals", "minutes"),
    [
        (("MAD", "MAD"), (True, True), (None, None), 45),
        (("MAD", "MAD"), (True, False), (None, "4"), 75),
        (("MAD", "MAD"), (False, True), ("4", "4"), 75),
        (("MAD", "MAD"), (False, False), ("4", "2"), 105),
        (("LHR", "LHR"), (True, True), ("2", "2"), 60),
        (("LHR", "LHR"), (False, False), ("2", "5"), 90),
        (("LHR", "LHR"), (False, False), ("5", "2"), 105),
        (("LHR", "LGW"), (False, False), ("5", "N"), 150),
        (("LGW", "LHR"), (False, False), ("N", "5"), 210),
    ],
)
def test_the_packaged_minimum_times(
    airports: tuple[str, str],
    domestic: tuple[bool, bool],
    terminals: tuple[str | None, str | None],
    minutes: int,
) -> None:
    rules = CONNECTIONS.build(CONNECTIONS.packaged())

    assert rules.minimum(airports, domestic, terminals, ("BA", "BA"), DAY) == minutes


def test_the_row_that_names_more_decides() -> None:
    """Each of these goes before the ones above it, whatever order they are in."""
    rising = [
        minimum_time(minutes="101", from_status="D", to_status="I", valid_from="2026-01-01"),
        minimum_time(
            minutes="102", from_status="D", to_status="I", valid_from="2026-01-01", valid_to="2026-12-31"
        ),
        minimum_time(minutes="103", from_terminal="5"),
        minimum_time(minutes="104", from_terminal="5", to_terminal="3"),
        minimum_time(minutes="105", outbound_carrier="IB"),
        minimum_time(minutes="106", airport="LHR", from_status="D"),
        minimum_time(minutes="107", airport="LHR", to_terminal="3"),
        minimum_time(minutes="108", airport="LHR", inbound_carrier="BA"),
        minimum_time(minutes="109", airport="LHR", inbound_carrier="BA", outbound_carrier="IB"),
    ]
    for number in range(1, len(rising) + 1):
        names_a_terminal = rising[number - 1]["from_terminal"] or rising[number - 1]["to_terminal"]
        expected = 100 + number + (0 if names_a_terminal else 30)

        assert at_heathrow(with_rows(*rising[:number])) == expected
        assert at_heathrow(with_rows(*reversed(rising[:number]))) == expected


def test_of_rows_that_name_as_much_the_longer_time_decides() -> None:
    one = minimum_time(airport="LHR", from_terminal="5", minutes="80")
    other = minimum_time(airport="LHR", to_terminal="3", minutes="85")

    assert at_heathrow(with_rows(one, other)) == at_heathrow(with_rows(other, one)) == 85


def test_a_row_is_for_its_dates_the_first_and_the_last_included() -> None:
    rules = with_rows(
        minimum_time(airport="LHR", minutes="200", valid_from="2026-11-10", valid_to="2026-11-12"),
        minimum_time(airport="LHR", from_terminal="5", minutes="190", valid_from="2026-11-12"),
    )

    found = [at_heathrow(rules, DAY + timedelta(days=number)) for number in range(-1, 4)]

    assert found == [105, 230, 230, 190, 190]


def pairs(chance: Random, count: int, rules: ConnectionRules) -> Sequence[tuple[Array, Array] | Array]:
    """Columns of pairs of flights at a few airports."""

    def packed(values: Sequence[str]) -> tuple[Array, Array]:
        return tuple(np.array([codes.pack(value) for value in chance.choices(values, k=count)]) for _ in "12")

    airports = packed(["LHR", "LGW", "MAD", *REGIONS[1]])
    same = np.array(chance.choices([True, False], k=count))
    domestic = tuple(np.array(chance.choices([True, False], k=count)) for _ in "12")
    days = [day + timedelta(days=number) for day in DATES for number in range(-2, 4)]
    period = np.array([rules.minimums.period(day) for day in chance.choices(days, k=count)])
    return (
        (airports[0], np.where(same, *airports)),
        domestic,
        packed(["", "1", "2"]),
        packed(CARRIERS),
        period,
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_many_pairs_at_once_need_what_each_needs(seed: int) -> None:
    chance = Random(seed)
    rules = CONNECTIONS.build(world(chance, 1).book)
    columns = pairs(chance, 200, rules)

    together = rules.minimums.of_many(*columns).tolist()

    flat = [column.tolist() for one in columns for column in (one if isinstance(one, tuple) else (one,))]
    each = [
        rules.minimums.of_one((a, b), (c, d), (e, f), (g, h), period)
        for a, b, c, d, e, f, g, h, period in zip(*flat, strict=True)
    ]
    assert together == each


def allowed(rules: ConnectionRules) -> dict[tuple[str, str], bool]:
    every = [*CARRIERS, "IB", "SK"]
    one, two = zip(*product(every, every), strict=True)
    a, b = (np.array([codes.pack(carrier) for carrier in carriers]) for carriers in (one, two))
    found = rules.allowed(a, b)
    shares = (rules.circle[b] & rules.reach[a]) != 0
    assert not (found & ~shares).any(), "a quick look must not leave out what is allowed"
    return dict(zip(zip(one, two, strict=True), found.tolist(), strict=True))


@pytest.mark.parametrize(
    ("interline", "pair", "expected"),
    [
        ([], ("BA", "IB"), True),
        ([], ("BA", "LH"), False),
        ([], ("ZZ", "YY"), False),
        ([("ZZ", "YY")], ("ZZ", "YY"), True),
        ([("ZZ", "YY")], ("ZZ", "BA"), False),
        ([("ZZ", "*")], ("BA", "ZZ"), True),
        ([("*", "ZZ")], ("YY", "LH"), False),
        ([("*", "*")], ("YY", "LH"), True),
    ],
)
def test_carriers_connect_both_ways_or_not_at_all(
    interline: list[tuple[str, str]], pair: tuple[str, str], expected: bool
) -> None:
    rows = [{"carrier": one, "partner": two} for one, two in interline]
    found = allowed(CONNECTIONS.build(rules_with(interline=rows)))

    assert found[pair] is found[pair[::-1]] is expected
    assert all(found[one, one] for one in CARRIERS)


def test_the_members_of_alliances_are_airlines_that_fly() -> None:
    rules = CONNECTIONS.build(CONNECTIONS.packaged())
    known = {row["iata"] for row in tables.read(airlines._PACKAGED)}

    assert set(rules.alliances) == {"oneworld", "skyteam", "star_alliance"}
    assert all(members <= known for members in rules.alliances.values())
    assert "BA" in rules.alliance_of("oneworld")
    assert rules.alliance_of("no_such_alliance") == frozenset()


def faults(**changed: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    with pytest.raises(RulesRefused) as refused:
        CONNECTIONS.build(rules_with(**changed))
    return [(fault["pointer"], fault["code"]) for fault in refused.value.errors or []]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ({"minutes": "soon"}, "minutes", "not_in_range"),
        ({"minutes": "-5"}, "minutes", "not_in_range"),
        ({"minutes": "1441"}, "minutes", "not_in_range"),
        ({"from_status": "X"}, "from_status", "unknown_status"),
        ({"airport": "LHRR"}, "airport", "not_a_code"),
        ({"inbound_carrier": "B A"}, "inbound_carrier", "not_a_code"),
        ({"to_terminal": "2/3"}, "to_terminal", "not_a_code"),
        ({"valid_from": "soon"}, "valid_from", "not_a_date"),
        ({"valid_from": "2026-02-30"}, "valid_from", "not_a_date"),
        ({"valid_from": "2026-12-02", "valid_to": "2026-12-01"}, "valid_to", "contradiction"),
        ({"to_airport": "MAD"}, "to_airport", "contradiction"),
    ],
)
def test_a_row_that_makes_no_sense_is_pointed_at(row: dict[str, str], column: str, code: str) -> None:
    rows = [*PLAIN, minimum_time(**{"airport": "MAD", "minutes": "60"} | row)]

    assert faults(minimum_times=rows) == [(f"/tables/minimum_times/{len(PLAIN)}/{column}", code)]


def test_two_rows_for_the_same_connections_are_refused() -> None:
    """However `any` is written."""
    twin = minimum_time(from_status="D", to_status="D", minutes="50")

    assert faults(minimum_times=[*PLAIN, twin]) == [
        (f"/tables/minimum_times/{len(PLAIN)}/airport", "duplicate")
    ]


def test_every_connection_must_have_a_minimum() -> None:
    assert faults(minimum_times=PLAIN[1:]) == [("/tables/minimum_times", "missing")]
    assert len(faults(minimum_times=PLAIN[:4])) == 4


def test_the_policy_names_everything_once_and_within_bounds() -> None:
    rows = policy(detour_percent=99, longest_journey_hours=49)

    assert faults(policy=[*rows[1:], rows[2], {"name": "luck", "value": "1"}]) == [
        ("/tables/policy/2/value", "not_in_range"),
        ("/tables/policy/4/value", "not_in_range"),
        ("/tables/policy/6/name", "duplicate"),
        ("/tables/policy/7/name", "unknown_name"),
        ("/tables/policy", "missing"),
    ]


def test_an_airline_is_in_one_alliance() -> None:
    rows = [("BA", "oneworld"), ("BA", "skyteam"), ("", "oneworld"), ("AF", "Sky Team")]

    assert faults(alliances=[{"carrier": carrier, "alliance": name} for carrier, name in rows]) == [
        ("/tables/alliances/1/carrier", "duplicate"),
        ("/tables/alliances/2/carrier", "missing"),
        ("/tables/alliances/3/alliance", "not_a_name"),
    ]


def test_partners_are_two_and_named_once() -> None:
    rows = [("BA", "ZZ"), ("ZZ", "BA"), ("AF", "AF"), ("AFAF", "BA")]

    assert faults(interline=[{"carrier": one, "partner": two} for one, two in rows]) == [
        ("/tables/interline/1/partner", "duplicate"),
        ("/tables/interline/2/partner", "contradiction"),
        ("/tables/interline/3/carrier", "not_a_code"),
    ]


def test_an_empty_book_is_refused_and_not_a_crash() -> None:
    with pytest.raises(RulesRefused):
        CONNECTIONS.build(Book(1, {}))
