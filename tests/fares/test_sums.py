"""Every amount adds up exactly, in every currency, for everybody, and a better product never costs less."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.airports.service import directory, distance_km
from app.core import money
from app.fares.pricing import CABINS, PASSENGER_TYPES, Quote, SliceFacts, Terms, UnknownClass
from tests.fares.support import all_terms, facts, packaged, price, slices, tables, terms

BOOK = packaged
journeys = st.lists(slices, min_size=1, max_size=4)


@given(journeys, all_terms(), st.data())
def test_lines_add_up_to_the_total_to_the_last_digit(
    journey: list[SliceFacts], agreed: Terms, data: st.DataObject
) -> None:
    """Inside, and as the decimals that a customer adds up: totals, slices, passengers, taxes."""
    brand = data.draw(st.sampled_from(BOOK().brands(agreed.cabin)))
    letter = data.draw(st.sampled_from(BOOK().classes(agreed.cabin)))
    parts = tuple(BOOK().price(agreed, one, letter, brand) for one in journey)
    quote = Quote(agreed.currency, parts)
    wire = quote.wire()

    assert quote.total == quote.base + quote.taxes == sum(part.total for part in parts)
    assert [line["type"] for line in wire["passengers"]] == [
        kind for kind, count in zip(PASSENGER_TYPES, agreed.counts, strict=True) if count
    ]
    total = Decimal(wire["total"]["amount"])
    assert total == Decimal(wire["base"]["amount"]) + Decimal(wire["taxes"]["amount"])
    assert total == sum(
        Decimal(line["base"]["amount"]) + sum(Decimal(tax["amount"]["amount"]) for tax in line["tax_lines"])
        for line in wire["passengers"]
    )
    for line in wire["passengers"]:
        assert Decimal(line["taxes"]["amount"]) == sum(
            Decimal(tax["amount"]["amount"]) for tax in line["tax_lines"]
        )
        codes = [tax["code"] for tax in line["tax_lines"]]
        assert len(codes) == len(set(codes))
        assert all(Decimal(tax["amount"]["amount"]) > 0 for tax in line["tax_lines"])
    decimals = money.exponent(agreed.currency)
    assert len(wire["total"]["amount"].partition(".")[2]) == decimals


@given(slices, all_terms())
def test_everybody_of_one_type_pays_what_they_pay_alone(one: SliceFacts, agreed: Terms) -> None:
    """A line is one passenger's amounts times their number."""
    for line in price(BOOK(), one, agreed).passengers:
        counts = tuple(int(kind == line.type) for kind in PASSENGER_TYPES)
        alone = terms(**{name: getattr(agreed, name) for name in Terms.__slots__} | {"counts": counts})
        (single,) = price(BOOK(), one, alone).passengers

        assert line.base == single.base * line.count
        assert [tax.amount for tax in line.tax_lines] == [tax.amount * line.count for tax in single.tax_lines]


@given(journeys, all_terms(), st.data())
def test_parts_times_their_count_are_the_price(
    journey: list[SliceFacts], agreed: Terms, data: st.DataObject
) -> None:
    """Slice by slice, line by line: what is given back of a part of a trip is what that part cost."""
    brand = data.draw(st.sampled_from(BOOK().brands(agreed.cabin)))
    letter = data.draw(st.sampled_from(BOOK().classes(agreed.cabin)))
    quote = Quote(agreed.currency, tuple(BOOK().price(agreed, one, letter, brand) for one in journey))
    parts = quote.parts()
    everybody = [line for one in parts for line in one]

    assert len(parts) == len(journey)
    assert quote.base == sum(line["count"] * line["base"] for line in everybody)
    assert quote.taxes == sum(line["count"] * tax[2] for line in everybody for tax in line["taxes"])
    for one, priced in zip(parts, quote.slices, strict=True):
        for part, line in zip(one, priced.passengers, strict=True):
            assert (part["type"], part["count"] * part["base"]) == (line.type, line.base)
            assert [
                (code, name, part["count"] * amount, refundable)
                for code, name, amount, refundable in part["taxes"]
            ] == list(line.tax_lines)


@given(slices, all_terms())
def test_a_better_brand_or_class_never_costs_less(one: SliceFacts, agreed: Terms) -> None:
    """And nothing is below nought."""
    brands, letters = BOOK().brands(agreed.cabin), BOOK().classes(agreed.cabin)
    by_brand = [BOOK().price(agreed, one, letters[0], brand).total for brand in brands]
    by_class = [BOOK().price(agreed, one, letter, brands[0]).total for letter in letters]

    assert by_brand[0] > 0
    assert by_brand == sorted(by_brand)
    assert by_class == sorted(by_class, reverse=True)


@given(slices, all_terms())
def test_a_better_cabin_never_costs_less(one: SliceFacts, agreed: Terms) -> None:
    """From economy to first, in the lowest class of each, in the brand called Standard."""
    same = {name: getattr(agreed, name) for name in Terms.__slots__}
    totals = [price(BOOK(), one, terms(**same | {"cabin": cabin}), brand=1).total for cabin in CABINS]

    assert totals == sorted(totals)


