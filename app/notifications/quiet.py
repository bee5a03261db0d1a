"""Hours in which nobody wants to be woken, by the clock on the wall."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.flights.times import instants


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one clock reading to another, over midnight where the second is earlier."""

    begins: time
    ends: time
    zone: ZoneInfo

    def end(self, now: datetime) -> datetime | None:
        """When the hours are over in which `now` lies: the next time that the clock reads so. None outside of them.

        In the night in which clocks skip that reading, it is the moment as far past the change as the reading says.
        """
        there = now.astimezone(self.zone)
        if not self._hold(there.time()):
            return None
        day = there.date() + timedelta(days=there.time() >= self.ends)
        meant = instants(datetime.combine(day, self.ends), self.zone)
        return next((instant for instant in meant if instant > now), meant[-1])

    def _hold(self, clock: time) -> bool:
        if self.begins < self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends
