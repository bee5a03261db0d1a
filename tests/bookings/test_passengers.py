"""Who may travel together, and as what."""

from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.bookings.errors import PassengersMismatch
from app.bookings.passengers import check_ages
from app.bookings.schemas import PassengerIn
from tests.support.client import Answer, Client, adult, in_days
from tests.support.fleet import Fleet, Flight


def infant(number: int = 20, **more: Any) -> dict[str, Any]:
    return adult(number, **{"type": "infant", "born_on": in_days(-200).isoformat(), **more})


def child(number: int = 10, **more: Any) -> dict[str, Any]:
    return adult(number, **{"type": "child", "born_on": in_days(-365 * 6).isoformat(), **more})


@pytest_asyncio.fixture
async def flight(fleet: Fleet) -> Flight:
    return await fleet.flight(100)


async def book(
    traveller: Client, fleet: Fleet, flight: Flight, passengers: list[dict[str, Any]], **counts: int
) -> Answer:
    """Book an offer that was made for `counts`."""
    offer = await fleet.offer(traveller, flight, **counts)
    return await traveller.book(offer["id"], passengers)


def refusal(answer: Answer) -> tuple[int, str | None, str]:
    return answer.status, answer.code, answer.body["errors"][0]["pointer"]


@pytest.mark.parametrize(
    "passengers",
    [
        [adult(1)],
        [adult(1), adult(2), adult(3)],
        [adult(1), child()],
        [adult(1), infant()],
    ],
    ids=["too few", "too many", "a child instead", "an infant instead"],
)
async def test_the_passengers_are_those_of_the_offer(
    traveller: Client, fleet: Fleet, flight: Flight, passengers: list[dict[str, Any]]
) -> None:
    """By number and by type, because the price is for them."""
    answer = await book(traveller, fleet, flight, passengers, adults=2)

    assert refusal(answer) == (422, "passengers_mismatch", "/passengers")
    assert (await fleet.counts(flight))["held"] == 0


@pytest.mark.parametrize(
    ("passengers", "code", "pointer"),
    [
        ([*map(adult, range(9)), child(9)], "too_many_passengers", "/passengers/9/type"),
        ([child(1), child(2)], "unaccompanied_minor", "/passengers/0/type"),
        ([infant(1), child(2)], "unaccompanied_minor", "/passengers/1/type"),
        ([infant(1), adult(2), infant(3)], "too_many_infants", "/passengers/2/type"),
        ([infant(1)], "too_many_infants", "/passengers/0/type"),
    ],
)
async def test_what_no_offer_is_for_is_told_as_such(
    traveller: Client, fleet: Fleet, flight: Flight, passengers: list[dict[str, Any]], code: str, pointer: str
) -> None:
    """Ten seats, children alone, more infants than laps: whatever the offer says."""
    answer = await book(traveller, fleet, flight, passengers)

    assert refusal(answer) == (422, code, pointer)


async def test_nine_with_a_seat_and_nine_on_laps_travel_together(
    traveller: Client, fleet: Fleet, flight: Flight
) -> None:
    """As many as there are."""
    people = [*map(adult, range(9)), *(infant(number) for number in range(10, 19))]

    booked = await book(traveller, fleet, flight, people, adults=9, infants=9)

    assert booked.status == 201, booked.body
    assert (await fleet.counts(flight))["held"] == 9


async def test_infants_are_given_to_adults_with_a_free_lap(
    traveller: Client, fleet: Fleet, flight: Flight
) -> None:
    """Those that name an adult first, the others in order; they take no seat."""
    people = [infant(21), adult(1), infant(22, infant_of=1), adult(2)]

    booked = await book(traveller, fleet, flight, people, adults=2, infants=2)

    assert booked.status == 201, booked.body
    assert [p["infant_of"] for p in booked.body["passengers"]] == [3, None, 1, None]
    assert (await fleet.counts(flight))["held"] == 2


@pytest.mark.parametrize(
    ("passengers", "pointer"),
    [
        ([adult(1), adult(2), infant(21, infant_of=0), infant(22, infant_of=0)], "/passengers/2/infant_of"),
        ([adult(1), adult(2), infant(21, infant_of=3), infant(22)], "/passengers/2/infant_of"),
        ([adult(1), adult(2), infant(21, infant_of=9), infant(22)], "/passengers/2/infant_of"),
        ([adult(1, infant_of=1), adult(2), infant(21), infant(22)], "/passengers/0/infant_of"),
    ],
    ids=["one lap twice", "an infant's lap", "nobody's lap", "an adult on a lap"],
)
async def test_an_infant_needs_a_lap_of_its_own(
    traveller: Client, fleet: Fleet, flight: Flight, passengers: list[dict[str, Any]], pointer: str
) -> None:
    """One adult carries one infant."""
    answer = await book(traveller, fleet, flight, passengers, adults=2, infants=2)

    assert refusal(answer) == (422, "infant_without_adult", pointer)


@pytest.mark.parametrize(
    "second",
    [{"given_name": "zoe", "family_name": "O Neill"}, {"given_name": "ZOÉ", "family_name": "o-neill"}],
)
async def test_the_same_passenger_cannot_fly_twice(
    traveller: Client, fleet: Fleet, flight: Flight, second: dict[str, str]
) -> None:
    """Judged by what is printed on the ticket and the date of birth."""
    first = adult(1, given_name="Zoé", family_name="O-Neill")

    answer = await book(traveller, fleet, flight, [first, adult(2, **second)], adults=2)

    assert refusal(answer) == (422, "duplicate_passenger", "/passengers/1/given_name")


