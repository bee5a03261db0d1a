"""What is believed of a flight when news arrive, and what of it is worth telling. Pure rules.

Trust goes to what happened (actual times), then to the status, then to estimates; a vendor's own count of
minutes counts only where there is no time to count from.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.db import Row

DELAYED_MINUTES = 15
_ON_TIME_MINUTES = 5
_STEPS = {"departed": 1, "landed": 2}
_STEPS_TOLD = _STEPS | {"diverted": 1}
# What one source does not say does not undo what another has said.
_KEPT_WHEN_NULL = (
    "aircraft_type",
    "aircraft_registration",
    "aircraft_icao24",
    "departure_terminal",
    "departure_gate",
    "departure_estimated_at",
    "departure_actual_at",
    "arrival_terminal",
    "arrival_gate",
    "arrival_estimated_at",
    "arrival_actual_at",
    "baggage_belt",
)
_SCHEDULE = ("destination", "departs_local", "arrives_local", "departs_at", "arrives_at", "schedule_source")
_NEWS = ("status", "departure_delay_minutes", "arrival_delay_minutes", "source", "observed_at")
_RANK = {"projection": 0, "import": 2}
_A_PROVIDERS_RANK = 1
_EARLIEST, _LATEST = timedelta(hours=-12), timedelta(hours=72)


def merged(known: Row | None, new: Row) -> Row:
    """The flight as it is believed after news. Neither row is changed.

    A schedule of a better source stays: an operator's own file before a provider's forecast, and that before
    a projection. Files and projections bring no news of the day.
    """
    row = _plausible(new)
    if known is not None:
        if _rank(known) > _rank(new):
            row.update({name: known[name] for name in _SCHEDULE})
        settled = known["source"] not in _RANK or _rank(known) > _rank(new)
        if settled and _rank(new) != _A_PROVIDERS_RANK:
            row.update({name: known[name] for name in _NEWS})
        for name in _KEPT_WHEN_NULL:
            if row[name] is None and not _outdated(name, known, row):
                row[name] = known[name]
        # Two pages of a board may each name other carriers that sell the same flight.
        row["codeshares"] = sorted({*known["codeshares"], *row["codeshares"]})
    row["status"] = _believed(str((known or row)["status"]), row)
    _count_minutes(row)
    return row


def _outdated(name: str, known: Row, row: Row) -> bool:
    """An estimate belongs to the schedule that it was made for."""
    if not name.endswith("_estimated_at"):
        return False
    scheduled = "departs_at" if name.startswith("departure") else "arrives_at"
    return bool(known[scheduled] != row[scheduled])


def _rank(flight: Row) -> int:
    return _RANK.get(flight["schedule_source"], _A_PROVIDERS_RANK)


def _plausible(new: Row) -> Row:
    """Without estimates and actual times that lie days from the schedule, which are somebody's mistake."""
    row = dict(new)
    for side, scheduled in (("departure", row["departs_at"]), ("arrival", row["arrives_at"])):
        for kind in ("estimated", "actual"):
            name = f"{side}_{kind}_at"
            if row[name] is not None and not _EARLIEST <= row[name] - scheduled <= _LATEST:
                row[name] = None
    return row


def _believed(before: str, row: Row) -> str:
    """A flight does not come back from where it has arrived, and `unknown` is no news."""
    after = before if row["status"] == "unknown" else str(row["status"])
    if before == "landed" and after in ("scheduled", "departed"):
        return before
    if row["arrival_actual_at"] is not None and after not in ("landed", "diverted"):
        return before if before in ("landed", "diverted") else "landed"
    if row["departure_actual_at"] is not None and after in ("scheduled", "cancelled", "unknown"):
        return before if before in ("landed", "diverted") else "departed"
    return after


def _count_minutes(row: Row) -> None:
    for side, scheduled in (("departure", row["departs_at"]), ("arrival", row["arrives_at"])):
        told = row[f"{side}_actual_at"] or row[f"{side}_estimated_at"]
        if told is not None:
            row[f"{side}_delay_minutes"] = round((told - scheduled).total_seconds() / 60)


