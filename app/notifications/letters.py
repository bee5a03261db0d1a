"""A mail as it is written: its subject, its text and its HTML, from the booking or the flight as it is now.

It names travellers and flights, and neither documents nor what somebody paid with. A push says the same in its title
and sentences.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.auth import challenges, keys
from app.bookings import guests
from app.bookings import service as bookings
from app.core.config import settings
from app.core.db import Row, Session
from app.documents import calendar, receipt
from app.documents.languages import language
from app.flights import service as flights
from app.notifications import alerts, preferences
from app.notifications.kinds import alert_still_true, asks_for_answer, category, still_true
from app.notifications.wording import Values, Wording, wording

_WITH_FLIGHTS = ("booking_held", "booking_confirmed", "booking_changed", "answer_needed")
_WITH_PRICE = ("booking_held", "booking_confirmed")
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html.j2",)),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    unsubscribe: str | None = None


# Makes something to attach from a booking as its owner sees it, in a language.
Attach = Callable[[Row, str], Awaitable[Attachment]]


async def _receipt(booking: Row, spoken: str) -> Attachment:
    made = await asyncio.to_thread(receipt.pdf, booking, language(None, spoken))
    return Attachment("itinerary.pdf", "application/pdf", made)


async def _calendar(booking: Row, spoken: str) -> Attachment:
    made = await asyncio.to_thread(calendar.ics, booking, language(None, spoken))
    return Attachment("itinerary.ics", "text/calendar", made)


# What goes with a kind of mail.
ATTACHED: dict[str, tuple[Attach, ...]] = dict.fromkeys(
    ("booking_confirmed", "booking_changed"), (_receipt, _calendar)
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a row of mails or pushes says, before it is put into words."""

    words: Wording
    values: Values
    path: str
    facts: list[tuple[str, str]]
    booking: Row | None = None
    footer: str = "footer"


async def tell(session: Session, row: Row) -> Told | None:
    """What a row says in its `locale`, from what is so now; None if it is no longer so."""
    words = wording(row["locale"])
    match category(row["kind"]):
        case "flight_alerts":
            return await _alert(session, row, words)
        case "account":
            return (
                _webhook(row, words)
                if row["kind"] == "webhook_disabled"
                else await _owner(session, row, words)
            )
    return await _booking(session, row, words)


async def write(session: Session, mail: Row) -> Letter | None:
    """The letter for a row of mails, or None if what it would say is no longer so."""
    told = await tell(session, mail)
    if told is None:
        return None
    attached = ATTACHED.get(mail["kind"], ())
    attachments = [await attach(told.booking, told.words.language) for attach in attached if told.booking]
    user_id = mail["user_id"] if category(mail["kind"]) == "flight_alerts" else None
    unsubscribe = preferences.unsubscribe_url(user_id) if user_id else None
    return render(mail["kind"], told, tuple(attachments), unsubscribe)


async def _booking(session: Session, row: Row, words: Wording) -> Told | None:
    kind, data = row["kind"], row["data"]
    booking = await bookings.snapshot(session, data["pnr"])
    link = await guests.link(session, UUID(data["link_id"])) if kind == "guest_link" else None
    if not still_true(kind, booking["status"]) or (kind == "guest_link" and link is None):
        return None
    values = _values(words, booking, data)
    path = f"bookings/{booking['pnr']}"
    if link is not None:
        # Behind the #, so that the token reaches no server's log.
        path = f"bookings/guest#token={link['token']}"
        values["valid_until"] = words.moment(link["expires_at"], _zone(booking))
    return Told(words, values, path, _facts(kind, words, booking), booking)


async def _alert(session: Session, row: Row, words: Wording) -> Told | None:
    flight = await flights.find(session, row["data"]["flight_id"])
    if not alert_still_true(row["kind"], row["data"], flight):
        return None
    values = alerts.values(words, row["data"])
    pnr = row["data"].get("pnr")
    path = f"bookings/{pnr}" if pnr else f"flights/{row['data']['flight_id']}"
    return Told(words, values, path, alerts.facts(words, row["data"], values), footer="footer_alerts")


# Where the links of mails to an account's owner lead: pages of the front end, which post the token that stands behind
# the # and so reaches no server's log.
_PAGES = {
    "account_verify_email": "account/verify",
    "account_reset_password": "account/reset",
    "account_change_email": "account/email",
    "account_login_code": "account/login",
}


async def _owner(session: Session, row: Row, words: Wording) -> Told | None:
    values: Values = dict.fromkeys(("code", "valid_until", "api_keys", "api_key", "ends"))
    path = _PAGES.get(row["kind"], "account/security")
    if row["kind"] in ("account_password_changed", "account_api_key_ending"):
        live = (await keys.listed(session, UUID(row["data"]["user_id"])))["data"]
        values["api_keys"] = str(len(live)) if live else None
        ending = next((one for one in live if one["id"] == row["data"].get("key_id")), None)
        if ending is None and row["kind"] == "account_api_key_ending":
            return None
        if ending:
            values["api_key"] = ending["shown"]
            values["ends"] = words.moment(datetime.fromisoformat(ending["expires_at"]), "UTC")
    if asks_for_answer(row["kind"]):
        asked = await challenges.mailed(session, UUID(row["data"]["challenge_id"]))
        if asked is None:
            return None
        values["valid_until"] = words.moment(asked["expires_at"], "UTC")
        if row["kind"] == "account_login_code":
            values["code"] = asked["code"]
        else:
            path += f"#token={asked['token']}"
    return Told(words, values, path, [], footer="footer_account")


