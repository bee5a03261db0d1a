"""Prices that make no sense are refused, each with a pointer at the cell to change."""

from typing import Any

import pytest

from app.rules.errors import RulesRefused
from tests.extras.support import made, more, tables

SEAT = ("standard", "economy", "*", "", "5.00", "", "")
BAG = ("*", "*", "*", "1", "20", "5.00", "", "")


def faults(found: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(RulesRefused) as refused:
        made(found)
    return {(problem["pointer"].split("/")[-1], problem["code"]) for problem in refused.value.errors or ()}


@pytest.mark.parametrize(
    ("table", "row", "column", "code"),
    [
        ("seats", ("sofa", *SEAT[1:]), "kind", "unknown_value"),
        ("seats", ("standard", "cockpit", *SEAT[2:]), "cabin", "unknown_value"),
        ("seats", (*SEAT[:2], "lunar", *SEAT[3:]), "scope", "unknown_value"),
        ("seats", (*SEAT[:3], "0", *SEAT[4:]), "up_to_km", "bad_number"),
        ("seats", (*SEAT[:4], "5.001", "", ""), "amount", "bad_amount"),
        ("seats", (*SEAT[:4], "-5", "", ""), "amount", "bad_amount"),
        ("seats", (*SEAT[:5], "2027-02-01", "2027-01-01"), "valid_to", "ends_before_it_begins"),
        ("seats", ("standard", "*", "domestic", "", "9.00", "", ""), "valid_from", "repeated"),
        ("bags", ("ZZZ", *BAG[1:]), "carrier", "bad_code"),
        ("bags", (*BAG[:3], "6", *BAG[4:]), "piece", "bad_number"),
        ("bags", (*BAG[:4], "33", *BAG[5:]), "max_kg", "bad_number"),
        ("bags", (*BAG[:4], "23", *BAG[5:]), "valid_from", "repeated"),
        ("policy", ("most_bags", "4"), "name", "repeated"),
        ("policy", ("most_hats", "4"), "name", "unknown_value"),
        ("book", ("currency", "EUR"), "name", "repeated"),
    ],
)
def test_a_cell_that_makes_no_sense(table: str, row: tuple[str, ...], column: str, code: str) -> None:
    """In a row after the packaged ones."""
    assert (column, code) in faults(more(**{table: [row]}))


def test_what_every_book_has() -> None:
    """A currency, the policies, and a price of each kind of seat without conditions."""
    assert faults(tables(book=[])) == {("book", "missing_row")}
    assert faults(tables(policy=[])) == {("policy", "missing_row")}
    assert faults(tables(seats=[("standard", "*", "*", "", "5.00", "", "2027-01-01")])) == {
        ("seats", "missing_row")
    }


def test_no_bags_for_sale_is_a_choice() -> None:
    """An airline may carry only what its fares include."""
    assert list(made(tables(bags=[])).bags) == []