def shown(flight: Row) -> str:
    """The status that travellers see: `delayed` is ours, for a flight still to leave and late.

    Of a flight that has gone from the schedule nothing is known.
    """
    if flight["missed"] >= 2:
        return "unknown"
    late = flight["status"] == "scheduled" and delay_minutes(flight) >= DELAYED_MINUTES
    return "delayed" if late else str(flight["status"])


def delay_minutes(flight: Row) -> int:
    """How late it is expected to leave, from its times; 0 when nothing is said."""
    expected: datetime = flight["departure_estimated_at"] or flight["departs_at"]
    return max(0, int((expected - flight["departs_at"]).total_seconds() // 60))


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell, such as `flight.delayed`."""

    type: str
    data: dict[str, Any]


def told(flight: Row) -> tuple[list[News], Row]:
    """What to tell of a flight now, and the flight with what has been told kept in it.

    What a vendor could take back a minute later is told only when a second look has confirmed it:
    cancellations, diversions, gates, and departures and landings without a time.
    """
    seen = _SecondLook(flight)
    after, news = dict(flight), []
    after["announced_status"] = flight["announced_status"] or "scheduled"
    for status, when in (("departed", "departure_actual_at"), ("landed", "arrival_actual_at")):
        if _newly(after, flight, status) and (flight[when] is not None or seen.again(status)):
            news.append(News(f"flight.{status}", {}))
            after["announced_status"] = status
    for status in ("cancelled", "diverted"):
        if flight["status"] == status != after["announced_status"] and seen.again(status):
            news.append(News(f"flight.{status}", {}))
            after["announced_status"] = status
    if (
        flight["status"] == "scheduled"
        and after["announced_status"] == "cancelled"
        and seen.again("reinstated")
    ):
        after["announced_status"] = "scheduled"
    if flight["status"] == "scheduled" and after["announced_status"] == "scheduled":
        news += _delay(flight, after) + _gate(flight, after, seen)
    after["pending"] = seen.pending
    return news, after


class _SecondLook:
    """Remembers what was seen in an earlier observation and awaits confirmation by a later one."""

    def __init__(self, flight: Row) -> None:
        self._at = str(int(flight["observed_at"].timestamp()))
        self._before = dict(entry.rsplit("@", 1) for entry in flight["pending"])
        self.pending: list[str] = []

    def again(self, what: str) -> bool:
        """Whether an earlier look has shown the same."""
        first = self._before.get(what, self._at)
        if first != self._at:
            return True
        self.pending.append(f"{what}@{self._at}")
        return False


def _newly(after: Row, flight: Row, status: str) -> bool:
    """`departed` is reached by a flight that has landed, too, if it is known when it left."""
    reached, wanted = _STEPS.get(flight["status"], 0), _STEPS[status]
    if status == "departed" and reached > wanted and flight["departure_actual_at"] is None:
        return False
    return reached >= wanted > _STEPS_TOLD.get(after["announced_status"], 0)


def _delay(flight: Row, after: Row) -> list[News]:
    """Told when it has moved by a quarter of an hour since it was last told, and when it is on time again."""
    minutes, before = delay_minutes(flight), flight["announced_delay_minutes"]
    on_time_again = minutes < _ON_TIME_MINUTES and before >= DELAYED_MINUTES
    if abs(minutes - before) < DELAYED_MINUTES and not on_time_again:
        return []
    after["announced_delay_minutes"] = minutes
    return [News("flight.delayed", {"delay_minutes": minutes, "previous_delay_minutes": before})]


def _gate(flight: Row, after: Row, seen: _SecondLook) -> list[News]:
    """The first gate is no change."""
    gate, before = flight["departure_gate"], flight["announced_gate"]
    if gate is None or gate == before:
        return []
    if before is None:
        after["announced_gate"] = gate
        return []
    if not seen.again(f"gate {gate}"):
        return []
    after["announced_gate"] = gate
    return [News("flight.gate_changed", {"gate": gate, "previous_gate": before})]