async def test_namesakes_with_other_birthdays_fly_together(
    traveller: Client, fleet: Fleet, flight: Flight
) -> None:
    """Father and son may share a name."""
    people = [adult(1), adult(1, born_on="1960-01-01")]

    assert (await book(traveller, fleet, flight, people, adults=2)).status == 201


@pytest.mark.parametrize(
    ("kind", "born_on", "departure", "allowed"),
    [
        ("infant", date(2025, 6, 2), date(2027, 6, 1), True),
        ("infant", date(2025, 6, 1), date(2027, 6, 1), False),
        ("child", date(2025, 6, 1), date(2027, 6, 1), True),
        ("child", date(2025, 6, 2), date(2027, 6, 1), False),
        ("child", date(2015, 6, 2), date(2027, 6, 1), True),
        ("child", date(2015, 6, 1), date(2027, 6, 1), False),
        ("adult", date(2015, 6, 1), date(2027, 6, 1), True),
        ("adult", date(2015, 6, 2), date(2027, 6, 1), False),
        ("infant", date(2024, 2, 29), date(2026, 2, 28), True),
        ("infant", date(2024, 2, 29), date(2026, 3, 1), False),
        ("child", date(2016, 2, 29), date(2028, 2, 28), True),
        ("adult", date(2016, 2, 29), date(2028, 2, 29), True),
        ("infant", date(2027, 6, 1), date(2027, 6, 1), True),
        ("infant", date(2027, 6, 2), date(2027, 6, 1), False),
        ("adult", date(1900, 1, 1), date(2027, 6, 1), False),
    ],
)
def test_ages_count_on_the_day_of_the_last_departure(
    kind: str, born_on: date, departure: date, allowed: bool
) -> None:
    """To the day, with birthdays of 29 February kept on 1 March."""
    passenger = PassengerIn.model_validate(adult(type=kind, born_on=born_on))

    if allowed:
        check_ages([passenger], departure, departure)
    else:
        with pytest.raises(PassengersMismatch):
            check_ages([passenger], departure, departure)


async def test_a_child_that_turns_twelve_between_there_and_back_is_an_adult(
    traveller: Client, fleet: Fleet
) -> None:
    """The last slice's departure decides, and a refusal gives the seats back."""
    there, back = await fleet.round_trip()
    offer = await fleet.offer(traveller, there, return_date=back.day, children=1)
    birthday = back.day.replace(year=back.day.year - 12)

    answer = await traveller.book(offer["id"], [adult(1), child(born_on=birthday.isoformat())])

    assert refusal(answer) == (422, "passengers_mismatch", "/passengers/1/born_on")
    assert (await fleet.counts(there))["claimed"] == (await fleet.counts(there))["held"] == 0


async def test_an_infant_that_turns_two_between_there_and_back_is_a_child(
    traveller: Client, fleet: Fleet
) -> None:
    """And the refusal says that, rather than that the birthday is wrong."""
    there, back = await fleet.round_trip()
    offer = await fleet.offer(traveller, there, return_date=back.day, infants=1)
    birthday = back.day.replace(year=back.day.year - 2)

    answer = await traveller.book(offer["id"], [adult(1), infant(born_on=birthday.isoformat())])

    assert refusal(answer) == (422, "infant_turns_two", "/passengers/1/born_on")
    younger = birthday + timedelta(days=1)
    assert (await traveller.book(offer["id"], [adult(1), infant(born_on=younger.isoformat())])).status == 201


async def test_loyalty_numbers_are_kept(traveller: Client, fleet: Fleet, flight: Flight) -> None:
    """In capitals, one an airline."""
    numbers = [{"airline": "zz", "number": "ab12345"}, {"airline": "X0", "number": "00420042"}]

    booked = await book(traveller, fleet, flight, [adult(loyalty=numbers)])

    kept = [{"airline": "ZZ", "number": "AB12345"}, {"airline": "X0", "number": "00420042"}]
    assert booked.body["passengers"][0]["loyalty"] == kept
    again = await traveller.get(f"/bookings/{booked.body['pnr']}")
    assert again.body["passengers"][0]["loyalty"] == kept


@pytest.mark.parametrize(
    ("numbers", "pointer"),
    [
        ([{"airline": "ZZ", "number": "AB12345"}] * 2, "/passengers/0/loyalty"),
        ([{"airline": "ZZZ", "number": "AB12345"}], "/passengers/0/loyalty/0/airline"),
        ([{"airline": "ZZ", "number": "AB 12345"}], "/passengers/0/loyalty/0/number"),
        ([{"airline": "ZZ", "number": "1"}], "/passengers/0/loyalty/0/number"),
    ],
)
async def test_a_loyalty_number_has_a_form(
    traveller: Client, fleet: Fleet, flight: Flight, numbers: list[dict[str, str]], pointer: str
) -> None:
    """4 to 16 letters and digits: what a boarding pass has room for."""
    answer = await book(traveller, fleet, flight, [adult(loyalty=numbers)])

    assert refusal(answer) == (422, "validation_error", pointer)


async def test_optional_facts_are_kept(traveller: Client, fleet: Fleet, flight: Flight) -> None:
    """Title and gender, and null where they were not given."""
    people = [adult(1, title="dr", gender="x"), adult(2)]

    booked = await book(traveller, fleet, flight, people, adults=2)

    assert [(p["title"], p["gender"]) for p in booked.body["passengers"]] == [("dr", "x"), (None, None)]
    assert all(p["ticket_number"] is None for p in booked.body["passengers"])
