"""From an event of the outbox to one delivery for every subscription that may hear of it."""

from collections import defaultdict
from datetime import UTC, datetime

import orjson

from app.bookings import audience
from app.bookings.audience import Listener
from app.core import db, outbox, partitions, tracing
from app.core.db import Row, Session
from app.webhooks import repository
from app.webhooks.schemas import EVENTS

TABLES = ("webhook_messages", "webhook_deliveries", "webhook_attempts")

_months_made: set[datetime] = set()


async def queue(session: Session, events: list[Row]) -> bool:
    """Write messages and deliveries for the events that somebody subscribed to, into the relay's transaction."""
    public = [event for event in events if event["type"] in EVENTS]
    heard = await audience.of(session, public) if public else {}
    users = {listener.user_id for listeners in heard.values() for listener in listeners}
    subscriptions = defaultdict(list)
    for one in await repository.listening(session, list(users)) if users else ():
        subscriptions[one["user_id"]].append(one)
    if not subscriptions:
        return False
    deliveries = [
        (event, subscription)
        for event in public
        for subscription in {
            one["id"]: one
            for listener in heard.get(event["event_id"], ())
            for one in subscriptions[listener.user_id]
            if wants(one, event["type"], listener)
        }.values()
    ]
    return bool(await send(session, deliveries))


def wants(subscription: Row, event_type: str, listener: Listener) -> bool:
    """Whether a subscription asks for events of this type, and for those of this booking."""
    events, bookings = subscription["events"], subscription["bookings"]
    return (event_type in events or "*" in events) and (bookings is None or listener.pnr in bookings)


async def send(session: Session, deliveries: list[tuple[Row, Row]]) -> list[Row]:
    """Queue events for subscriptions, each once however often it is asked for. Gives the `id` of new deliveries.

    One that is disabled is sent nothing: its deliveries wait for somebody who enables it and has them replayed.
    """
    if not deliveries:
        return []
    events = {event["event_id"]: event for event, _ in deliveries}
    days = {event["created_at"].astimezone(UTC).date() for event in events.values()}
    await _make_months(session, {datetime(day.year, day.month, 1, tzinfo=UTC) for day in days})
    # An event that somebody asks for by hand was in no outbox: it belongs to their request.
    asked = {"traceparent": tracing.traceparent()}
    await repository.add_messages(
        session, [asked | event | {"body": orjson.dumps(outbox.envelope(event))} for event in events.values()]
    )
    return await repository.add_deliveries(session, deliveries)


async def _make_months(session: Session, months: set[datetime]) -> None:
    """Beat makes months ahead of time, but no event may have to wait for that."""
    missing = months - _months_made
    for month in missing:
        await partitions.make(session, TABLES, month)

    async def note() -> None:
        _months_made.update(missing)

    if missing:
        db.after_commit(session, note)
