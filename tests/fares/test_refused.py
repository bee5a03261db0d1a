"""Fares that make no sense are refused, each with a pointer at the cell to change."""

from typing import Any

import pytest

from app.fares.pricing import CABINS
from app.rules.errors import RulesRefused
from tests.fares.support import made, more, packaged, tables

FARE = ("ZZ", "JFK", "LHR", "economy", "", "10.00", "1.00", "", "")
SEASON = ("S", "03-01", "03-31", 110, "", "")
BRAND = ("first", "Best", "BE", 200, "", "", 1, 1, "yes")
TAX = ("XX", "A tax", "", "", "departure", "", "", "", "1.00", "", "", "", "")


def faults(found: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(RulesRefused) as refused:
        made(found)
    return {(one["pointer"].removeprefix("/tables/"), one["code"]) for one in refused.value.errors or []}


def replaced(row: tuple[Any, ...], **cells: Any) -> tuple[Any, ...]:
    """The row with other cells; they are named by their place, such as `c3`."""
    changed = list(row)
    for place, value in cells.items():
        changed[int(place.removeprefix("c"))] = value
    return tuple(changed)


ROWS: list[tuple[str, tuple[Any, ...], str, str]] = [
    ("book", ("name", "USD"), "name", "unknown_value"),
    ("book", ("currency", "EUR"), "name", "repeated"),
    ("currencies", ("usd", "1", "2026-11-01", "test"), "currency", "bad_code"),
    ("currencies", ("EUR", "1", "2026-11-01", "test"), "currency", "repeated"),
    ("currencies", ("USD", "1.01", "2026-11-01", "test"), "rate", "not_one"),
    *(
        ("currencies", ("SEK", rate, "2026-11-01", "test"), "rate", "bad_rate")
        for rate in (
            "",
            "0",
            "0.0",
            "-1",
            "1e3",
            "1/3",
            "1,5",
            ".5",
            "5.",
            "\u0663",
            "1234567",
            "1.12345678901",
            "inf",
        )
    ),
    *(
        ("currencies", ("SEK", "10.5", day, "test"), "as_of", "bad_date")
        for day in ("", "today", "2026-02-29", "20261101", "2026-W01-1", "1.11.2026", "2026-11-01T00")
    ),
    ("currencies", ("SEK", "10.5", "2026-11-01", ""), "source", "bad_length"),
    ("fares", replaced(FARE, c0="Z"), "carrier", "bad_code"),
    ("fares", replaced(FARE, c0="zz"), "carrier", "bad_code"),
    ("fares", replaced(FARE, c1="J"), "from", "bad_code"),
    ("fares", replaced(FARE, c2="LHRX"), "to", "bad_code"),
    ("fares", replaced(FARE, c3="cargo"), "cabin", "unknown_value"),
    ("fares", replaced(FARE, c3="*"), "cabin", "unknown_value"),
    ("fares", replaced(FARE, c4="0"), "up_to_km", "bad_number"),
    ("fares", replaced(FARE, c4="1.5"), "up_to_km", "bad_number"),
    ("fares", replaced(FARE, c4="100000"), "up_to_km", "bad_number"),
    *(
        ("fares", replaced(FARE, c5=amount), "amount", "bad_amount")
        for amount in ("", "-1", "1.005", "1e2", "ten", "1,000.00", "$5", "1234567890", "1.", " ")
    ),
    ("fares", replaced(FARE, c6="x"), "per_100_km", "bad_amount"),
    ("fares", replaced(FARE, c7="2027-13-01"), "valid_from", "bad_date"),
    ("fares", replaced(FARE, c7="2027-02-01", c8="2027-01-31"), "valid_to", "ends_before_it_begins"),
    ("fares", ("*", "*", "*", "first", "", "1.00", "0", "", ""), "valid_from", "repeated"),
    ("seasons", replaced(SEASON, c0="LOW"), "code", "bad_code"),
    ("seasons", replaced(SEASON, c1="02-30"), "from", "bad_day"),
    ("seasons", replaced(SEASON, c2="3-31"), "to", "bad_day"),
    ("seasons", replaced(SEASON, c1="W01-1"), "from", "bad_day"),
    ("seasons", replaced(SEASON, c3="0"), "percent", "bad_percent"),
    ("seasons", replaced(SEASON, c4="USA"), "from_country", "bad_code"),
    ("seasons", replaced(SEASON, c5="us"), "to_country", "bad_code"),
    ("seasons", replaced(SEASON, c1="08-31", c2="09-01"), "from", "overlaps"),
    ("seasons", replaced(SEASON, c1="01-05", c2="01-06"), "from", "overlaps"),
    ("seasons", replaced(SEASON, c1="07-01", c2="07-02"), "from", "overlaps"),
    ("seasons", replaced(SEASON, c1="09-01", c2="12-18"), "from", "overlaps"),
    ("weekdays", ("monday", 100), "weekday", "repeated"),
    ("weekdays", ("Monday", 100), "weekday", "unknown_value"),
    ("hours", ("24", 100), "from_hour", "bad_number"),
    ("hours", ("0", 100), "from_hour", "repeated"),
    *(
        ("hours", ("5", percent), "percent", "bad_percent")
        for percent in ("", "0", "0.00", "-5", "100.001", "1e2", "10000", "100%", "\u0665", "nan")
    ),
    ("advance", ("-1", 100), "days", "bad_number"),
    ("advance", ("367", 100), "days", "bad_number"),
    ("stay", ("", "", 90), "min_days", "no_condition"),
    ("stay", ("", "no", 90), "min_days", "no_condition"),
    ("stay", ("0", "", 90), "min_days", "bad_number"),
    ("stay", ("3", "maybe", 90), "saturday_night", "unknown_value"),
    ("stay", ("3", "", 101), "percent", "bad_percent"),
    ("connections", ("3", 90), "connections", "bad_number"),
    ("journeys", ("open_jaw", 90), "journey", "unknown_value"),
    ("classes", ("economy", "YY", 50, 10), "class", "bad_code"),
    ("classes", ("economy", "J", 50, 10), "class", "repeated"),
    ("classes", ("steerage", "X", 50, 10), "cabin", "unknown_value"),
    ("classes", ("economy", "X", 88, 10), "percent", "not_falling"),
    ("classes", ("economy", "X", 50, 18), "share", "not_falling"),
    ("classes", ("economy", "X", 50, 101), "share", "bad_percent"),
    ("classes", ("economy", "X", 50, 0), "share", "bad_percent"),
    ("brands", replaced(BRAND, c0="*"), "cabin", "unknown_value"),
    ("brands", replaced(BRAND, c1=""), "name", "bad_length"),
    ("brands", replaced(BRAND, c1="x" * 31), "name", "bad_length"),
    ("brands", replaced(BRAND, c1="Flex"), "name", "repeated"),
    ("brands", replaced(BRAND, c2="FX"), "code", "repeated"),
    ("brands", replaced(BRAND, c2="LONG"), "code", "bad_code"),
    ("brands", replaced(BRAND, c3="110"), "percent", "not_rising"),
    ("brands", replaced(BRAND, c4="-1"), "change_fee", "bad_amount"),
    ("brands", replaced(BRAND, c5="none"), "refund_fee", "bad_amount"),
    ("brands", replaced(BRAND, c6="10"), "carry_on", "bad_number"),
    ("brands", replaced(BRAND, c7=""), "checked", "bad_number"),
    ("brands", replaced(BRAND, c8="1"), "seat_choice", "unknown_value"),
    ("discounts", ("senior", 90, "yes"), "passenger", "unknown_value"),
    ("discounts", ("child", 90, "yes"), "passenger", "repeated"),
    ("taxes", replaced(TAX, c0="X"), "code", "bad_code"),
    ("taxes", replaced(TAX, c0="D1"), "name", "other_name"),
    ("taxes", replaced(TAX, c1=""), "name", "bad_length"),
    ("taxes", replaced(TAX, c2="USA"), "country", "bad_code"),
    ("taxes", replaced(TAX, c3="NY"), "airport", "bad_code"),
    ("taxes", replaced(TAX, c2="US", c3="JFK"), "airport", "two_places"),
    ("taxes", replaced(TAX, c4="*"), "applies", "unknown_value"),
    ("taxes", replaced(TAX, c5="regional"), "scope", "unknown_value"),
    ("taxes", replaced(TAX, c6="cargo"), "cabin", "unknown_value"),
    ("taxes", replaced(TAX, c7="adult senior"), "passengers", "unknown_value"),
    ("taxes", replaced(TAX, c7=","), "passengers", "unknown_value"),
    ("taxes", replaced(TAX, c8=""), "amount", "amount_or_percent"),
    ("taxes", replaced(TAX, c9="5"), "amount", "amount_or_percent"),
    ("taxes", replaced(TAX, c8="", c9="0"), "percent_of_base", "bad_percent"),
    ("taxes", replaced(TAX, c10="perhaps"), "refundable", "unknown_value"),
    ("taxes", replaced(TAX, c0="US", c1="Transportation tax"), "refundable", "other_answer"),
    ("taxes", replaced(TAX, c11="soon"), "valid_from", "bad_date"),
]


@pytest.mark.parametrize(("table", "row", "column", "code"), ROWS)
def test_a_bad_row_is_pointed_at(table: str, row: tuple[Any, ...], column: str, code: str) -> None:
    """By table, row and column; the rest of the book is the packaged one."""
    number = len(tables()[table])

    assert (f"{table}/{number}/{column}", code) in faults(more(**{table: [row]}))


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("book", "missing_row"),
        ("currencies", "missing_row"),
        ("fares", "missing_row"),
        ("weekdays", "missing_row"),
        ("hours", "missing_row"),
        ("advance", "missing_row"),
        ("connections", "missing_row"),
        ("journeys", "missing_row"),
        ("classes", "missing_row"),
        ("brands", "missing_row"),
        ("discounts", "missing_row"),
    ],
)
def test_a_table_that_prices_need_is_not_empty(table: str, code: str) -> None:
    """Or a search would have to do without a price."""
    assert (table, code) in faults(tables(**{table: []}))


