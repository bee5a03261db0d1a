"""Flights as rows, made to order, and a watcher that looks at one of them again and again."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.flights import status
from app.flights.status import News

DEPARTS = datetime(2026, 12, 1, 12, tzinfo=UTC)
ARRIVES = DEPARTS + timedelta(hours=2)
SEEN = DEPARTS - timedelta(hours=5)

Row = dict[str, Any]


def flight(**more: Any) -> Row:
    """A flight from Oslo to Bergen of which nothing is known but the schedule."""
    row: Row = {
        "carrier": "ZZ",
        "number": "101",
        "origin": "OSL",
        "destination": "BGO",
        "departs_local": DEPARTS.replace(tzinfo=None) + timedelta(hours=1),
        "arrives_local": ARRIVES.replace(tzinfo=None) + timedelta(hours=1),
        "departs_at": DEPARTS,
        "arrives_at": ARRIVES,
        "status": "scheduled",
        "codeshares": [],
        "source": "aviationstack",
        "schedule_source": "aviationstack",
        "observed_at": SEEN,
        "missed": 0,
        "baggage_belt": None,
    }
    for name in ("type", "registration", "icao24"):
        row[f"aircraft_{name}"] = None
    for side in ("departure", "arrival"):
        for name in ("terminal", "gate", "estimated_at", "actual_at", "delay_minutes"):
            row[f"{side}_{name}"] = None
    return row | more


def late(minutes: int) -> datetime:
    """So long after the scheduled departure."""
    return DEPARTS + timedelta(minutes=minutes)


class Watcher:
    """Sees a flight as it stands, minute by minute, and keeps what it has told of it."""

    def __init__(self, **first: Any) -> None:
        nothing_told = {
            "announced_status": None,
            "announced_delay_minutes": 0,
            "announced_gate": None,
            "pending": [],
        }
        self.flight = flight(**first) | nothing_told
        self.told: list[News] = []

    def sees(self, **changes: Any) -> list[str]:
        """What is told after a new look; the types of the events."""
        self.flight |= {"observed_at": self.flight["observed_at"] + timedelta(minutes=1), **changes}
        return self.looks_at_the_same_again()

    def looks_at_the_same_again(self) -> list[str]:
        """Nobody has asked the provider in between."""
        news, self.flight = status.told(self.flight)
        self.told += news
        return [one.type.removeprefix("flight.") for one in news]

    @property
    def types(self) -> list[str]:
        return [one.type.removeprefix("flight.") for one in self.told]
