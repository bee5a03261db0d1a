"""Mails: queued with the event they tell of, sent once as far as anybody can know."""

import uuid
from datetime import timedelta
from email.utils import parseaddr
from random import uniform
from time import monotonic

from app.bookings import service as bookings
from app.core import clock, db
from app.core.config import settings
from app.core.db import Row, Session
from app.core.logging import logger
from app.core.metrics import EMAILS
from app.notifications import letters, repository, smtp
from app.notifications.kinds import TELLING, kind_of

log = logger("jetway.mail")

# Longer than an attempt can take, so that who is alive is never taken for lost.
_LEASE_SECONDS = 60
_RUN_SECONDS = 20.0
_MOST_ATTEMPTS = 20
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 15.0, 3600.0
# A mail that could not be sent for so long says nothing that its reader does not know.
_NEWS = timedelta(days=3)
_KEPT_DAYS = 30


async def queue(session: Session, events: list[Row]) -> bool:
    """Write the mails that events ask for, if any, into the relay's transaction; tells whether there are some."""
    pnrs = {event["data"].get("pnr", event["subject"]) for event in events if event["type"] in TELLING}
    addressees = await bookings.addressees(session, list(pnrs)) if pnrs else {}
    queued = False
    for event in events:
        addressee = addressees.get(event["data"].get("pnr", event["subject"]))
        kind = addressee and kind_of(event, addressee["status"])
        if addressee and kind:
            domain = parseaddr(settings().mail_from)[1].rpartition("@")[2]
            message_id = f"<{uuid.uuid4()}@{domain}>"
            await repository.add(session, event, kind, addressee["email"], addressee["locale"], message_id)
            queued = True
    return queued


async def send_due() -> None:
    """Send the mails that are due, one after the other, for a while; any number of senders may do so at once.

    When the server is not to be reached the run ends, so that an outage costs each mail few attempts.
    """
    ends_at = monotonic() + _RUN_SECONDS
    async with smtp.Connection() as server:
        while settings().smtp_url and monotonic() < ends_at:
            mail = await claim()
            if mail is None or not await attempt(server, mail):
                return


async def claim() -> Row | None:
    """A mail that is this sender's for the time of a lease, which is durable before anything is sent."""
    async with db.transaction() as session:
        return await repository.claim(session, uuid.uuid4(), _LEASE_SECONDS)


async def attempt(server: smtp.Connection, mail: Row) -> bool:
    """Send a claimed mail and keep how it went; whether others are worth trying now."""
    if mail["attempts"] > _MOST_ATTEMPTS:
        await _finish(mail, "failed", "given_up")
        return True
    try:
        letter = await _written(mail)
        if letter is None:
            await _finish(mail, "failed", "outdated")
            return True
        await server.send(smtp.message(mail, letter))
    except smtp.MailRefused as refusal:
        await _finish(mail, "failed", str(refusal))
    except smtp.MailDelayed as delay:
        await _later(mail, str(delay))
        return not isinstance(delay, smtp.ServerUnreachable)
    except Exception:
        # A mail that cannot be written must not keep the others from being sent.
        log.exception("mail not written", mail=mail["id"], kind=mail["kind"])
        await _later(mail, "not_written")
    else:
        await _finish(mail, "sent", None)
    return True


async def purge(session: Session) -> None:
    await repository.purge(session, _KEPT_DAYS)


async def _written(mail: Row) -> letters.Letter | None:
    if clock.now() - mail["created_at"] > _NEWS:
        return None
    async with db.transaction() as session:
        return await letters.write(session, mail)


async def _later(mail: Row, reason: str) -> None:
    """After twice the time of the last wait, and a little more or less, so that mails do not come back all at once."""
    if mail["attempts"] >= _MOST_ATTEMPTS:
        await _finish(mail, "failed", reason)
        return
    wait = min(_FIRST_WAIT_SECONDS * 2 ** (mail["attempts"] - 1), _LONGEST_WAIT_SECONDS)
    await _finish(mail, "queued", reason, wait * uniform(0.8, 1.2))


async def _finish(mail: Row, state: str, reason: str | None, wait_seconds: float = 0) -> None:
    async with db.transaction() as session:
        ours = await repository.finish(session, mail, state, reason and reason[:32], wait_seconds)
    outcome = {"queued": "later"}.get(state, state) if ours else "lost"
    EMAILS.labels(mail["kind"], outcome).inc()
    if outcome not in ("sent", "later") and reason != "outdated":
        log.warning("mail not sent", mail=mail["id"], kind=mail["kind"], outcome=outcome, reason=reason)
