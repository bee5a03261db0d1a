"""Small worlds of flights between airports that nobody else flies to, put into the sandbox."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tests.flights.support import at
from tests.support.client import Answer, Client, Sandbox


@dataclass(frozen=True)
class Leg:
    """A flight from one airport to another, at local clock times of both; `later` days after the first day."""

    flight: str
    origin: str
    departs: str
    destination: str
    arrives: str
    later: int = 0


async def fly(sandbox: Sandbox, day: date, *legs: Leg, **more: Any) -> None:
    for leg in legs:
        leaves = at(leg.origin, day + timedelta(days=leg.later), leg.departs)
        lands = at(leg.destination, day + timedelta(days=leg.later), leg.arrives)
        while lands <= leaves:
            lands += timedelta(days=1)
        facts = {"airline": leg.flight[:2], "number": leg.flight[2:], "aircraft": "A320", **more}
        await sandbox.flight(leg.origin, leg.destination, leaves, lands, **facts)


async def published(client: Client, day: date, *airports: str) -> None:
    """Have the departures of these airports fetched, so that they stay when the sandbox is reset."""
    for airport in airports:
        answer = await client.search(airport, "LHR", day, max_connections=0, limit=1)
        assert answer.status == 200, answer.body


def chains(answer: Answer) -> list[str]:
    """The flights of each offer's slices, in its order, each itinerary once: `ZZ8001+ZZ8002 / ZZ8003`."""
    assert answer.status == 200, answer.body
    found = [
        " / ".join("+".join(s["flight_number"] for s in one["segments"]) for one in offer["slices"])
        for offer in answer.body["data"]
    ]
    return list(dict.fromkeys(found))


def when(segment: dict[str, Any], name: str = "departing_at") -> datetime:
    return datetime.fromisoformat(segment[name])
