"""Fares: every amount adds up exactly, in every currency, for everybody."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import money
from app.offers import fares
from app.offers.fares import PricedFlight, Quote
from app.offers.token import CABINS

TABLE = fares.table()
CURRENCIES = sorted(TABLE.currencies)
TODAY = date(2026, 11, 22)
COUNTRIES = ["US", "GB", "AU", "DE", "JP", "AE", "IS", "SG"]
flights = st.builds(
    PricedFlight,
    distance_km=st.integers(1, 20_000),
    departs_local=st.datetimes(datetime(2026, 11, 22), datetime(2027, 11, 18)),  # noqa: DTZ001  A clock reading.
    origin_country=st.sampled_from(COUNTRIES),
    destination_country=st.sampled_from(COUNTRIES),
)
one_way = flights.map(lambda flight: [[flight]])
itineraries = st.lists(st.lists(flights, min_size=1, max_size=3), min_size=1, max_size=2)
counts = st.tuples(st.integers(1, 9), st.integers(0, 8), st.integers(0, 9))
cabins = st.sampled_from(CABINS)


def quote(
    slices: list[list[PricedFlight]],
    cabin: str = "economy",
    brand: int = 0,
    counts: tuple[int, int, int] = (1, 0, 0),
    currency: str = "USD",
) -> Quote:
    return TABLE.quote(slices, cabin, TABLE.brands(cabin)[brand], counts, TODAY, currency)


def flight(
    km: int = 1000, day: str = "2027-01-20", hour: int = 12, origin: str = "IS", to: str = "IS"
) -> PricedFlight:
    """By default an ordinary one: a Wednesday at noon, two months ahead, default taxes."""
    return PricedFlight(km, datetime.fromisoformat(f"{day}T{hour:02}:00"), origin, to)


@given(itineraries, cabins, st.data(), counts, st.sampled_from(CURRENCIES))
def test_lines_add_up_to_the_total_to_the_last_digit(
    slices: list[list[PricedFlight]],
    cabin: str,
    data: st.DataObject,
    counts: tuple[int, int, int],
    currency: str,
) -> None:
    """Inside, and as the decimals that a customer adds up."""
    brand = data.draw(st.integers(0, len(TABLE.brands(cabin)) - 1))
    priced = quote(slices, cabin, brand, counts, currency)
    wire = priced.wire()

    assert (
        priced.total
        == priced.base + priced.taxes
        == sum(line.base + line.taxes for line in priced.passengers)
    )
    lines = [Decimal(line[part]["amount"]) for line in wire["passengers"] for part in ("base", "taxes")]
    assert Decimal(wire["total"]["amount"]) == sum(lines)
    assert Decimal(wire["total"]["amount"]) == Decimal(wire["base"]["amount"]) + Decimal(
        wire["taxes"]["amount"]
    )
    assert [line["count"] for line in wire["passengers"]] == [count for count in counts if count]
    assert {line[part]["currency"] for line in wire["passengers"] for part in ("base", "taxes")} == {currency}


@given(itineraries, cabins, counts, st.sampled_from(CURRENCIES))
def test_everybody_of_one_type_pays_the_same(
    slices: list[list[PricedFlight]], cabin: str, counts: tuple[int, int, int], currency: str
) -> None:
    """A line is one passenger's amount times their number, and that amount is what they pay alone."""
    alone = dict.fromkeys(fares.PASSENGER_TYPES, (0, 0, 0))
    for place, kind in enumerate(fares.PASSENGER_TYPES):
        alone[kind] = tuple(int(place == other) for other in range(3))  # type: ignore[assignment]
    for line in quote(slices, cabin, 0, counts, currency).passengers:
        (single,) = quote(slices, cabin, 0, alone[line.type], currency).passengers
        assert (line.base, line.taxes) == (single.base * line.count, single.taxes * line.count)


@given(itineraries, cabins, counts, st.sampled_from(CURRENCIES))
def test_a_better_brand_never_costs_less(
    slices: list[list[PricedFlight]], cabin: str, counts: tuple[int, int, int], currency: str
) -> None:
    """Brands are filed cheapest first."""
    totals = [quote(slices, cabin, i, counts, currency).total for i in range(len(TABLE.brands(cabin)))]

    assert totals == sorted(totals)


@given(itineraries, counts, st.sampled_from(CURRENCIES))
def test_a_better_cabin_never_costs_less(
    slices: list[list[PricedFlight]], counts: tuple[int, int, int], currency: str
) -> None:
    """From economy to first, each in its lowest brand."""
    totals = [quote(slices, cabin, 0, counts, currency).total for cabin in CABINS]

    assert totals == sorted(totals)


