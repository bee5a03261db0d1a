"""Access lines are written in batches, and each still says what a line written alone would say."""

import json
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

import pytest

from app.core.config import settings
from app.core.logging import HOT, AccessLog, shared, trace_in
from app.core.work import Work

SEARCH, BOOKING, PROBE = ("GET", "/flights/search", 200), ("POST", "/bookings", 409), ("GET", "/livez", 200)
KEY, USER, TRACE = "5ba32b90-98ad-4b3c-9a4b-7d8a3d5f0f11", "0197f0c2-5a3b-7c1d-8e9f-001122334455", "a" * 32


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> AccessLog:
    monkeypatch.setattr(settings(), "log_level", "INFO")
    return AccessLog({"/livez"})


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_line_has_its_own_time_kind_and_id(log: AccessLog, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where kinds alternate within a millisecond, and where one kind goes on into the next."""
    kinds = [SEARCH, SEARCH, BOOKING, SEARCH, PROBE, SEARCH, SEARCH, PROBE, PROBE, BOOKING]
    now, there = monotonic(), time()
    requests = [
        (kind, now + n * 0.0004, n / 1000, f"request-{n}".encode(), Work()) for n, kind in enumerate(kinds)
    ]

    log.write(requests)

    lines = written(capsys)
    told = [request for request in requests if request[0] is not PROBE]
    assert [
        (line["http.request.method"], line["jetway.route"], line["http.response.status_code"])
        for line in lines
    ] == [kind for kind, *_ in told]
    assert [line["http.request.id"].encode() for line in lines] == [request_id for *_, request_id, _ in told]
    assert [line["event.duration"] for line in lines] == [round(request[2] * 1e9) for request in told]
    for line, (_, ended, *_) in zip(lines, told, strict=True):
        stamped = datetime.fromisoformat(line["@timestamp"])
        assert stamped.tzinfo == UTC
        assert abs(stamped.timestamp() - (there + ended - now)) < 0.05


def test_what_is_known_of_a_request_is_told_and_nothing_else(
    log: AccessLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asked, whose trace it is, where the answer was, and how long others were waited for."""
    signed_in = Work(USER, KEY, "computed", TRACE, calls=2, call_seconds=0.25)
    broken = ("GET", "/flights/search", 500)

    known_again = shared(Work(USER, cache="hot"))
    log.write([(SEARCH, monotonic(), 0.3, b"request-0", known_again)])
    [again] = written(capsys)
    assert (again["user.id"], again["jetway.cache"]) == (USER, "hot")

    log.write([(one, monotonic(), 0.3, b"request-1", work) for one, work in
               [(SEARCH, HOT), (SEARCH, signed_in), (broken, Work())]])  # fmt: skip

    hot, full, failed = written(capsys)
    assert hot["jetway.cache"] == "hot"
    more = {
        "trace.id": TRACE,
        "user.id": USER,
        "jetway.key_id": KEY,
        "jetway.cache": "computed",
        "jetway.upstream.calls": 2,
        "jetway.upstream.duration": 250_000_000,
    }
    assert full.items() >= more.items()
    assert full.keys() - hot.keys() == more.keys() - {"jetway.cache"}
    assert failed.keys() == hot.keys() - {"jetway.cache"}
    assert [one["event.outcome"] for one in (hot, full, failed)] == ["success", "success", "failure"]


def test_readable_lines_are_for_people(
    log: AccessLog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In development."""
    monkeypatch.setattr(log, "_readable", True)

    log.write([(SEARCH, monotonic(), 0.00123, b"request-1", HOT)])

    assert capsys.readouterr().out[9:] == "GET /flights/search 200 1.23 ms request-1\n"


def test_nothing_is_written_where_nobody_wants_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`LOG_LEVEL=WARNING`, as in these tests."""
    AccessLog(()).write([(SEARCH, monotonic(), 0.001, b"request-1", HOT)])

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("traceparent", "trace"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"00-{TRACE}-0000000000000000-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f'00-{TRACE}-00f067aa0ba902b7-01","log.level":"error', None),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_well_formed_trace_is_one(traceparent: str | None, trace: str | None) -> None:
    """It stands in lines as it came, so nobody may write more into them."""
    assert trace_in(traceparent) == trace
