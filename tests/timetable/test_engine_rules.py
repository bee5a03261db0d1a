"""Which flights become one itinerary, and which itineraries are shown."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from app.rules.kinds import Book
from app.timetable.connections import CONNECTIONS
from app.timetable.engine import Segment, Wish, itineraries
from app.timetable.places import Places
from tests.timetable.brute import Flight
from tests.timetable.worlds import directory, flight, made_of, minimum_time, policy, rules_with, wish

DAY = date(2026, 11, 10)
FAR_ROUND = policy(detour_slack_km=20_000)


def segments(flights: Sequence[Flight], asked: Wish, book: Book | None = None) -> list[tuple[Segment, ...]]:
    days = [asked.day + timedelta(days=number) for number in range(-1, 4)]
    made = [made_of(day, [one for one in flights if one.day == day]) for day in days]
    rules = CONNECTIONS.build(book or rules_with())
    return itineraries(made, asked, rules, Places.of(directory()))


def shown(flights: Sequence[Flight], asked: Wish, book: Book | None = None) -> list[tuple[int, ...]]:
    return [tuple(segment.id for segment in one) for one in segments(flights, asked, book)]


def with_rows(*rows: Mapping[str, str]) -> Book:
    return rules_with(minimum_times=[*CONNECTIONS.packaged().tables["minimum_times"], *rows])


def via_london(
    leaves: str, arriving: str = "", departing: str = "", from_airport: str = "LHR"
) -> list[Flight]:
    """Edinburgh to London at 09:00, landing at 10:30, and London to Madrid."""
    return [
        flight(1, "BA", "EDI", "LHR", "2026-11-10T09:00", 90, arrival_terminal=arriving),
        flight(2, "BA", from_airport, "MAD", f"2026-11-10T{leaves}", 150, departure_terminal=departing),
    ]


def test_a_connection_takes_the_minimum_and_not_a_minute_less() -> None:
    """From a domestic flight to an international one: 75 minutes."""
    asked = wish("EDI", "MAD", DAY)

    assert shown(via_london("11:45"), asked) == [(1, 2)]
    assert shown(via_london("11:44"), asked) == []


def test_another_terminal_takes_longer() -> None:
    asked = wish("EDI", "MAD", DAY)

    assert shown(via_london("12:14", "3", "4"), asked) == []
    assert shown(via_london("12:15", "3", "4"), asked) == [(1, 2)]
    assert shown(via_london("11:45", "3", ""), asked) == [(1, 2)]


def test_a_row_for_two_terminals_needs_no_more_for_changing_them() -> None:
    """Heathrow's from 2 to 5 is 90 minutes, and 60 within terminal 2."""
    asked = wish("EDI", "MAD", DAY)

    assert shown(via_london("12:00", "2", "5"), asked) == [(1, 2)]
    assert shown(via_london("11:59", "2", "5"), asked) == []
    assert shown(via_london("11:30", "2", "2"), asked) == [(1, 2)]


def test_travellers_change_airport_within_a_city_when_there_is_time() -> None:
    """From Heathrow to Gatwick it takes 150 minutes, from anywhere else to another airport 210."""
    asked = wish("EDI", "MAD", DAY)
    back = [
        flight(1, "BA", "EDI", "LGW", "2026-11-10T09:00", 90),
        flight(2, "BA", "LHR", "MAD", "2026-11-10T13:59", 150),
    ]

    assert shown(via_london("13:00", from_airport="LGW"), asked) == [(1, 2)]
    assert shown(via_london("12:59", from_airport="LGW"), asked) == []
    assert shown(back, asked) == []


def test_a_domestic_connection_of_more_than_four_hours_is_a_stopover() -> None:
    flights = [
        flight(1, "AA", "JFK", "LAX", "2026-11-10T08:00", 360),
        flight(2, "AA", "LAX", "SFO", "2026-11-10T15:00", 80),
        flight(3, "AA", "LAX", "SFO", "2026-11-10T15:01", 80),
    ]

    assert shown(flights[:2], wish("JFK", "SFO", DAY)) == [(1, 2)]
    assert shown([flights[0], flights[2]], wish("JFK", "SFO", DAY)) == []


