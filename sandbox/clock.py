"""The sandbox's time: real time plus an offset that anybody may move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# Time zones are known for these years, and no sum of days can run out of the calendar.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class Clock:
    """Ticks at the pace of the real clock from wherever it was set."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start
        self.reset()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def set(self, moment: datetime) -> None:
        if not EARLIEST <= moment < LATEST:
            raise ValueError(f"the clock runs from {EARLIEST.year} to {LATEST.year}")
        self._offset = moment - datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        self.set(self.now() + timedelta(seconds=seconds))

    def reset(self) -> None:
        """Back to where it started, which is real time unless another start was given."""
        self._offset = timedelta()
        if self._start is not None:
            self.set(self._start)
