"""Rights that make no sense are refused, each with a pointer at the cell to change."""

from typing import Any

import pytest

from app.rights.service import RIGHTS
from app.rules.errors import RulesRefused
from tests.rights.support import made, tables
from tests.support.client import Client

CELLS: list[tuple[str, str, str, str]] = [
    ("jurisdictions", "jurisdiction", "E U", "bad_code"),
    ("jurisdictions", "jurisdiction", "house", "not_a_countrys"),
    ("jurisdictions", "country", "AUT", "bad_code"),
    ("jurisdictions", "source", "", "bad_length"),
    ("jurisdictions", "valid_from", "2005", "bad_date"),
    ("scopes", "rule", "", "bad_code"),
    ("scopes", "jurisdiction", "house", "unknown_jurisdiction"),
    ("scopes", "jurisdiction", "Mars", "unknown_jurisdiction"),
    ("scopes", "per", "trip", "unknown_value"),
    ("scopes", "from", "FR", "unknown_value"),
    ("scopes", "to", "Mars", "unknown_value"),
    ("scopes", "carrier", "AF", "unknown_value"),
    ("scopes", "source", "", "bad_length"),
    ("scopes", "text", "", "bad_length"),
    ("scopes", "valid_to", "2004-12-31", "ends_before_it_begins"),
    ("free_cancellation", "hours", "0", "bad_number"),
    ("free_cancellation", "hours_before_departure", "-1", "bad_number"),
    ("free_cancellation", "applies", "maybe", "unknown_value"),
    ("refund_deadlines", "method", "cash", "unknown_value"),
    ("refund_deadlines", "days", "0", "bad_number"),
    ("refund_deadlines", "business_days_of", "USA", "bad_code"),
    ("refund_deadlines", "business_days_of", "XX", "unknown_value"),
    ("refund_deadlines", "time_zone", "New York", "unknown_time_zone"),
    ("significant_changes", "event", "late", "unknown_value"),
    ("significant_changes", "journey", "abroad", "unknown_value"),
    ("significant_changes", "minutes", "three", "bad_number"),
    ("significant_changes", "rebook", "", "unknown_value"),
    ("significant_changes", "refund", "yes", "unknown_value"),
    ("answer_deadlines", "told_hours_before", "", "bad_number"),
    ("answer_deadlines", "answer_hours_before", "336", "too_early"),
    ("answer_deadlines", "least_hours", "0", "bad_number"),
    ("compensation", "within", "EU", "unknown_value"),
    ("compensation", "up_to_km", "0", "bad_number"),
    ("compensation", "amount", "-250", "bad_amount"),
    ("compensation", "amount", "250.001", "bad_amount"),
    ("compensation", "currency", "euro", "bad_code"),
    ("compensation", "halved_below_minutes", "", "bad_number"),
    ("compensation", "jurisdiction", "house", "unknown_jurisdiction"),
    ("compensation_events", "event", "", "unknown_value"),
    ("compensation_events", "minutes", "-1", "bad_number"),
    ("compensation_events", "can_be_halved", "1", "unknown_value"),
    ("compensation_events", "excusable", "", "unknown_value"),
    ("notices", "days", "two weeks", "bad_number"),
    ("notices", "earlier_minutes", "60", "bad_number"),
    ("notices", "later_minutes", "120", "bad_number"),
    ("care", "event", "hunger", "unknown_value"),
    ("care", "within", "no way", "unknown_value"),
    ("care", "minutes", "", "bad_number"),
    ("care", "told_within_hours", "", "bad_number"),
    ("void", "time_zone", "Europe", "unknown_time_zone"),
    ("void", "time_zone", "", "unknown_time_zone"),
]


def faults(found: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(RulesRefused) as refused:
        made(found)
    return {(one["pointer"].removeprefix("/tables/"), one["code"]) for one in refused.value.errors or []}


@pytest.mark.parametrize(("table", "column", "cell", "code"), CELLS)
def test_a_bad_cell_is_pointed_at(table: str, column: str, cell: str, code: str) -> None:
    """By table, row and column; the rest of the book is the packaged one."""
    found = tables()
    found[table][0][column] = cell
    place = column if code != "bad_number" or table != "notices" or column == "days" else _other(column)

    assert (f"{table}/0/{place}", code) in faults(found)


def _other(column: str) -> str:
    """A window of re-routing has two ends: the one that is missing is pointed at."""
    return "later_minutes" if column == "earlier_minutes" else "earlier_minutes"


@pytest.mark.parametrize("table", [name for name in RIGHTS.columns if name != "jurisdictions"])
def test_a_rule_is_stated_once_for_a_day(table: str) -> None:
    """Again on other days it may be."""
    found = tables()
    found[table].append(dict(found[table][0]))

    assert faults(found) == {(f"{table}/{len(found[table]) - 1}/rule", "overlaps")}


def test_a_country_is_in_a_group_once() -> None:
    found = tables()
    found["jurisdictions"].append(dict(found["jurisdictions"][0]))

    assert faults(found) == {(f"jurisdictions/{len(found['jurisdictions']) - 1}/country", "overlaps")}


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ("refund_deadlines", "house-refund"),
        ("answer_deadlines", "house-answer-0-h"),
        ("compensation", "eu261-7-1-c"),
        ("compensation", "uk261-7-1-b-within"),
    ],
)
def test_a_row_that_nothing_replaces_is_missed(table: str, rule: str) -> None:
    """Without it some trips would have no answer."""
    found = tables()
    found[table] = [one for one in found[table] if one["rule"] != rule]

    assert faults(found) == {(table, "missing_row")}


async def test_over_http_nothing_is_published(admin: Client) -> None:
    """The pointer is into what was sent."""
    found = tables()
    found["care"][2]["minutes"] = "soon"
    answer = await admin.post("/admin/rules/rights", {"tables": found, "note": "n"})

    assert (answer.status, answer.code) == (422, "rules_refused")
    assert [one["pointer"] for one in answer.body["errors"]] == ["/tables/care/2/minutes"]
