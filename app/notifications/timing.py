"""Whether something is to be told now, later, or not at all, by what its reader wants and has heard."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.core import clock
from app.core.db import Row, Session
from app.notifications import repository
from app.notifications.kinds import MANNERS, alike, category, says, wakes_from
from app.notifications.quiet import QuietHours
from app.notifications.sending import Dropped, Waits

# The same thing said again within this time was a vendor's to and fro.
_SAID_AGAIN = timedelta(hours=1)
_NO_ZONE = "UTC"


async def check(session: Session, table: repository.Table, row: Row, reader: Row, zone: str | None) -> None:
    """Raises Dropped or Waits, unless a row may be sent now to a reader with these preferences, whose clock runs so."""
    kind, now = row["kind"], clock.now()
    is_fresh(row, MANNERS[kind].news)
    channel = "push" if table == "pushes" else "email"
    if reader.get(f"{category(kind)}_{channel}") is False:
        raise Dropped("unwanted")
    ends = _quiet_until(row, reader, zone or _NO_ZONE, now)
    if ends is not None:
        raise Waits("quiet_hours", (ends - now).total_seconds())
    if category(kind) == "flight_alerts":
        await _is_news(session, table, row, now)


def is_fresh(row: Row, news: timedelta) -> None:
    """Raises Dropped for what became true so long ago that its reader knows by now."""
    if clock.now() - row["created_at"] > news:
        raise Dropped("outdated")


def _quiet_until(row: Row, reader: Row, zone: str, now: datetime) -> datetime | None:
    begins: time | None = reader["quiet_from"]
    ends: time | None = reader["quiet_to"]
    if begins is None or ends is None or MANNERS[row["kind"]].at_once:
        return None
    over = QuietHours(begins, ends, ZoneInfo(zone)).end(now)
    wakes = wakes_from(row["kind"], row["data"])
    until = min(over, wakes) if over and wakes else over
    return until if until and until > now else None


async def _is_news(session: Session, table: repository.Table, row: Row, now: datetime) -> None:
    """Who was told nothing of a delay need not hear that it is over, nor anybody the same thing twice."""
    last = await repository.last_sent(session, table, row, alike(row["kind"]))
    if row["kind"] == "flight_on_time" and (last is None or last["kind"] == row["kind"]):
        raise Dropped("no_news")
    same = last is not None and says(last["kind"], last["data"]) == says(row["kind"], row["data"])
    if last is not None and same and now - last["sent_at"] < _SAID_AGAIN:
        raise Dropped("said_already")