def _webhook(row: Row, words: Wording) -> Told:
    host, reason = row["data"]["host"], row["data"]["reason"]
    values: Values = {"host": host, "gone": host if reason == "gone" else None}
    values["failing"] = host if reason == "failing" else None
    path = f"webhooks/subscriptions/{row['data']['subscription_id']}"
    return Told(words, values, path, [], footer="footer_account")


def render(
    kind: str, told: Told, attachments: tuple[Attachment, ...] = (), unsubscribe: str | None = None
) -> Letter:
    words, values = told.words, told.values
    slices = told.booking["slices"] if told.booking and kind in _WITH_FLIGHTS else []
    shown: dict[str, Any] = {
        "language": words.language,
        "words": words.words,
        "title": words.line(kind, "title", values),
        "body": words.paragraphs(kind, values),
        "action": words.line(kind, "action", values),
        "url": f"{settings().public_url}/{told.path}",
        "facts": told.facts,
        "slices": [_slice(words, one) for one in slices],
        "footer": words.words[told.footer].format_map(values),
        "unsubscribe": unsubscribe,
    }
    text, html = (_templates.get_template(f"mail.{form}.j2").render(shown) for form in ("txt", "html"))
    return Letter(words.line(kind, "subject", values), text, html, attachments, unsubscribe)


def unsubscribe_page(language: str, *, done: bool) -> str:
    """A page that asks before it switches anything off, because programs that check mails follow links."""
    return _templates.get_template("unsubscribe.html.j2").render(
        language=language, words=wording(language).words, done=done
    )


def _facts(kind: str, words: Wording, booking: Row) -> list[tuple[str, str]]:
    facts = [(words.words["reference"], booking["pnr"])]
    if kind in _WITH_PRICE:
        names = [receipt.full_name(one) for one in booking["passengers"]]
        facts.append((words.words["travellers"], ", ".join(names)))
        facts.append((words.words["total"], words.money(booking["price"]["total"])))
    return facts


def _values(words: Wording, booking: Row, data: Row) -> Values:
    """What sentences may speak of; None where it is not known or not so."""
    first, last = booking["slices"][0]["segments"][0], booking["slices"][0]["segments"][-1]
    refund, amount, deadline = data.get("refund"), data.get("amount"), booking["hold_expires_at"]
    return {
        "pnr": booking["pnr"],
        "origin": _city(first["origin"]),
        "destination": _city(last["destination"]),
        "total": words.money(booking["price"]["total"]),
        "deadline": words.moment(datetime.fromisoformat(deadline), _zone(booking)) if deadline else None,
        "refund": words.money(refund) if refund and Decimal(refund["amount"]) else None,
        "amount": words.money(amount) if amount else None,
        "valid_until": None,
        **_change(words, booking, data),
    }


def _change(words: Wording, booking: Row, data: Row) -> Values:
    """What an event says of a change of one of the flights."""
    flight_id, after = data.get("flight_id"), data.get("after", {})
    segments = [segment for one in booking["slices"] for segment in one["segments"]]
    segment = next((one for one in segments if one["flight_id"] == flight_id), None)
    number = segment["flight_number"] if segment else flight_id and flight_id.partition("-")[0]
    how = after.get("status")

    def at(name: str, end: str) -> str | None:
        if segment is None or name not in after:
            return None
        return words.moment(datetime.fromisoformat(after[name]), segment[end]["time_zone"])

    return {
        "flight": number,
        "departs": at("departs_at", "origin"),
        "arrives": at("arrives_at", "destination"),
        "dropped": number if how in ("cancelled", "withdrawn") else None,
        "reinstated": number if how == "reinstated" else None,
    }


def _slice(words: Wording, one: Row) -> Row:
    segments = one["segments"]
    return {
        "origin": _city(segments[0]["origin"]),
        "destination": _city(segments[-1]["destination"]),
        "segments": [
            {
                "departs": words.local(datetime.fromisoformat(segment["departing_at"])),
                "arrives": words.local(datetime.fromisoformat(segment["arriving_at"])),
                "origin": f"{_city(segment['origin'])} ({segment['origin']['iata']})",
                "destination": f"{_city(segment['destination'])} ({segment['destination']['iata']})",
                "flight": segment["flight_number"],
                "operated_by": words.words["operated_by"].format(airline=segment["operated_by"]),
            }
            for segment in segments
        ],
    }


def _city(stop: Row) -> str:
    return str(stop["city"] or stop["name"])


def _zone(booking: Row) -> str:
    """The zone that the journey begins in."""
    return str(booking["slices"][0]["segments"][0]["origin"]["time_zone"])
