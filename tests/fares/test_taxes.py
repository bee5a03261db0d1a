"""Taxes and charges: which are due, of whom, and how much."""

from typing import Any

import pytest

from app.fares.pricing import Quote
from tests.fares.support import facts, flat, made, price, tables, terms


def due(rows: list[tuple[Any, ...]], *stops: str, at: str = "2027-01-20T12:00", **agreed: Any) -> Any:
    """Code and amount of each tax of an adult."""
    priced = price(made(flat(taxes=rows)), facts(*stops, at=at), terms(**agreed))
    return [(tax.code, tax.amount) for tax in priced.passengers[0].tax_lines]


def tax(
    code: str,
    applies: str,
    amount: Any = "1.00",
    *,
    country: str = "",
    airport: str = "",
    scope: str = "",
    cabin: str = "",
    who: str = "",
    percent: Any = "",
    refundable: str = "",
    days: tuple[str, str] = ("", ""),
) -> tuple[Any, ...]:
    return code, "A tax", country, airport, applies, scope, cabin, who, amount, percent, refundable, *days


def test_a_tax_is_due_where_one_departs_arrives_or_transfers() -> None:
    """A slice departs and arrives once, however many flights it has."""
    rows = [tax("DD", "departure", 1), tax("AA", "arrival", 2), tax("TT", "transfer", 4)]

    assert due(rows, "JFK", "LHR") == [("DD", 100), ("AA", 200)]
    assert due(rows, "JFK", "ORD", "ORD", "LHR", "LHR", "CDG") == [("DD", 100), ("TT", 800), ("AA", 200)]


def test_who_changes_airports_transfers_at_both() -> None:
    """One leaves the one and enters the other."""
    rows = [tax("TT", "transfer", 1, airport="LHR"), tax("UU", "transfer", 2, airport="LGW")]

    assert due(rows, "JFK", "LHR", "LGW", "CDG") == [("TT", 100), ("UU", 200)]


def test_of_one_code_the_most_specific_is_due() -> None:
    """An airport's, a country's, anybody's; other codes are due besides."""
    rows = [
        tax("DD", "departure", 3, airport="JFK"),
        tax("DD", "departure", 2, country="US"),
        tax("DD", "departure", 1),
        tax("EE", "departure", 7, country="US"),
    ]

    assert due(rows, "JFK", "LHR") == [("DD", 300), ("EE", 700)]
    assert due(rows, "LAX", "LHR") == [("DD", 200), ("EE", 700)]
    assert due(rows, "CDG", "LHR") == [("DD", 100)]


def test_a_place_can_have_none() -> None:
    """An amount of nought is no line, and takes away what is due elsewhere."""
    assert due([tax("DD", "departure", 1), tax("DD", "departure", 0, country="GB")], "LHR", "JFK") == []


@pytest.mark.parametrize(
    ("stops", "cabin", "amount"),
    [
        (("JFK", "LAX"), "economy", 200),
        (("JFK", "LHR"), "economy", 100),
        (("JFK", "LAX"), "first", 400),
        (("JFK", "LHR"), "first", 300),
    ],
)
def test_scope_and_cabin_decide(stops: tuple[str, str], cabin: str, amount: int) -> None:
    """Scope before cabin; domestic is a slice whose ends are in one country."""
    rows = [
        tax("DD", "departure", 1),
        tax("DD", "departure", 2, scope="domestic"),
        tax("DD", "departure", 3, cabin="first"),
        tax("DD", "departure", 4, scope="domestic", cabin="first"),
    ]

    assert due(rows, *stops, cabin=cabin) == [("DD", amount)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2027-01-19", []), ("2027-01-20", [("DD", 100)]), ("2027-01-31", [("DD", 100)]), ("2027-02-01", [])],
)
def test_a_tax_is_for_its_days(day: str, expected: Any) -> None:
    """Days of departure, both included."""
    rows = [tax("DD", "departure", days=("2027-01-20", "2027-01-31"))]

    assert due(rows, "JFK", "LHR", at=day + "T00:30") == expected


