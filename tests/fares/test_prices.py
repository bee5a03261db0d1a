"""Prices worked out by hand, and each thing that makes them higher or lower."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.core import money
from tests.fares.support import ISSUED, facts, flat, made, packaged, price, terms, wire


def lines(priced: Any, currency: str = "USD") -> dict[str, tuple[str, dict[str, str]]]:
    """By passenger type: the fare and each tax."""
    return {
        one.type: (
            money.amount(one.base, currency),
            {tax.code: money.amount(tax.amount, currency) for tax in one.tax_lines},
        )
        for one in priced.passengers
    }


def test_new_york_to_london_on_a_wednesday_at_noon() -> None:
    """5540 km: 119.00 + 55.40 * 3.50 = 312.90; 94 % on Wednesdays, 88 % in class V: 258.83088."""
    priced = price(packaged(), facts("JFK", "LHR"))

    assert lines(priced) == {"adult": ("258.83", {"D1": "20.90"})}
    assert priced.total == 25883 + 2090


def test_a_family_across_america_in_summer() -> None:
    """3974 km: 79.00 + 39.74 * 4.30 = 249.882; 112 % in summer, 110 % on a Friday, 112 % at 18:30, 96 % far ahead,
    90 % with a connection, 94 % there and back, 94 % for 16 days, 88 % in class V: 231.64121.
    """
    agreed = terms(counts=(2, 1, 1), journey="return", stay_days=16, saturday_night=True)
    priced = price(packaged(), facts("JFK", "ORD", "ORD", "LAX", at="2027-07-02T18:30"), agreed)

    assert lines(priced) == {
        # Twice 231.64, and twice 7.5 % of it: 17.373.
        "adult": ("463.28", {"D1": "41.80", "T1": "18.00", "A1": "11.20", "US": "34.74"}),
        # 75 % of 231.64121 is 173.73091, and 7.5 % of 173.73 is 13.02975.
        "child": ("173.73", {"D1": "20.90", "T1": "9.00", "A1": "5.60", "US": "13.03"}),
        "infant": ("23.16", {}),
    }


def test_tokyo_to_sydney_in_business_in_yen() -> None:
    """7832 km: 464.10 + 78.32 * 13.65 = 1533.168; 120 % before New Year, 108 % on a Sunday, 96 % at 21:00, 110 % four
    weeks ahead, 94 % in class I, 150 yen: 295854.227.
    """
    agreed = terms(cabin="business", currency="JPY")
    priced = price(packaged(), facts("NRT", "SYD", at="2026-12-20T21:00"), agreed, brand=1)

    assert lines(priced, "JPY") == {"adult": ("295854", {"D1": "3000", "A1": "1650"})}


def test_dubai_to_london_in_first_in_dinars() -> None:
    """5498 km: 761.60 + 54.98 * 22.40 = 1993.152; 94 % on a Tuesday, 88 % at night, 175 % two days ahead, 115 % for
    Flex, 0.307 dinars: 1018.65052, and three quarters of it for a child: 763.98789.
    """
    agreed = terms(cabin="first", currency="KWD", counts=(1, 1, 0))
    priced = price(packaged(), facts("DXB", "LHR", at="2026-11-24T03:00"), agreed, brand=2)

    assert lines(priced, "KWD") == {
        "adult": ("1018.651", {"D1": "6.263"}),
        "child": ("763.988", {"D1": "6.263"}),
    }


def test_the_answer_has_every_line() -> None:
    """As it goes over the wire: 705 km, 54.00 + 7.05 * 5.60 = 93.48, 94 % and 88 % of it."""
    assert wire(price(packaged(), facts("SYD", "MEL"), terms(counts=(1, 0, 1)))) == {
        "total": {"amount": "143.06", "currency": "USD"},
        "base": {"amount": "85.06", "currency": "USD"},
        "taxes": {"amount": "58.00", "currency": "USD"},
        "passengers": [
            {
                "type": "adult",
                "count": 1,
                "base": {"amount": "77.33", "currency": "USD"},
                "taxes": {"amount": "58.00", "currency": "USD"},
                "tax_lines": [
                    {
                        "code": "D1",
                        "name": "Passenger charge on departure",
                        "amount": {"amount": "47.00", "currency": "USD"},
                    },
                    {
                        "code": "A1",
                        "name": "Passenger charge on arrival",
                        "amount": {"amount": "11.00", "currency": "USD"},
                    },
                ],
            },
            {
                "type": "infant",
                "count": 1,
                "base": {"amount": "7.73", "currency": "USD"},
                "taxes": {"amount": "0.00", "currency": "USD"},
                "tax_lines": [],
            },
        ],
    }


@pytest.mark.parametrize(
    ("day", "total"),
    [
        ("2026-12-17", 100),
        ("2026-12-18", 120),
        ("2026-12-31", 120),
        ("2027-01-01", 120),
        ("2027-01-05", 120),
        ("2027-01-06", 100),
        ("2028-02-29", 130),
        ("2027-02-28", 130),
        ("2027-03-01", 100),
    ],
)
def test_a_season_may_pass_new_year_and_hold_a_leap_day(day: str, total: int) -> None:
    """Both its days are part of it."""
    book = made(flat(seasons=[("P", "12-18", "01-05", 120, "", ""), ("L", "02-28", "02-29", 130, "", "")]))

    assert price(book, facts(at=day + "T12:00")).total == total * 100


@pytest.mark.parametrize(
    ("stops", "total"),
    [(("CDG", "LHR"), 104), (("CDG", "JFK"), 103), (("JFK", "LHR"), 102), (("JFK", "FRA"), 101)],
)
def test_a_season_of_countries_comes_before_a_general_one(stops: tuple[str, str], total: int) -> None:
    """The more countries it names, the sooner; where it begins before where it ends."""
    rows = [("A", "", ""), ("B", "", "GB"), ("C", "FR", "*"), ("D", "FR", "GB")]
    seasons = [(row[0], "01-01", "12-31", 101 + n, row[1], row[2]) for n, row in enumerate(rows)]

    assert price(made(flat(seasons=seasons)), facts(*stops)).total == total * 100


@pytest.mark.parametrize(("day", "percent"), [("2027-01-18", 98), ("2027-01-22", 110), ("2027-01-24", 108)])
def test_a_weekday_has_its_percentage(day: str, percent: int) -> None:
    """That of the departure, by the clock of the place."""
    weekdays = [(name, value) for name, value in zip(_DAYS, [98, 94, 94, 100, 110, 102, 108], strict=True)]

    assert price(made(flat(weekdays=weekdays)), facts(at=day + "T23:59")).total == percent * 100


_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@pytest.mark.parametrize(("clock", "percent"), [("00:00", 80), ("05:59", 80), ("06:00", 90), ("23:59", 90)])
def test_an_hour_has_its_percentage(clock: str, percent: int) -> None:
    """From its first minute on."""
    book = made(flat(hours=[(6, 90), (0, 80)]))

    assert price(book, facts(at=f"2027-01-20T{clock}")).total == percent * 100


@pytest.mark.parametrize(("days", "percent"), [(-1, 175), (0, 175), (3, 175), (4, 150), (90, 100), (91, 96)])
def test_who_buys_early_pays_less(days: int, percent: int) -> None:
    """By days between the issue and the departure; at the origin it may still be yesterday."""
    book = made(flat(advance=[(0, 175), (4, 150), (15, 100), (91, 96)]))
    at = (ISSUED + timedelta(days=days)).isoformat() + "T12:00"

    assert price(book, facts(at=at)).total == percent * 100


@pytest.mark.parametrize(
    ("days", "saturday_night", "percent"),
    [(4, False, 100), (4, True, 96), (5, False, 96), (13, True, 96), (14, False, 94), (0, False, 100)],
)
def test_who_stays_longer_pays_less(days: int, saturday_night: bool, percent: int) -> None:
    """For so many days or over a Saturday night, whichever is cheaper; one way there is no stay."""
    book = made(flat(stay=[(5, "yes", 96), (14, "", 94)]))
    agreed = terms(journey="return", stay_days=days, saturday_night=saturday_night)

    assert price(book, facts(), agreed).total == percent * 100
    assert price(book, facts(), terms()).total == 10_000


def test_a_journey_and_its_connections_have_percentages() -> None:
    """Of each slice; more connections than the table knows count as the most."""
    book = made(
        flat(
            journeys=[("one_way", 100), ("return", 94), ("multi_city", 97)],
            connections=[(0, 100), (1, 90)],
        )
    )
    two, three = facts("KEF", "FRA", "FRA", "AKL"), facts("KEF", "FRA", "FRA", "SYD", "SYD", "AKL")
    shapes = [price(book, facts(), terms(journey=shape)).total for shape in ("return", "multi_city")]

    assert shapes == [9400, 9700]
    assert [price(book, one).total for one in (two, three)] == [9000, 9000]


def test_percentages_may_have_two_decimals_and_are_not_rounded_on_the_way() -> None:
    """100.00 * 33.33 % * 33.33 % is 11.108889; rounded in between it would be the same, times 90.05 % not."""
    weekdays = [(name, "33.33") for name in _DAYS]
    book = made(
        flat(weekdays=weekdays, hours=[(0, "33.33")], advance=[(0, "90.05")], connections=[(0, "500")])
    )

    assert price(book, facts()).total == 5002  # 50.0177727...


def test_half_a_cent_is_rounded_up() -> None:
    """Once for each passenger, so that two pay twice what one pays."""
    book = made(flat(hours=[(0, "50.01")], fares=_of("0.50")))

    assert price(book, facts(), terms(counts=(2, 0, 0))).total == 50
    assert price(made(flat(fares=_of("0.01"), hours=[(0, 50)])), facts()).total == 1


def _of(amount: str) -> list[tuple[Any, ...]]:
    cabins = ("economy", "premium_economy", "business", "first")
    return [("*", "*", "*", cabin, "", amount, "0", "", "") for cabin in cabins]


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("USD", "75.00"), ("EUR", "69.00"), ("JPY", "11250"), ("KWD", "23.025"), ("INR", "6300.00")],
)
def test_a_fee_is_converted_like_a_fare(currency: str, amount: str) -> None:
    """75 dollars in other money."""
    brand = packaged().brand("economy", "Standard")
    assert brand is not None
    assert brand.change_fee is not None

    assert money.amount(packaged().fee(brand.change_fee, currency), currency) == amount


def test_a_book_may_be_written_in_money_without_decimals() -> None:
    """And prices in it be asked for in money with three."""
    found = flat(
        book=[("currency", "JPY")],
        currencies=[("JPY", 1, "2026-11-01", "test"), ("KWD", "0.002", "2026-11-01", "test")],
        fares=_of("15000"),
    )
    for row in found["fares"]:
        row["per_100_km"] = "0"
    book = made(found)

    assert price(book, facts(), terms(currency="JPY")).total == 15_000
    assert wire(price(book, facts(), terms(currency="KWD")), "KWD")["total"]["amount"] == "30.000"


def test_the_rate_is_stated() -> None:
    """With its day and source; none where nothing is converted."""
    assert packaged().stated_rate("USD") is None
    assert packaged().stated_rate("EUR") == {
        "base": "USD",
        "currency": "EUR",
        "rate": "0.92",
        "as_of": date(2026, 11, 1).isoformat(),
        "source": "sample",
    }


def test_a_fare_has_a_short_name() -> None:
    """Booking class, season, R for a return trip, brand."""
    book = packaged()
    light, flex = book.brands("economy")[0], book.brands("economy")[2]

    assert book.fare_basis(terms(), facts("JFK", "LHR"), "V", light) == "VLT"
    summer = facts("JFK", "LHR", at="2027-07-01T12:00")
    assert book.fare_basis(terms(journey="return", stay_days=3), summer, "Y", flex) == "YHRFX"
