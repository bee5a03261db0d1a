"""Which flights a file has listed so far, in little memory: one number for all dates of a flight."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from app.core.db import Row


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a file speaks for a carrier, by UTC or by the clocks of the airports; None: without end."""

    carrier: str
    first: date
    last: date | None
    in_utc: bool = False

    def row(self) -> Row:
        """As it is saved."""
        return {**asdict(self), "first": self.first.isoformat(), "last": self.last and self.last.isoformat()}

    @classmethod
    def of(cls, row: Row) -> "Span":
        last = date.fromisoformat(row["last"]) if row["last"] else None
        return cls(row["carrier"], date.fromisoformat(row["first"]), last, row["in_utc"])


class Listed:
    """Dates by flight and airport of departure. A bit stands for a day, so a flight costs some 300 bytes."""

    def __init__(self, first: date) -> None:
        self._first = first
        self._days: dict[str, int] = {}
        self._changed: set[str] = set()

    def add(self, carrier: str, number: str, origin: str, days: Iterable[date]) -> list[bool]:
        """For each day, whether it had not been listed before."""
        key = _key(carrier, number, origin)
        known, new = self._days.get(key, 0), []
        for day in days:
            bit = self._bit(day)
            new.append(not known & bit)
            known |= bit
        self._days[key] = known
        self._changed.add(key)
        return new

    def has(self, carrier: str, number: str, origin: str, day: date) -> bool:
        return bool(self._days.get(_key(carrier, number, origin), 0) & self._bit(day))

    def carriers(self) -> set[str]:
        return {key[:2] for key in self._days}

    def changed(self) -> dict[str, str]:
        """What has changed since this was last asked, to be saved."""
        keys, self._changed = self._changed, set()
        return {key: f"{self._days[key]:x}" for key in keys}

    def recall(self, saved: dict[str, str]) -> None:
        """Know what was saved."""
        for key, days in saved.items():
            self._days[key] = self._days.get(key, 0) | int(days, 16)

    def _bit(self, day: date) -> int:
        return 1 << ((day - self._first) // timedelta(days=1))


def _key(carrier: str, number: str, origin: str) -> str:
    return f"{carrier}{number}-{origin}"
