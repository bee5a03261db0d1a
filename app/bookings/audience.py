"""Who may hear of an event: whose booking it is about, who is booked on the flight, who follows it."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.bookings import booked
from app.core.db import Row, Session
from app.flights import service as flights


@dataclass(frozen=True, slots=True)
class Listener:
    """`pnr` is the booking that makes the event theirs; None for who follows a flight, or for an account's own."""

    user_id: uuid.UUID
    pnr: str | None


async def of(session: Session, events: Sequence[Row]) -> dict[uuid.UUID, set[Listener]]:
    """The listeners of outbox events, by `event_id`, found for all of them at once. Most have one or none."""
    heard: dict[uuid.UUID, set[Listener]] = defaultdict(set)
    about_bookings = [event for event in events if event["type"].startswith(("booking.", "payment."))]
    if about_bookings:
        found = await booked.owners(session, list({event["subject"] for event in about_bookings}))
        owners = {row["pnr"]: Listener(row["user_id"], row["pnr"]) for row in found}
        for event in about_bookings:
            if event["subject"] in owners:
                heard[event["event_id"]].add(owners[event["subject"]])
    about_flights = [event for event in events if event["type"].startswith("flight.")]
    known = {event["subject"]: flights.identity(event["subject"]) for event in about_flights}
    by_flight = await _concerned(session, [flight for flight in known.values() if flight])
    for event in about_flights:
        heard[event["event_id"]] |= by_flight[known[event["subject"]]]
    for event in events:
        # What becomes of an account is told to its owner by mail, and to no program.
        if "user_id" in event["data"] and not event["type"].startswith("account."):
            heard[event["event_id"]].add(Listener(uuid.UUID(event["data"]["user_id"]), None))
    return heard


_Flight = tuple[str, str, date, str]


async def _concerned(session: Session, flights: list[_Flight]) -> dict[_Flight | None, set[Listener]]:
    concerned: dict[_Flight | None, set[Listener]] = defaultdict(set)
    for row in await booked.concerned(session, flights) if flights else ():
        flight = (row["carrier"], row["number"], row["departure_date"], row["origin"])
        concerned[flight].add(Listener(row["user_id"], row["pnr"]))
    return concerned