def test_passenger_types_pay_what_is_for_them() -> None:
    """Infants nothing, as the table of discounts says, even where a row names them."""
    rows = [
        tax("DD", "departure", 1),
        tax("DD", "departure", 2, who="child"),
        tax("KK", "departure", 5, who="child, infant"),
    ]
    priced = price(made(flat(taxes=rows)), facts("JFK", "LHR"), terms(counts=(2, 2, 1)))

    assert [[(one.code, one.amount) for one in line.tax_lines] for line in priced.passengers] == [
        [("DD", 200)],
        [("DD", 400), ("KK", 1000)],
        [],
    ]


def test_infants_pay_where_the_book_says_so() -> None:
    """Taxes like anybody, a tenth of the fare."""
    found = flat(taxes=[tax("DD", "departure", 1)])
    found["discounts"][2]["taxes"] = "yes"
    priced = price(made(found), facts("JFK", "LHR"), terms(counts=(1, 0, 1)))

    assert [(line.type, line.base, line.taxes) for line in priced.passengers] == [
        ("adult", 10_000, 100),
        ("infant", 1000, 100),
    ]


def test_a_percentage_is_of_what_the_passenger_pays() -> None:
    """Of the rounded fare of each, rounded again: 7.5 % of 100.00 and of 75.00."""
    rows = [tax("US", "departure", "", percent="7.5", country="US", scope="domestic")]
    priced = price(made(flat(taxes=rows)), facts("JFK", "LAX"), terms(counts=(3, 1, 0)))

    assert [line.taxes for line in priced.passengers] == [3 * 750, 563]
    assert due(rows, "JFK", "LHR") == []


def test_a_tax_is_converted_for_each_passenger() -> None:
    """Once for each line: 1.01 dollars are 152 yen, twice that is 304."""
    assert due([tax("DD", "departure", "1.01")], "JFK", "LHR", currency="JPY", counts=(2, 0, 0)) == [
        ("DD", 304)
    ]


def test_a_journey_has_one_line_for_each_code() -> None:
    """Over all its slices."""
    book = made(flat(taxes=[tax("DD", "departure", 1), tax("AA", "arrival", 2, country="US")]))
    there, back = price(book, facts("JFK", "LHR")), price(book, facts("LHR", "JFK"))
    (line,) = Quote("USD", (there, back)).passengers

    assert [(one.code, one.amount) for one in line.tax_lines] == [("DD", 200), ("AA", 200)]
    assert (line.base, line.taxes) == (20_000, 400)


def test_a_tax_says_whether_it_is_given_back() -> None:
    """Whether it is an amount or a percentage; a code of both is one line. Empty means that it is."""
    rows = [
        tax("KK", "departure", 1, refundable="no"),
        tax("KK", "arrival", "", percent="10", refundable="no"),
        tax("GG", "arrival", 2),
        tax("HH", "arrival", 4, refundable="yes"),
    ]
    priced = price(made(flat(taxes=rows)), facts("JFK", "LHR"), terms(counts=(2, 0, 0)))

    assert Quote("USD", (priced,)).parts() == [
        [
            {
                "type": "adult",
                "count": 2,
                "base": 10_000,
                "taxes": [
                    ["KK", "A tax", 1100, False],
                    ["GG", "A tax", 200, True],
                    ["HH", "A tax", 400, True],
                ],
            }
        ]
    ]


def test_tables_from_before_there_was_the_column_are_still_a_book() -> None:
    """Every tax of theirs is given back; nothing else of the price differs."""
    found = tables()
    for row in found["taxes"]:
        del row["refundable"]
    agreed, one = terms(counts=(2, 1, 1)), facts("JFK", "LAX")
    older, today = price(made(found), one, agreed), price(made(tables()), one, agreed)

    assert older.total == today.total
    assert {tax.code for tax in today.passengers[0].tax_lines if not tax.refundable} == {"US"}
    assert all(tax.refundable for line in older.passengers for tax in line.tax_lines)