@pytest.mark.parametrize("table", ["seasons", "stay", "taxes"])
def test_a_table_that_prices_can_do_without_may_be_empty(table: str) -> None:
    """Then all days are equal, nobody stays cheaper, nothing is taxed."""
    assert made(tables(**{table: []})).version == 1


@pytest.mark.parametrize("cabin", CABINS)
@pytest.mark.parametrize("kept", [("", "2027-01-01", ""), ("", "", "2027-01-01"), ("20000", "", "")])
def test_every_cabin_has_a_fare_for_any_slice_and_day(cabin: str, kept: tuple[str, str, str]) -> None:
    """One that is limited is not enough."""
    found = tables()
    for row in found["fares"]:
        if row["cabin"] == cabin and not row["up_to_km"]:
            row["up_to_km"], row["valid_from"], row["valid_to"] = kept

    assert faults(found) == {("fares", "missing_row")}


def test_the_highest_class_may_sell_all_seats() -> None:
    """Or some seats could not be bought at all."""
    found = tables()
    found["classes"][0]["share"] = "99"

    assert faults(found) == {("classes/0/share", "not_all")}


def test_an_adult_pays_the_fare() -> None:
    """Which the others pay shares of."""
    found = tables()
    found["discounts"][0]["percent"] = "90"

    assert faults(found) == {("discounts/0/percent", "not_all")}


