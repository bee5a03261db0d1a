"""What the business did is told for those who count it, and of nobody in particular."""

import subprocess
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from app.core import business
from app.core.config import settings
from tests.support import ecs
from tests.support.stack import ROOT

AT = datetime(2026, 11, 26, 17, 0, 0, 123456, UTC)
PAID = {"amount": "412.50", "currency": "EUR"}


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "log_level", "INFO")


def event(kind: str, pnr: str = "K7QX2M", **data: Any) -> dict[str, Any]:
    """As the outbox has it."""
    known = {"pnr": pnr, "status": "held", "user_id": str(uuid.uuid4())}
    return {
        "event_id": uuid.uuid4(),
        "type": kind,
        "subject": pnr,
        "sequence": 3,
        "data": {**known, **data},
        "created_at": AT,
    }


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return ecs.read(capsys.readouterr().out)


def test_an_event_is_told_by_numbers_and_words_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """Amounts in minor units, the time of the event and not of the line; what has no name here stays out."""
    failed = event(
        "payment.failed", amount=PAID, payment_id="pay_1", reason="card_declined", names=["Ada Lovelace"]
    )

    business.tell_events([failed])

    [line] = lines(capsys)
    assert ecs.misfits(line) == set()
    assert line.keys() - ecs.ALWAYS == {
        "event.action",
        "event.id",
        "event.sequence",
        "jetway.booking.id",
        "jetway.booking.status",
        "jetway.money.amount",
        "jetway.money.currency",
        "jetway.payment.id",
        "jetway.reason",
    }
    assert (line["@timestamp"], line["event.action"], line["event.sequence"]) == (
        "2026-11-26T17:00:00.123Z",
        "payment.failed",
        3,
    )
    assert line["event.id"] == f"evt_{failed['event_id'].hex}"
    assert (line["jetway.money.amount"], line["jetway.money.currency"]) == (41250, "EUR")


def test_a_booking_is_known_again_and_its_reference_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same number on all of its lines, another one for another booking, and for who has another key."""
    business.tell_events([event("booking.held"), event("booking.confirmed"), event("booking.held", "BCDFGH")])
    held, confirmed, other = [line["jetway.booking.id"] for line in lines(capsys)]

    monkeypatch.setattr(settings(), "secret_key", "another-secret-of-thirty-two-characters")
    business.tell_events([event("booking.held")])

    assert held == confirmed
    assert len({held, other, lines(capsys)[0]["jetway.booking.id"], "K7QX2M"}) == 4


def test_only_bookings_and_payments_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Flights are the airline's news, and accounts are somebody's own affair."""
    business.tell_events([event("flight.delayed"), event("account.signed_up"), event("guest.link_requested")])

    assert lines(capsys) == []


def test_what_is_traced_leads_back_to_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    traced = event("booking.held") | {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    }

    business.tell_events([traced])

    assert lines(capsys)[0]["trace.id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_people_read_it_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In development, or where LOG_FORMAT says so."""
    monkeypatch.setattr(settings(), "log_format", "console")

    business.tell("search", [{"jetway.search.origin": "JFK", "jetway.search.return_date": None}], AT)

    assert capsys.readouterr().out == "17:00:00 search origin=JFK\n"


def test_searches_to_a_booking_are_counted_from_these_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """By the script of the guide: hot repeats count, an event that is told twice does not, and other lines are left."""
    search = {"jetway.search.source": "hot", "jetway.search.count": 19}
    confirmed, paid = event("booking.confirmed", total=PAID), event("payment.succeeded", amount=PAID)
    business.tell("search", [search, search | {"jetway.search.count": 1}], AT)
    business.tell_events([event("booking.held"), paid, confirmed, confirmed])
    written = capsys.readouterr().out + "Jetway does not start: JWT_SECRET is missing.\n"

    script = [sys.executable, str(ROOT / "docs/snippets/look_to_book.py")]
    done = subprocess.run(script, input=written, capture_output=True, text=True, check=True)

    assert done.stdout == "2026-11-26 look-to-book=20.0 confirmed=1 held=1 looks=20 paid EUR=41250\n"