@given(itineraries, cabins, counts, st.integers(0, 2))
def test_one_more_passenger_never_costs_less(
    slices: list[list[PricedFlight]], cabin: str, counts: tuple[int, int, int], kind: int
) -> None:
    """Of whatever type."""
    more = tuple(count + (place == kind) for place, count in enumerate(counts))

    assert quote(slices, cabin, 0, more).total >= quote(slices, cabin, 0, counts).total  # type: ignore[arg-type]


def test_children_pay_three_quarters_and_infants_a_tenth_without_taxes() -> None:
    """Of the adult's fare; a child pays airport charges like anybody with a seat."""
    adult, child, infant = quote([[flight()]], counts=(1, 1, 1)).passengers

    assert (adult.type, child.type, infant.type) == ("adult", "child", "infant")
    assert child.base == money.share(adult.base, 75, 100)
    assert infant.base == money.share(adult.base, 10, 100)
    assert adult.taxes == child.taxes > 0
    assert infant.taxes == 0


def test_a_fare_worked_out_by_hand() -> None:
    """54.00 + 5.60 for each 100 km, on a Wednesday at noon 59 days ahead."""
    priced = quote([[flight(km=1000)]])

    assert priced.base == money.share(money.share(5400 + 10 * 560, 94, 100), 100, 100)
    assert priced.taxes == 1850 + 450


@given(st.lists(flights, min_size=2, max_size=2), cabins)
def test_there_and_back_together_is_cheaper_than_apart(two: list[PricedFlight], cabin: str) -> None:
    """By the round trip's share of the fare; taxes are the same."""
    there, back = two
    apart = [quote([[one]], cabin) for one in two]
    together = quote([[there], [back]], cabin)

    assert together.taxes == sum(one.taxes for one in apart)
    assert together.base == money.share(sum(one.base for one in apart), 94, 100)


def test_two_flights_of_one_slice_are_no_round_trip() -> None:
    """A connection is priced as the sum of its flights."""
    one = quote([[flight()]])

    assert quote([[flight(), flight()]]).base == 2 * one.base


@given(itineraries, cabins, counts)
def test_yen_have_no_decimals_and_dinars_three(
    slices: list[list[PricedFlight]], cabin: str, counts: tuple[int, int, int]
) -> None:
    """Each passenger's amount is converted once, to within half of the smallest coin."""
    dollars, yen, dinars = (quote(slices, cabin, 0, counts, currency) for currency in ("USD", "JPY", "KWD"))
    for usd, jpy, kwd in zip(dollars.passengers, yen.passengers, dinars.passengers, strict=True):
        each = Decimal(usd.base / usd.count) / 100
        assert abs(Decimal(jpy.base // jpy.count) - each * 150) <= Decimal("0.5")
        assert abs(Decimal(kwd.base // kwd.count) / 1000 - each * Decimal("0.307")) <= Decimal("0.0005")
    assert "." not in yen.wire()["total"]["amount"]
    assert len(dinars.wire()["total"]["amount"].partition(".")[2]) == 3


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("USD", "75.00"), ("EUR", "69.00"), ("JPY", "11250"), ("KWD", "23.025"), ("INR", "6300.00")],
)
def test_a_fee_is_converted_like_a_fare(currency: str, amount: str) -> None:
    """75 dollars in other money."""
    assert money.amount(TABLE.fee(7500, currency), currency) == amount


@given(flights, cabins)
def test_the_price_of_a_day_is_one_price(one: PricedFlight, cabin: str) -> None:
    """Asked twice, it is the same; it depends on nothing but what it is given."""
    assert quote([[one]], cabin) == quote([[one]], cabin)


def test_last_minute_is_dearer_than_early() -> None:
    """The nearer the departure, the dearer, on the same weekday and hour."""
    days = ["2026-11-25", "2026-12-02", "2026-12-09", "2027-01-20", "2027-03-03"]
    bases = [quote([[flight(day=day)]]).base for day in days]

    assert {date.fromisoformat(day).weekday() for day in days} == {2}
    assert bases == sorted(bases, reverse=True)
    assert len(set(bases)) == len(bases)


def test_a_departure_before_the_day_of_issue_still_has_a_price() -> None:
    """At the origin it may already be tomorrow, or still be yesterday."""
    yesterday = flight(day=str(TODAY - timedelta(days=1)))

    assert quote([[yesterday]]).total > 0


def test_every_cabin_has_brands_and_unknown_ones_are_none() -> None:
    """A brand that was withdrawn is found out when its offer is booked."""
    assert all(TABLE.brands(cabin) for cabin in CABINS)
    assert TABLE.brand("economy", "Flex") is not None
    assert TABLE.brand("economy", "Platinum") is None
    assert TABLE.brand("cargo", "Flex") is None