def test_a_step_begins_at_nought() -> None:
    """So that there is one for every hour, day and connection."""
    found = tables(hours=[(1, 100)], advance=[(1, 100)], connections=[(1, 100)])

    assert faults(found) == {(table, "missing_row") for table in ("hours", "advance", "connections")}


@pytest.mark.parametrize(
    ("second", "clash"),
    [
        ({}, True),
        ({"c11": "2027-06-01"}, True),
        ({"c12": "2026-12-31"}, False),
        ({"c2": "US"}, False),
        ({"c3": "JFK"}, False),
        ({"c4": "arrival"}, False),
        ({"c5": "domestic"}, False),
        ({"c6": "first"}, False),
        ({"c7": "child"}, False),
    ],
)
def test_two_taxes_of_one_code_cannot_both_be_the_most_specific(second: Any, clash: bool) -> None:
    """Or nobody could say which is due; where one is narrower, or their days do not meet, both stand."""
    rows = [replaced(TAX, c11="2027-01-01"), replaced(TAX, **{"c11": ""} | second)]
    found = more(taxes=rows)
    number = len(tables()["taxes"]) + 1

    if clash:
        assert faults(found) == {(f"taxes/{number}/code", "overlaps")}
    else:
        made(found)


def test_taxes_of_passengers_clash_only_where_both_name_one() -> None:
    """`adult child` and `child infant` do; `adult` and `child` do not."""
    number = len(tables()["taxes"]) + 1

    made(more(taxes=[replaced(TAX, c7="adult"), replaced(TAX, c7="child")]))
    clashing = more(taxes=[replaced(TAX, c7="adult child"), replaced(TAX, c7="child,infant")])
    assert faults(clashing) == {(f"taxes/{number}/code", "overlaps")}


def test_seasons_of_other_countries_do_not_overlap() -> None:
    """The more specific one is taken."""
    made(more(seasons=[replaced(SEASON, c1="07-01", c2="07-02", c4="US")]))


def test_blanks_around_a_cell_do_not_matter() -> None:
    """Spreadsheets and people leave them."""
    found = tables()
    found["fares"] = [{column: f" {cell} " for column, cell in row.items()} for row in found["fares"]]

    assert made(found).classes("economy") == packaged().classes("economy")


def test_every_fault_is_named_at_once() -> None:
    """So that nobody mends them one by one."""
    found = more(hours=[("5", "x")], advance=[("x", "5")], taxes=[replaced(TAX, c0="")])

    assert {code for _, code in faults(found)} == {"bad_percent", "bad_number", "bad_code"}
