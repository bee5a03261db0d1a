"""What a change of schedule means to somebody who has booked.

minor < notable < material < significant; cancelled, withdrawn and reinstated stand apart. The limits are data,
in force from a date on. https://www.ecfr.gov/current/title-14/section-260.2
"""

from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import orjson

from app.airports.service import directory
from app.core import clock
from app.core.db import Row

NOTICED = ("notable", "material", "significant", "cancelled", "withdrawn", "reinstated")


def of(before: Row, after: Row, flight_id: int) -> Row | None:
    """The change between two schedules of a flight, or None if they are the same to a traveller."""
    places = ("origin", "destination")
    if all(before[name] == after[name] for name in ("departs_at", "arrives_at", *places)):
        return None
    return {
        "flight_id": flight_id,
        "materiality": materiality(before, after, clock.now().date()),
        "before": _facts(before),
        "after": _facts(after),
    }


def ended(flight: Row, how: str) -> Row:
    """The change of a flight that was cancelled, withdrawn from the schedule, or reinstated."""
    facts = {
        "departs_at": clock.rfc3339(flight["departs_at"]),
        "arrives_at": clock.rfc3339(flight["arrives_at"]),
    }
    return {"flight_id": flight["id"], "materiality": how, "before": facts, "after": {"status": how}}


def summed_up(first: Row, change: Row) -> Row:
    """A change and the minor ones before it, the first of which is given, as the one change that they make."""
    if "origin" not in change["after"]:
        return change
    whole = materiality(_read(first["before"]), _read(change["after"]), clock.now().date())
    return change | {"before": first["before"], "materiality": whole}


def materiality(before: Row, after: Row, on: date) -> str:
    """The class of a change by the rule in force on a day."""
    if before["origin"] != after["origin"] or before["destination"] != after["destination"]:
        return "significant"
    rule = next(rule for rule in _rules() if date.fromisoformat(rule["from"]) <= on)
    earlier: timedelta = before["departs_at"] - after["departs_at"]
    later: timedelta = after["arrives_at"] - before["arrives_at"]
    places = directory()
    same_country = places.find(after["origin"]).country == places.find(after["destination"]).country
    significant = rule["significant_minutes"]["domestic" if same_country else "international"]
    if max(earlier, later) >= timedelta(minutes=significant):
        return "significant"
    shift = max(abs(earlier), abs(later))
    if shift >= timedelta(minutes=rule["material_minutes"]):
        return "material"
    return "notable" if shift >= timedelta(minutes=rule["notable_minutes"]) else "minor"


def _facts(schedule: Row) -> Row:
    def instant(name: str) -> str:
        value: datetime = schedule[name]
        return clock.rfc3339(value)

    return {
        "origin": schedule["origin"],
        "destination": schedule["destination"],
        "departs_at": instant("departs_at"),
        "arrives_at": instant("arrives_at"),
    }


def _read(facts: Row) -> Row:
    instants = {name: datetime.fromisoformat(facts[name]) for name in ("departs_at", "arrives_at")}
    return facts | instants


@cache
def _rules() -> list[Row]:
    """Newest first."""
    rules: list[Row] = orjson.loads((Path(__file__).parent / "data" / "materiality.json").read_bytes())
    return sorted(rules, key=lambda rule: rule["from"], reverse=True)
