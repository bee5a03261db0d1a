"""Access lines are written in batches, and each still says what a line written alone would say."""

import json
from datetime import UTC, datetime
from time import monotonic, time

import pytest

from app.core.config import settings
from app.core.logging import AccessLog

SEARCH, BOOKING, PROBE = ("GET", "/flights/search", 200), ("POST", "/bookings", 409), ("GET", "/livez", 200)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> AccessLog:
    monkeypatch.setattr(settings(), "log_level", "INFO")
    return AccessLog({"/livez"})


def test_every_line_has_its_own_time_kind_and_id(log: AccessLog, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where kinds alternate within a millisecond, and where one kind goes on into the next."""
    kinds = [SEARCH, SEARCH, BOOKING, SEARCH, PROBE, SEARCH, SEARCH, PROBE, PROBE, BOOKING]
    now, there = monotonic(), time()
    requests = [(kind, now + n * 0.0004, n / 1000, f"request-{n}".encode()) for n, kind in enumerate(kinds)]

    log.write(requests)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [request for request in requests if request[0] is not PROBE]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [kind for kind, *_ in told]
    assert [line["request_id"].encode() for line in lines] == [request_id for *_, request_id in told]
    assert [line["ms"] for line in lines] == [seconds * 1000 for _, _, seconds, _ in told]
    for line, (_, ended, _, _) in zip(lines, told, strict=True):
        stamped = datetime.fromisoformat(line["@timestamp"])
        assert stamped.tzinfo == UTC
        assert abs(stamped.timestamp() - (there + ended - now)) < 0.05


def test_readable_lines_are_for_people(
    log: AccessLog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In development."""
    monkeypatch.setattr(log, "_readable", True)

    log.write([(SEARCH, monotonic(), 0.00123, b"request-1")])

    assert capsys.readouterr().out[9:] == "GET /flights/search 200 1.23 ms request-1\n"


def test_nothing_is_written_where_nobody_wants_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`LOG_LEVEL=WARNING`, as in these tests."""
    AccessLog(()).write([(SEARCH, monotonic(), 0.001, b"request-1")])

    assert capsys.readouterr().out == ""