def test_an_overtaking_flight_that_would_wait_too_long_does_not_hide_the_slow_one() -> None:
    """It leaves later and lands earlier, and yet only the slow one still connects."""
    flights = [
        flight(1, "AA", "JFK", "LAX", "2026-11-10T08:00", 480),
        flight(2, "AA", "JFK", "LAX", "2026-11-10T08:30", 360),
        flight(3, "AA", "LAX", "SFO", "2026-11-10T16:30", 80),
    ]

    assert shown(flights, wish("JFK", "SFO", DAY)) == [(1, 3)]


def test_airlines_connect_with_themselves_their_alliance_and_their_partners() -> None:
    def onward(carrier: str, **tables: Sequence[Mapping[str, str]]) -> list[tuple[int, ...]]:
        flights = [
            flight(1, "BA", "EDI", "LHR", "2026-11-10T09:00", 90),
            flight(2, carrier, "LHR", "MAD", "2026-11-10T13:00", 150),
        ]
        return shown(flights, wish("EDI", "MAD", DAY), rules_with(**tables))

    assert onward("BA") == onward("IB") == [(1, 2)]
    assert onward("LH") == onward("ZZ") == []
    assert onward("ZZ", interline=[{"carrier": "ZZ", "partner": "BA"}]) == [(1, 2)]
    assert onward("ZZ", interline=[{"carrier": "BA", "partner": "*"}]) == [(1, 2)]
    assert onward("ZZ", interline=[{"carrier": "LH", "partner": "*"}]) == []


def test_no_city_is_passed_twice() -> None:
    """Not by another of its airports either."""
    flights = [
        flight(1, "BA", "LHR", "CDG", "2026-11-10T08:00", 80),
        flight(2, "BA", "CDG", "LGW", "2026-11-10T12:00", 80),
        flight(3, "BA", "LGW", "MAD", "2026-11-10T16:00", 150),
        flight(4, "BA", "CDG", "MAD", "2026-11-10T14:00", 120),
    ]

    assert shown(flights, wish("LHR", "MAD", DAY), rules_with(policy=FAR_ROUND)) == [(1, 4)]


def test_nobody_is_flown_too_far_round() -> None:
    """New York is not on the way from London to Madrid."""
    flights = [
        flight(1, "BA", "LHR", "JFK", "2026-11-10T08:00", 480),
        flight(2, "IB", "JFK", "MAD", "2026-11-10T18:00", 420),
    ]

    assert shown(flights, wish("LHR", "MAD", DAY)) == []
    assert shown(flights, wish("LHR", "MAD", DAY), rules_with(policy=FAR_ROUND)) == [(1, 2)]


def test_an_onward_flight_may_leave_on_an_earlier_date() -> None:
    """From Apia to Pago Pago is from one day to the day before."""
    flights = [
        flight(1, "ZZ", "APW", "PPG", "2026-11-10T08:00", 50),
        flight(2, "ZZ", "PPG", "HNL", "2026-11-09T23:00", 320),
    ]

    [found] = segments(flights, wish("APW", "HNL", DAY))

    assert [segment.id for segment in found] == [1, 2]
    assert flights[1].day < DAY
    assert found[1].departs > found[0].arrives


def test_minimum_times_go_by_the_date_of_the_onward_flight() -> None:
    late = [
        flight(1, "BA", "EDI", "LHR", "2026-11-10T22:00", 90),
        flight(2, "BA", "LHR", "MAD", "2026-11-11T00:50", 150),
    ]

    def on(day: str) -> list[tuple[int, ...]]:
        row = minimum_time(airport="LHR", minutes="240", valid_from=day, valid_to=day)
        return shown(late, wish("EDI", "MAD", DAY), with_rows(row))

    assert on("2026-11-10") == [(1, 2)]
    assert on("2026-11-11") == []


