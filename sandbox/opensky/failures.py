"""OpenSky's own ways of failing, and those of the program that gives out its tokens."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache
from typing import Any

import orjson

from sandbox import tables
from sandbox.faults import Answer
from sandbox.opensky import clients

RETRY_AFTER = b"x-rate-limit-retry-after-seconds"
SIX_HOURS = 21_600
STALE = 243

ANYWHERE = {
    "opensky_429": "429 in plain text, without headers",
    "opensky_429_hours": "429 that asks to wait for six hours",
    "opensky_500": "500 Something went wrong",
    "opensky_503": "503 with a proxy's web page",
    "opensky_403": "403, as for a blocked network",
    "opensky_401": "401, though the token is good",
}
STATES = {
    "opensky_states_null": "states is null",
    "opensky_long_rows": "19 columns",
    "opensky_short_rows": "16 columns",
    "opensky_odd_callsigns": "in lower case, with the IATA designator, padded with zeros",
    "opensky_null_positions": "no aircraft has a position",
    "opensky_old_positions": "positions four minutes older than the last contact",
}
TOKENS = {
    "token_html": "200 with a web page instead of a token",
    "token_slow": "a token after delay_seconds (5)",
    "token_without_expiry": "a token without expires_in",
    "token_rejected_client": "401 unauthorized_client, though the secret is right",
}
FAILURES = ANYWHERE | STATES | TOKENS


def possible(path: str) -> Collection[str]:
    """The failures that can strike a path; others wait for a request that they concern."""
    if path == clients.PATH:
        return TOKENS
    return ANYWHERE | STATES if path.startswith("/api/states/") else ANYWHERE


def on_the_way(name: str) -> str:
    """The transport fault whose manners a failure has."""
    return "slow" if name == "token_slow" else name


def fail(answer: Answer, name: str) -> Answer:
    """What the vendor says instead of, or makes of, the proper answer."""
    if failure := _INSTEAD.get(name):
        return failure()
    if answer.status != 200:
        return answer
    if name == "token_without_expiry":
        payload = orjson.loads(answer.body)
        del payload["expires_in"]
        return replace(answer, body=orjson.dumps(payload))
    if name in STATES:
        payload, spoil = orjson.loads(answer.body), _SPOILED.get(name)
        rows = payload["states"] if spoil else None
        payload["states"] = [spoil(row, turn) for turn, row in enumerate(rows)] if spoil and rows else None
        return replace(answer, body=orjson.dumps(payload))
    return answer


def exhausted(seconds: int | None) -> Answer:
    """Not JSON, whatever was asked for."""
    headers = () if seconds is None else ((RETRY_AFTER, str(seconds).encode()),)
    return Answer(429, b"Too many requests", b"text/plain;charset=UTF-8", headers=headers)


def _page(status: int, title: str) -> Answer:
    text = f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"
    return Answer(status, text.encode(), b"text/html")


def _internal() -> Answer:
    return Answer(500, orjson.dumps({"error": "Something went wrong. Please try again later."}))


def _long(row: list[Any], turn: int) -> list[Any]:
    return [*row, *[turn % 20, "new"][len(row) - 17 :]]


def _short(row: list[Any], _turn: int) -> list[Any]:
    return row[:16]


def _odd(row: list[Any], turn: int) -> list[Any]:
    """Crews type by hand."""
    said = (row[1] or "").strip()
    airline, rest = said[:3], said[3:]
    forms = (said.lower(), _iata().get(airline, airline) + rest, airline + rest.zfill(min(5, len(rest) + 1)))
    return [row[0], forms[turn % len(forms)].ljust(8), *row[2:]]


def _nowhere(row: list[Any], _turn: int) -> list[Any]:
    return [*row[:3], None, row[4], None, None, *row[7:]]


def _old(row: list[Any], _turn: int) -> list[Any]:
    return row if row[3] is None else [*row[:3], row[4] - STALE, *row[4:]]


@cache
def _iata() -> dict[str, str]:
    return {row["icao"]: row["iata"] for row in tables.rows("airlines")}


_INSTEAD: dict[str, Callable[[], Answer]] = {
    "opensky_429": lambda: exhausted(None),
    "opensky_429_hours": lambda: exhausted(SIX_HOURS),
    "opensky_500": _internal,
    "opensky_503": lambda: _page(503, "503 Service Temporarily Unavailable"),
    "opensky_403": lambda: Answer(403, b"Forbidden", b"text/plain;charset=UTF-8"),
    "opensky_401": lambda: Answer(
        401, b"", headers=((b"www-authenticate", b'Bearer error="invalid_token"'),)
    ),
    "token_html": lambda: _page(200, "Sign in to OpenSky Network"),
    "token_rejected_client": clients.rejected,
}
_SPOILED: dict[str, Callable[[list[Any], int], list[Any]]] = {
    "opensky_long_rows": _long,
    "opensky_short_rows": _short,
    "opensky_odd_callsigns": _odd,
    "opensky_null_positions": _nowhere,
    "opensky_old_positions": _old,
}
