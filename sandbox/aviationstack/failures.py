"""AviationStack's own ways of failing, each as it was seen in the wild."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from sandbox.aviationstack.envelope import Json, Object, Refusal, json_answer
from sandbox.aviationstack.plans import quota_used_up, too_fast
from sandbox.faults import Answer

FAILURES = {
    "error_500": "500 internal_error",
    "error_php": "500 with an exception's text as error.code",
    "error_in_200": "200 whose body is an error",
    "message_only": "401 without the error envelope",
    "legacy_envelope": "429 in the older envelope: success, numeric code, type, info",
    "rate_limited": "429 rate_limit_reached",
    "quota_exhausted": "429 usage_limit_reached",
    "empty": "200 without rows",
    "wrong_types": "numbers as text, nulls, missing keys",
    "bad_records": "some rows make no sense",
    "jsonp": "the body wrapped in a function call",
}

# Without these a row is no flight at all; everything else may be missing.
ESSENTIAL = frozenset(
    {"departure", "arrival", "airline", "flight", "number", "iata", "iataCode", "scheduled", "scheduledTime"}
    | {"flight_date", "iata_code", "icao_code", "iataNumber", "codeshared"}
)
SENSELESS: tuple[Json, ...] = (
    {},
    None,
    "unexpected",
    {"flight_date": "2019-02-31", "departure": None, "arrival": None, "airline": None, "flight": None},
    {
        "departure": {"iata": "??", "iataCode": "??"},
        "arrival": {},
        "airline": {"iata": ""},
        "flight": {"number": ""},
    },
)


def fail(answer: Answer, name: str) -> Answer:
    """What the vendor says instead of, or makes of, the proper answer."""
    if failure := _INSTEAD.get(name):
        return failure()
    if name == "jsonp":
        return jsonp(answer, "callback")
    if answer.status == 200 and (spoil := _SPOILED.get(name)):
        payload = orjson.loads(answer.body)
        return json_answer(spoil(payload))
    return answer


def jsonp(answer: Answer, callback: str) -> Answer:
    return replace(
        answer, body=callback.encode() + b"(" + answer.body + b");", content_type=b"application/javascript"
    )


def _internal() -> Answer:
    return Refusal(500, "internal_error", "An error occurred. [Technical Support: sandbox]").answer()


def _php() -> Answer:
    code = "Argument 2 passed to App\\Old\\Board::rows() must be of the type array, null given"
    return Refusal(500, code, "Server Error").answer()


def _in_200() -> Answer:
    return replace(Refusal(200, "internal_error", "Something went wrong.").answer(), status=200)


def _message_only() -> Answer:
    return json_answer({"message": "Unauthorized"}, 401)


def _legacy() -> Answer:
    error: Object = {
        "code": 104,
        "type": "usage_limit_reached",
        "info": "The monthly limit has been reached.",
    }
    return json_answer({"success": False, "error": error}, 429)


def _empty() -> Answer:
    return json_answer({"pagination": {"limit": 100, "offset": 0, "count": 0, "total": 0}, "data": []})


def _wrong_types(payload: Any) -> Json:
    shown = {name: str(value) for name, value in payload["pagination"].items()}
    return {"pagination": shown, "data": [_spoil(row, index) for index, row in enumerate(payload["data"])]}


def _spoil(value: Any, turn: int) -> Json:
    """Every third unimportant key is missing, every third null, the others text."""
    if isinstance(value, dict):
        kept = {}
        for position, (name, inner) in enumerate(value.items()):
            if name in ESSENTIAL:
                kept[name] = _spoil(inner, turn) if isinstance(inner, dict) else inner
            elif (position + turn) % 3:
                kept[name] = None if (position + turn) % 3 == 1 else _spoil(inner, turn)
        return kept
    return str(value) if isinstance(value, (bool, int, float)) else "N/A" if value is None else value


def _bad_records(payload: Any) -> Json:
    data = payload["data"]
    middle = len(data) // 2
    payload["data"] = [*SENSELESS[:3], *data[:middle], *SENSELESS[3:], *data[middle:]]
    return payload  # type: ignore[no-any-return]


_INSTEAD: dict[str, Callable[[], Answer]] = {
    "error_500": _internal,
    "error_php": _php,
    "error_in_200": _in_200,
    "message_only": _message_only,
    "legacy_envelope": _legacy,
    "rate_limited": lambda: too_fast().answer(),
    "quota_exhausted": lambda: quota_used_up().answer(),
    "empty": _empty,
}
_SPOILED: dict[str, Callable[[Any], Json]] = {"wrong_types": _wrong_types, "bad_records": _bad_records}