def test_an_itinerary_that_leaves_earlier_and_arrives_later_is_not_shown() -> None:
    """Unless other airlines fly it, or fewer connections make it worth while."""
    direct, fast, slow = [
        flight(1, "BA", "EDI", "MAD", "2026-11-10T08:00", 1000),
        via_london("12:00"),
        [
            flight(3, "BA", "EDI", "LHR", "2026-11-10T08:00", 90),
            flight(4, "BA", "LHR", "MAD", "2026-11-10T13:00", 150),
        ],
    ]
    other = flight(5, "IB", "LHR", "MAD", "2026-11-10T13:00", 150)

    found = shown([direct, *fast, *slow, other], wish("EDI", "MAD", DAY))

    assert found == [(1, 2), (1, 5), (1,)]


def test_of_equal_itineraries_the_one_with_the_smallest_ids_stays() -> None:
    flights = via_london("12:00")
    twin = flight(9, "BA", "LGW", "MAD", "2026-11-10T14:00", 30)
    again = flight(7, "BA", "LHR", "MAD", "2026-11-10T12:00", 150)

    assert shown([again, twin, *flights], wish("EDI", "MAD", DAY)) == [(1, 2)]


def test_the_first_flights_id_counts_before_the_seconds() -> None:
    """Over Paris it is 1 and 9, over London 2 and 3, at the same times."""
    flights = [
        flight(1, "BA", "EDI", "CDG", "2026-11-10T09:00", 90),
        flight(9, "BA", "CDG", "MAD", "2026-11-10T14:00", 120),
        flight(2, "BA", "EDI", "LHR", "2026-11-10T09:00", 90),
        flight(3, "BA", "LHR", "MAD", "2026-11-10T12:00", 180),
    ]

    assert shown(flights, wish("EDI", "MAD", DAY)) == [(1, 9)]


def test_sales_that_have_closed_leave_the_later_flights() -> None:
    flights = [flight(n, "BA", "EDI", "MAD", f"2026-11-10T{n:02}:00", 180) for n in (8, 9)]

    asked = wish("EDI", "MAD", DAY, not_before=flights[0].departs + 1)

    assert shown(flights, asked) == [(9,)]


def test_direct_flights_pass_no_airport_that_one_could_ask_for_or_avoid() -> None:
    flights = [*via_london("12:00"), flight(3, "BA", "EDI", "MAD", "2026-11-10T08:00", 180)]

    assert shown(flights, wish("EDI", "MAD", DAY, via=frozenset({"CDG"}))) == [(3,)]
    assert shown(flights, wish("EDI", "MAD", DAY, via=frozenset({"LHR"}))) == [(3,), (1, 2)]
    assert shown(flights, wish("EDI", "MAD", DAY, avoid=frozenset({"LHR"}))) == [(3,)]


def test_times_of_day_are_those_of_the_clocks_at_the_airports() -> None:
    """09:00 in Edinburgh, and 15:30 in Madrid."""
    flights = via_london("12:00")

    def at(**between: tuple[int, int]) -> list[tuple[int, ...]]:
        return shown(flights, wish("EDI", "MAD", DAY, **between))

    assert at(departs_between=(540, 540), arrives_between=(930, 930)) == [(1, 2)]
    assert at(departs_between=(541, 1439)) == at(arrives_between=(0, 929)) == []


def test_an_airport_that_nobody_knows_is_not_flown_to() -> None:
    flights = [
        flight(1, "BA", "EDI", "QQQ", "2026-11-10T08:00", 60),
        flight(2, "BA", "QQQ", "MAD", "2026-11-10T12:00", 60),
    ]

    assert shown(flights, wish("EDI", "MAD", DAY)) == []
    assert shown(flights, wish("EDI", "QQQ", DAY)) == []


def test_a_segment_says_when_where_and_with_whom() -> None:
    [(segment,)] = segments([flight(1, "BA", "EDI", "MAD", "2026-11-10T08:00", 180)], wish("EDI", "MAD", DAY))

    assert (segment.carrier, segment.origin, segment.destination, segment.aircraft) == (
        "BA",
        "EDI",
        "MAD",
        "320",
    )
    assert segment.arrives - segment.departs == 180
    assert (segment.departs_offset, segment.arrives_offset) == (0, 60)
    assert {type(value) for value in segment} == {int, str}
