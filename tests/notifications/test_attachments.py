"""What travellers take along comes with the mail."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
import vobject

from app.notifications import letters, smtp
from tests.documents import papers
from tests.notifications.support import Mails
from tests.payments.support import VISA


async def confirmed(mails: Mails, **passenger: Any) -> tuple[str, dict[str, Any]]:
    """A booking that was paid for, and the mail that says so."""
    pnr = await mails.booked(**passenger)
    assert (await mails.traveller.post(f"/bookings/{pnr}/payments", VISA)).status == 201
    mail = (await mails.sent())[-1]
    assert "confirmed" in mail["subject"]
    return pnr, mail


def attached(mail: dict[str, Any]) -> dict[str, bytes]:
    return {one["name"]: base64.b64decode(one["content"]) for one in mail["attachments"]}


async def test_a_confirmed_booking_brings_its_receipt_and_calendar(mails: Mails) -> None:
    """With the tickets and the card; the very documents that the API gives."""
    pnr, mail = await confirmed(mails, given_name="Zoë")

    files = attached(mail)

    assert [(one["name"], one["media_type"]) for one in mail["attachments"]] == [
        ("itinerary.pdf", "application/pdf"),
        ("itinerary.ics", "text/calendar"),
    ]
    booked = (await mails.traveller.get(f"/bookings/{pnr}")).body
    text = papers.text(files["itinerary.pdf"])
    number = booked["passengers"][0]["ticket_number"]
    for said in (pnr, "Zoë Lovelace", f"{number[:3]}-{number[3:]}", "Visa •••• 4242"):
        assert said in text
    event = vobject.readOne(files["itinerary.ics"].decode()).vevent
    assert (event.status.value, "Tromsø" in event.summary.value) == ("CONFIRMED", True)
    for name, made in files.items():
        assert (await mails.traveller.get(f"/bookings/{pnr}/{name}")).raw == made


@pytest.mark.parametrize(("locale", "said"), [("de", "Reisebeleg"), ("fr", "Reçu d’itinéraire")])  # noqa: RUF001
async def test_they_speak_the_language_of_the_mail(mails: Mails, locale: str, said: str) -> None:
    """As the account does."""
    await mails.sql(
        "UPDATE users SET locale = :locale WHERE email = :email",
        locale=locale,
        email=mails.traveller.user["email"],
    )
    pnr = await mails.booked()
    await mails.happens(pnr, "booking.confirmed", "confirmed")

    files = attached((await mails.sent())[-1])

    assert said in papers.text(files["itinerary.pdf"])


async def test_a_changed_flight_brings_the_new_times(mails: Mails) -> None:
    """The calendar's event is the one that is there already, moved."""
    pnr, first = await confirmed(mails)
    before = vobject.readOne(attached(first)["itinerary.ics"].decode()).vevent
    await mails.sql(
        "UPDATE flights SET departs_at = departs_at + interval '1 hour' WHERE id IN (SELECT flight_id"
        " FROM booking_segments s JOIN bookings b ON b.id = s.booking_id WHERE b.pnr = :pnr)",
        pnr=pnr,
    )
    flight = (await mails.traveller.get(f"/bookings/{pnr}")).body["slices"][0]["segments"][0]["flight_id"]
    await mails.happens(pnr, "booking.changed", flight_id=flight, materiality="material", after={})

    mail = (await mails.sent())[-1]

    after = vobject.readOne(attached(mail)["itinerary.ics"].decode()).vevent
    assert after.uid.value == before.uid.value
    assert (after.dtstart.value - before.dtstart.value).total_seconds() == 3600
    assert "itinerary.pdf" in attached(mail)


def test_mail_clients_are_told_the_calendars_alphabet() -> None:
    """Without it they take it for ASCII, and Tromsø for something else."""
    calendar = letters.Attachment("itinerary.ics", "text/calendar", "Tromsø".encode())
    mail = {
        "recipient": "ada@example.com",
        "created_at": datetime.now(UTC),
        "message_id": "<1@example.com>",
        "locale": "en",
    }

    [part] = smtp.message(mail, letters.Letter("S", "T", "<p>H</p>", (calendar,))).iter_attachments()

    assert part.get_content() == "Tromsø"
