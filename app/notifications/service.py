"""Mails and pushes: queued with the event they tell of, sent once as far as anybody can know."""

import asyncio
import uuid
from collections.abc import Iterable
from datetime import timedelta
from email.utils import parseaddr
from time import monotonic

from app.bookings import audience
from app.bookings import service as bookings
from app.bookings.audience import Listener
from app.core import db
from app.core.config import settings
from app.core.db import Row, Session
from app.core.metrics import EMAILS, PUSHES
from app.notifications import devices, letters, repository, smtp, timing
from app.notifications.kinds import MANNERS, alike, category, kind_for_owner, kind_for_people, kind_of
from app.notifications.sending import Delayed, Dropped, Refused, Sender, Unreachable
from app.notifications.wording import LANGUAGES
from app.providers import registry
from app.providers.push import DeviceGone, PushDelayed, PushMessage, PushRefused, PushUnreachable

_RUN_SECONDS = 20.0
_PUSHES_AT_ONCE = 4
# A mail that could not be sent for so long says nothing that its reader does not know.
_NEWS = timedelta(days=3)
_KEPT_DAYS = 30


async def queue(session: Session, events: list[Row]) -> bool:
    """Write the mails and pushes that events ask for into the relay's transaction, with few statements for all.

    Tells whether there may be any.
    """
    about = {event["event_id"]: event["data"].get("pnr") for event in events}
    # Whatever state a booking is in, most events about it are no reason for a mail.
    pnrs = {
        pnr for event in events if kind_of(event, "") and isinstance(pnr := about[event["event_id"]], str)
    }
    addressees = await bookings.addressees(session, list(pnrs))
    mails, told, people = [], [], list[Row]()
    for event in events:
        row = {name: event[name] for name in ("event_id", "data", "created_at", "traceparent")}
        addressee = addressees.get(about[event["event_id"]])
        if kind := kind_for_owner(event):
            people += _to_people(row | {"kind": kind}, [Listener(uuid.UUID(event["data"]["user_id"]), None)])
        elif kind := kind_for_people(event):
            told.append((event, row | {"kind": kind}))
        elif addressee and (kind := kind_of(event, addressee["status"])):
            mails.append(row | {"kind": kind, "recipient": addressee["email"], "locale": addressee["locale"]})
            if kind in MANNERS:
                told.append((event, row | {"kind": kind}))
    domain = parseaddr(settings().mail_from)[1].rpartition("@")[2]
    await repository.add_mails(session, mails, domain)
    heard = await audience.of(session, [event for event, _ in told]) if told else {}
    people += [one for event, row in told for one in _to_people(row, heard.get(event["event_id"], ()))]
    by_mail = [one for one in people if one["category"] != "bookings"]
    await repository.add_mails_to_people(session, by_mail, domain)
    if settings().fcm_service_account:
        await repository.add_pushes(session, [one for one in people if one["kind"] in MANNERS])
    return bool(mails or people)


def _to_people(row: Row, listeners: Iterable[Listener]) -> list[Row]:
    """Once for each person, whatever makes the event theirs; with a booking of theirs, if it is by one."""
    pnrs: dict[uuid.UUID, str | None] = {}
    for listener in listeners:
        known = pnrs.get(listener.user_id)
        pnrs[listener.user_id] = min(filter(None, (known, listener.pnr)), default=None)
    return [
        row
        | {"user_id": user_id, "category": category(row["kind"])}
        | {"data": row["data"] | ({"pnr": pnr} if pnr else {})}
        for user_id, pnr in pnrs.items()
    ]


async def send_due() -> None:
    """Send the mails that are due, one after the other, for a while; any number of senders may do so at once.

    When the server is not to be reached the run ends, so that an outage costs each mail few attempts.
    """
    async with smtp.Connection() as server:
        if settings().smtp_url:
            await _work_off(mails_by(server))


async def push_due() -> None:
    """Push what is due, some at once, as mails are sent."""
    if settings().fcm_service_account:
        await asyncio.gather(*(_work_off(PUSHING) for _ in range(_PUSHES_AT_ONCE)))


async def _work_off(sender: Sender) -> None:
    ends_at = monotonic() + _RUN_SECONDS
    while monotonic() < ends_at:
        row = await sender.claim()
        if row is None or not await sender.attempt(row):
            return


def mails_by(server: smtp.Connection) -> Sender:
    async def send(mail: Row) -> None:
        await server.send(smtp.message(mail, await _letter(mail)))

    return Sender("emails", EMAILS, send)


async def _letter(mail: Row) -> letters.Letter:
    async with db.transaction() as session:
        if category(mail["kind"]) == "flight_alerts":
            reader = await repository.preferences(session, mail["user_id"]) or {}
            zone = reader["time_zone"] or reader["device_zone"]
            await timing.check(session, "emails", mail, reader, zone)
        timing.is_fresh(mail, _NEWS)
        letter = await letters.write(session, mail)
    if letter is None:
        raise Dropped("outdated")
    return letter


async def _push(row: Row) -> None:
    async with db.transaction() as session:
        device = await repository.device(session, row["device_id"])
        if device is None:
            raise Dropped("device_removed")
        message = await _message(session, row, device)
    try:
        await registry.pushes().send(devices.token(device), message)
    except DeviceGone as gone:
        async with db.transaction() as session:
            await repository.forget_device(session, device)
        raise Dropped(gone.code) from None
    except PushRefused as refusal:
        raise Refused(refusal.code) from None
    except PushUnreachable as outage:
        raise Unreachable(outage.code, outage.retry_after_seconds) from None
    except PushDelayed as delay:
        raise Delayed(delay.code) from None


async def _message(session: Session, row: Row, device: Row) -> PushMessage:
    """What a push says: a mail's title and sentences, and what the app needs to open the right page."""
    reader = await repository.preferences(session, device["user_id"]) or {}
    await timing.check(session, "pushes", row, reader, reader["time_zone"] or device["time_zone"])
    spoken = (device["locale"] or "")[:2].lower()
    locale = spoken if spoken in LANGUAGES else reader["locale"]
    told = await letters.tell(session, row | {"locale": locale})
    if told is None:
        raise Dropped("outdated")
    kind, about = (
        row["kind"],
        {name: row["data"][name] for name in ("flight_id", "pnr") if name in row["data"]},
    )
    return PushMessage(
        title=told.words.line(kind, "title", told.values),
        body=" ".join(told.words.paragraphs(kind, told.values)),
        subject="/".join((about.get("flight_id") or about["pnr"], alike(kind)[0])),
        until=row["created_at"] + MANNERS[kind].news,
        data={"id": str(row["message_id"]), "kind": kind, "path": f"/{told.path}", **about},
    )


PUSHING = Sender("pushes", PUSHES, _push)


async def purge(session: Session) -> None:
    for table in ("emails", "pushes"):
        await repository.purge(session, table, _KEPT_DAYS)
