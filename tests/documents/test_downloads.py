"""Who may have documents, and what comes with them."""

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio
import vobject
from pypdf import PdfReader

from app.documents import calendar, receipt
from tests.documents import papers
from tests.documents.support import ENGLISH, booking
from tests.support.client import Client, adult
from tests.support.fleet import Fleet
from tests.support.stack import ROOT

KINDS = {"pdf": "application/pdf", "html": "text/html; charset=utf-8", "ics": "text/calendar; charset=utf-8"}
EACH = pytest.mark.parametrize("kind", KINDS)

# The same booking, printed by a process in which sets of text have another order, after all is imported.
PRINT = """
import hashlib, sys
import app.documents.boarding, app.documents.router
from app.documents import calendar, receipt
from tests.documents.support import ENGLISH, booking
print(sorted({"typst", "babel", "icalendar", "zxingcpp"} & sys.modules.keys()))
for make in (receipt.pdf, calendar.ics):
    print(hashlib.sha256(make(booking(), ENGLISH)).hexdigest())
"""


@pytest.fixture(scope="module")
def elsewhere() -> list[str]:
    """What another process prints."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest_asyncio.fixture
async def booked(traveller: Client, fleet: Fleet) -> dict[str, Any]:
    offer = await fleet.offer(traveller, await fleet.flight())
    answer = await traveller.book(offer["id"], [adult(1, given_name="Zoë", family_name="Đặng")])
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.body
    return made


@EACH
async def test_the_owner_takes_them_along(traveller: Client, booked: dict[str, Any], kind: str) -> None:
    """By a name to save them under, and kept by no cache."""
    answer = await traveller.get(f"/bookings/{booked['pnr'].lower()}/itinerary.{kind}")

    assert (answer.status, answer.headers["Content-Type"]) == (200, KINDS[kind])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].endswith(f'; filename="itinerary-{booked["pnr"]}.{kind}"')
    assert answer.headers["Content-Language"] == "en"


@EACH
async def test_nobody_else_has_them(api: Client, booked: dict[str, Any], kind: str) -> None:
    """Not another user, not somebody unknown, and nobody has those of no booking."""
    stranger, path = await api.signed_up(), f"/bookings/{booked['pnr']}/itinerary.{kind}"

    assert (await stranger.get(path)).code == "booking_not_found"
    assert (await api.get(path)).status == 401
    assert (await stranger.get(f"/bookings/0%1F/itinerary.{kind}")).code == "booking_not_found"


async def test_they_are_of_this_booking(traveller: Client, booked: dict[str, Any]) -> None:
    """What was booked through the API is what is printed."""
    path = f"/bookings/{booked['pnr']}/itinerary"
    pdf, page, ics = [(await traveller.get(f"{path}.{kind}")).raw for kind in KINDS]
    [segment] = booked["slices"][0]["segments"]

    for text in (papers.text(pdf), page.decode()):
        assert booked["pnr"] in text
        assert "Zoë Đặng" in text
        assert "DANG/ZOE" in text
        assert segment["flight_number"] in text
        assert "Not a ticket yet" in text
    assert PdfReader(BytesIO(pdf)).metadata.title == f"Itinerary receipt {booked['pnr']}"  # type: ignore[union-attr]
    event = vobject.readOne(ics.decode()).vevent
    assert event.dtstart.value.isoformat() == segment["departing_at"]
    assert event.status.value == "TENTATIVE"


async def test_they_speak_the_readers_language(traveller: Client, booked: dict[str, Any]) -> None:
    """By parameter, else by the browser's wish; a language that is not there is refused."""
    path = f"/bookings/{booked['pnr']}/itinerary.html"
    wish = {"Accept-Language": "es-AR, de;q=0.5"}

    assert "Reisebeleg" in (await traveller.get(path, lang="de", headers=wish)).raw.decode()
    assert "Recibo de itinerario" in (await traveller.get(path, headers=wish)).raw.decode()
    assert (await traveller.get(path, lang="tlh")).code == "validation_error"


async def test_the_page_may_load_and_run_nothing(traveller: Client, booked: dict[str, Any]) -> None:
    """Whatever got into it."""
    answer = await traveller.get(f"/bookings/{booked['pnr']}/itinerary.html")

    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_others_are_served_while_a_document_is_drawn(
    traveller: Client, booked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve wait here to be drawn, more than there are database connections; other requests pass them by."""
    going_on = threading.Event()
    draw = receipt.pdf

    def slow(*facts: Any) -> bytes:
        assert going_on.wait(30)
        return draw(*facts)

    monkeypatch.setattr(receipt, "pdf", slow)
    path = f"/bookings/{booked['pnr']}/itinerary.pdf"
    drawing = [asyncio.create_task(traveller.get(path)) for _ in range(12)]
    await asyncio.sleep(0.05)

    answer = await asyncio.wait_for(traveller.get(f"/bookings/{booked['pnr']}"), 20)
    going_on.set()

    assert answer.status == 200
    assert [done.status for done in await asyncio.gather(*drawing)] == [200] * 12


def test_the_same_booking_gives_the_same_bytes_everywhere(elsewhere: list[str]) -> None:
    """In another process too, for whoever signs or compares them."""
    here = [hashlib.sha256(make(booking(), ENGLISH)).hexdigest() for make in (receipt.pdf, calendar.ics)]

    assert elsewhere[1:] == here


def test_a_process_that_prints_nothing_loads_no_printing(elsewhere: list[str]) -> None:
    """The libraries and fonts cost memory only where documents are asked for."""
    assert elsewhere[0] == "[]"
