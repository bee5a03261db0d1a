"""Attack: code in place of values, for the database, for templates, for whatever prints documents."""

import re
from time import monotonic
from typing import Any
from urllib.parse import quote

import pytest
from markupsafe import escape

from tests.bookings.paid import somebody
from tests.notifications.support import Mails
from tests.ownership.conftest import Person
from tests.ownership.described import Operation
from tests.support.client import Client, booking
from tests.support.fleet import Fleet

SQL = [
    "' OR '1'='1",
    "'; SELECT pg_sleep(5)--",
    "1) UNION SELECT hashed_password FROM users--",
    "\\'; DROP TABLE bookings;--",
    "$1::text; COPY users TO PROGRAM 'id'",
]
# What an error of the database, or a traceback, would say.
LEAKS = re.compile(rb"syntax error|asyncpg|sqlalchemy|psycopg|Traceback|SELECT |relation \"|File \"", re.I)


def strings(operation: Operation) -> list[str]:
    """Its query parameters that could hold anything."""
    return [one["name"] for one in operation.description.get("parameters", ()) if one["in"] == "query"]


@pytest.mark.parametrize("code", SQL)
async def test_sql_in_every_parameter_of_every_query(
    described: list[Operation], ada: Person, code: str
) -> None:
    """Sort orders, cursors and limits among them: a refusal or nothing found, at once, and no word of SQL."""
    tried = 0
    for operation in described:
        if operation.method != "GET" or operation.path.endswith("/events") or "stream" in operation.path:
            continue
        names = strings(operation)
        for name in names if code is SQL[0] else names[-1:]:
            started = monotonic()
            answer = await ada.client.send("GET", f"{operation.at(ada.ids)}?{name}={quote(code)}")
            assert answer.status < 500, (str(operation), name)
            assert not LEAKS.search(answer.raw), (str(operation), name)
            assert monotonic() - started < 4, (str(operation), name)
            tried += 1
    assert tried > 8


@pytest.mark.parametrize("code", SQL)
async def test_sql_in_the_place_of_every_id(described: list[Operation], ada: Person, code: str) -> None:
    """There is nothing of that name, and nothing else happens."""
    for operation in described:
        if operation.collections and not operation.is_for_admins:
            evil = dict.fromkeys(operation.collections, quote(code, safe=""))
            answer = await operation.called(ada.client, evil)
            # Nobody follows such a flight, so there is nothing to be done.
            assert 400 <= answer.status < 500 or str(operation).startswith("DELETE /flights"), operation
            assert not LEAKS.search(answer.raw), operation
    assert (await ada.client.get(f"/bookings/{ada.ids['bookings']}")).status == 200


async def test_sql_in_a_name_is_a_name(api: Client) -> None:
    """It is kept as it was written, and does nothing."""
    name = "Robert'); DROP TABLE users;--"
    data = {"email": "robert.tables@example.com", "password": "a window seat, please", "full_name": name}

    signed_up = await api.post("/auth/signup", data)

    assert (signed_up.status, signed_up.body["user"]["full_name"]) == (201, name)


TEMPLATES = [
    "{{1337*1337}}",
    "${1337*1337}",
    "{% import os %}",
    '#read("/etc/passwd")',
    "<script>alert(1)</script>",
    "Ada\r\nBcc: x",
    "=cmd|' /C calc'!A1",
    "\\u202egnp",
    "a\u202eb",
    "%s%n",
    "(Ada) Tj ET",
]


async def test_code_in_a_name_or_a_wish_is_printed_as_text(
    traveller: Client, fleet: Fleet, mails: Mails
) -> None:
    """On pages, in mails, calendars and PDFs; what is no text at all is refused."""
    offer = await fleet.offer(traveller, await fleet.flight())
    wish = "<b onload=x>{{1337*1337}}"
    shown = []
    for code in TEMPLATES:
        person = somebody(family_name=code, services=[{"code": "SPML", "text": wish}])
        answer = await traveller.post("/bookings", booking(offer["id"], [person]))
        assert answer.status in (201, 422), code
        if answer.status == 201:
            shown.append((answer.body["pnr"], code))
    assert len(shown) > 3

    for pnr, code in shown:
        page = (await traveller.get(f"/bookings/{pnr}/itinerary.html")).raw.decode()
        assert str(escape(code)) in page or str(escape(wish)) in page, code
        assert not re.search("<script|<b onload|1787569", page.partition("<body")[2]), code
        calendar = (await traveller.get(f"/bookings/{pnr}/itinerary.ics")).raw.decode()
        assert re.findall(r"(?m)^(?:Bcc|DESCRIPTION:x)", calendar) == []
    pdf = (await traveller.get(f"/bookings/{shown[0][0]}/itinerary.pdf")).raw
    assert pdf.startswith(b"%PDF")
    for mail in await mails.sent():
        assert "<script" not in mail["html"]
        assert "<b onload" not in mail["html"]


async def test_a_pdf_has_nothing_that_acts(ada: Person) -> None:
    """No script, no launch, no file inside, whatever was booked."""
    pdf = (await ada.client.get(f"/bookings/{ada.ids['bookings']}/itinerary.pdf")).raw

    for active in (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/OpenAction", b"/AA "):
        assert active not in pdf


async def test_a_page_brings_no_script_and_lets_none_in(ada: Person) -> None:
    """Should a text ever slip through, the browser would not run it."""
    page = await ada.client.get(f"/bookings/{ada.ids['bookings']}/itinerary.html")

    assert b"<script" not in page.raw
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"


async def test_line_breaks_in_a_contact_reach_no_mail(traveller: Client, fleet: Fleet) -> None:
    """Or whoever books could add receivers and texts."""
    offer = await fleet.offer(traveller, await fleet.flight())
    for email in (
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com\n\nHello",
        "a@example.com,b@example.com",
    ):
        data: dict[str, Any] = booking(offer["id"], [somebody()]) | {"contact": {"email": email}}
        assert (await traveller.post("/bookings", data)).status == 422, email
