"""Questions that no search can answer, each refused with the parameter that is to be changed."""

from typing import Any

import pytest

from tests.offers.test_search import DESTINATION, ORIGIN, OUT
from tests.support.client import Client, in_days

TODAY, LATER = "2026-01-01", "9999-12-31"


@pytest.mark.parametrize(
    ("wrong", "status", "pointer", "code"),
    [
        ({"origin": "QQQ"}, 404, None, "airport_not_found"),
        ({"destination": "QQQ"}, 404, None, "airport_not_found"),
        ({"origin": None}, 422, "origin", "missing"),
        ({"departure_date": None}, 422, "departure_date", "missing"),
        ({"origin": "KO"}, 422, "origin", "string_pattern_mismatch"),
        ({"origin": "K0I"}, 422, "origin", "string_pattern_mismatch"),
        ({"origin": "jer"}, 422, "destination", "same_place"),
        ({"origin": "LON", "destination": "LHR"}, 422, "destination", "same_place"),
        ({"departure_date": TODAY}, 422, "departure_date", "date_in_the_past"),
        ({"departure_date": LATER}, 422, "departure_date", "date_too_far"),
        ({"departure_date": in_days(363)}, 422, "departure_date", "date_too_far"),
        ({"departure_date": "2027-02-30"}, 422, "departure_date", "date_parsing"),
        ({"departure_date": "tomorrow"}, 422, "departure_date", "date_parsing"),
        ({"return_date": in_days(OUT - 1)}, 422, "return_date", "return_before_departure"),
        ({"return_date": LATER}, 422, "return_date", "date_too_far"),
        ({"adults": 0}, 422, "adults", "greater_than_equal"),
        ({"adults": 10}, 422, "adults", "less_than_equal"),
        ({"adults": "two"}, 422, "adults", "int_parsing"),
        ({"children": 9}, 422, "children", "less_than_equal"),
        ({"children": -1}, 422, "children", "greater_than_equal"),
        ({"adults": 5, "children": 5}, 422, "children", "too_many_passengers"),
        ({"infants": 2}, 422, "infants", "infant_without_adult"),
        ({"cabin": "cargo"}, 422, "cabin", "literal_error"),
        ({"max_connections": 3}, 422, "max_connections", "less_than_equal"),
        ({"airlines": "ZZZ"}, 422, "airlines", "string_pattern_mismatch"),
        ({"airlines": "ZZ,"}, 422, "airlines", "string_pattern_mismatch"),
        ({"max_price": "-1"}, 422, "max_price", "string_pattern_mismatch"),
        ({"max_price": "1e9"}, 422, "max_price", "string_pattern_mismatch"),
        ({"max_price": "NaN"}, 422, "max_price", "string_pattern_mismatch"),
        ({"departure_after": "25:00"}, 422, "departure_after", "local_time"),
        ({"departure_after": "12:30Z"}, 422, "departure_after", "local_time"),
        ({"departure_before": "12:30+02:00"}, 422, "departure_before", "local_time"),
        ({"sort": "random"}, 422, "sort", "literal_error"),
        ({"currency": "XXX"}, 422, "currency", "unknown_currency"),
        ({"currency": "DOLLAR"}, 422, "currency", "string_pattern_mismatch"),
        ({"limit": 0}, 422, "limit", "greater_than_equal"),
        ({"limit": 101}, 422, "limit", "less_than_equal"),
        ({"cursor": "garbage"}, 422, "cursor", "invalid_cursor"),
        ({"cursor": "x" * 501}, 422, "cursor", "string_too_long"),
    ],
)
async def test_an_impossible_question_is_refused(
    api: Client, wrong: dict[str, Any], status: int, pointer: str | None, code: str
) -> None:
    """With a pointer to the parameter that is to be changed, and a code that says why."""
    asked = {"origin": ORIGIN, "destination": DESTINATION, "departure_date": in_days(OUT)} | wrong

    answer = await api.get("/flights/search", **asked)

    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["retryable"] is False
    if pointer is None:
        assert answer.code == code
    else:
        assert answer.code == "validation_error"
        assert code in {error["code"] for error in answer.body["errors"] if error["pointer"] == pointer}