@given(slices, all_terms())
def test_a_fare_is_what_the_tables_say(one: SliceFacts, agreed: Terms) -> None:
    """Worked out here from the text of the tables, in fractions, without any of the product's code."""
    filed = tables()
    day, (adults, _, _) = one.departs_local.date(), agreed.counts
    fare = _filed_fare(filed, one, agreed.cabin)
    weekday = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][day.weekday()]
    factors: list[Any] = [
        next(row["percent"] for row in filed["weekdays"] if row["weekday"] == weekday),
        _step(filed["hours"], "from_hour", one.departs_local.hour),
        _step(filed["advance"], "days", (day - agreed.issued_on).days),
        _step(filed["connections"], "connections", len(one.stops) // 2 - 1),
        next(row["percent"] for row in filed["journeys"] if row["journey"] == agreed.journey),
        next(row["percent"] for row in filed["classes"] if row["class"] == BOOK().classes(agreed.cabin)[-1]),
        next(row["percent"] for row in filed["brands"] if row["cabin"] == agreed.cabin),
    ]
    if (6, 15) <= (day.month, day.day) <= (8, 31):
        factors.append("112")
    if (day.month, day.day) >= (12, 18) or (day.month, day.day) <= (1, 5):
        factors.append("120")
    if agreed.stay_days is not None:
        stays = [100, 94 if agreed.stay_days >= 14 else 100]
        stays.append(96 if agreed.stay_days >= 5 or agreed.saturday_night else 100)
        factors.append(min(stays))
    for factor in factors:
        fare *= Fraction(factor) / 100
    rate = next(row["rate"] for row in filed["currencies"] if row["currency"] == agreed.currency)
    exact = fare * Fraction(rate) * 10 ** money.exponent(agreed.currency)
    adult = price(BOOK(), one, agreed).passengers[0]

    assert adult.base == adults * int(exact + Fraction(1, 2))


def _filed_fare(filed: dict[str, Any], one: SliceFacts, cabin: str) -> Fraction:
    origin, destination = (directory().find(code) for code in (one.stops[0], one.stops[-1]))
    km = round(distance_km(origin.latitude, origin.longitude, destination.latitude, destination.longitude))
    row = next(
        row for row in filed["fares"] if row["cabin"] == cabin and km <= int(row["up_to_km"] or 99_999)
    )
    return Fraction(row["amount"]) + Fraction(row["per_100_km"]) * km / 100


def _step(rows: list[dict[str, str]], column: str, value: int) -> str:
    below = [row for row in rows if int(row[column]) <= max(value, 0)]
    return max(below, key=lambda row: int(row[column]))["percent"]


@given(slices, all_terms())
def test_a_total_is_what_its_lines_come_to(one: SliceFacts, agreed: Terms) -> None:
    """Worked out by itself, for those who compare many; remembered and not."""
    book = BOOK()
    brands, letter = book.brands(agreed.cabin), book.classes(agreed.cabin)[0]
    book._totals.clear()

    totals = [book.totals(agreed, one, letter, brands) for _ in range(2)]

    assert totals == [tuple(book.price(agreed, one, letter, brand).total for brand in brands)] * 2


def test_only_so_many_totals_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with what people ask."""
    monkeypatch.setattr("app.fares.pricing._MOST_REMEMBERED", 10)
    book = BOOK()
    for remembered in (book._totals, book._markets, book._taxed):
        remembered.clear()
    brands, letter = book.brands("economy"), book.classes("economy")[0]
    for hour in range(24):
        for day in range(10, 30):
            book.totals(terms(), facts("JFK", "LHR", at=f"2027-03-{day}T{hour:02}:00"), letter, brands)

    assert len(book._totals) <= 10
    assert len(book._markets) <= 10
    assert len(book._taxed) <= 10


def test_airports_that_were_read_again_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One may have moved, or belong to another city."""
    book = BOOK()
    before = price(book, facts("JFK", "LHR")).total
    moved = type(directory())([*directory().by_iata.values()])
    london = moved.by_iata["LHR"]
    moved.by_iata["LHR"] = type(london)(
        **{f: getattr(london, f) for f in london.__dataclass_fields__} | {"latitude": 0.0}
    )
    monkeypatch.setattr(book, "_places", lambda: moved)
    after = price(book, facts("JFK", "LHR")).total
    monkeypatch.undo()

    assert before != after
    assert price(book, facts("JFK", "LHR")).total == before


def test_a_class_that_was_taken_out_is_found_out() -> None:
    """By whoever has an offer in it."""
    light = BOOK().brands("economy")[0]
    for letter in ("J", "Z", ""):
        with pytest.raises(UnknownClass):
            BOOK().price(terms(), facts("JFK", "LHR"), letter, light)

    assert BOOK().brand("economy", "Lite") is None
    assert BOOK().brand("cargo", "Light") is None


def test_every_cabin_has_classes_and_three_brands() -> None:
    """In the packaged book."""
    assert [len(BOOK().classes(cabin)) for cabin in CABINS] == [6, 3, 4, 2]
    assert all(len(BOOK().brands(cabin)) == 3 for cabin in CABINS)
    assert date.fromisoformat("2026-11-01") == BOOK().currencies["JPY"].as_of
