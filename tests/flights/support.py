"""What several tests of schedules need: the journal by board, ageing a board, waiting for a condition."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.airports.service import directory
from tests.support.client import Answer, Sandbox


async def calls(sandbox: Sandbox, airport: str, day: date | None = None) -> int:
    """How often the vendor was asked for an airport's board: of one later day, or of today."""
    asked = [entry["params"] for entry in (await sandbox.control("GET", "/journal"))["requests"]]
    if day is None:
        return sum(params.get("dep_iata") == airport for params in asked)
    return sum(params.get("iataCode") == airport and params.get("date") == str(day) for params in asked)


async def truth(sandbox: Sandbox, origin: str, destination: str, day: date) -> list[dict[str, Any]]:
    """A market's flights on one day as they really are, in UTC."""
    path = f"/flights?origin={origin}&destination={destination}&date={day}"
    found: list[dict[str, Any]] = (await sandbox.control("GET", path))["flights"]
    return found


async def board(sql: Any, airport: str, day: date) -> dict[str, Any]:
    """What is known of a board; empty if nothing is."""
    found = await sql(
        "SELECT *, fresh_until > now() AS fresh, retry_at > now() AS waiting FROM schedule_boards"
        " WHERE airport = :airport AND local_date = :day",
        airport=airport,
        day=day,
    )
    return found[0] if found else {}


async def age(sql: Any, airport: str, day: date) -> None:
    """Make a board old, as a day would."""
    await sql(
        "UPDATE schedule_boards SET fresh_until = now() - interval '1 second', retry_at = NULL"
        " WHERE airport = :airport AND local_date = :day",
        airport=airport,
        day=day,
    )


async def forget(sql: Any, airport: str) -> None:
    """Let nothing be known of an airport's boards, so that no other week's pattern can stand in."""
    await sql("DELETE FROM schedule_boards WHERE airport = :airport", airport=airport)


async def time_to_try_again(sql: Any) -> None:
    """Let every pause be over: of boards, and of the vendor's endpoints."""
    await sql("UPDATE schedule_boards SET retry_at = now() WHERE retry_at > now()")
    await sql("UPDATE provider_endpoints SET paused_until = now() WHERE paused_until > now()")


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 10) -> None:
    """Wait for something that happens in the background."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  It happens in another process or task.
            await asyncio.sleep(0.02)


def at(airport: str, day: date, clock: str) -> datetime:
    """The instant at which a clock at an airport shows this; the first of two."""
    reading = datetime.combine(day, time.fromisoformat(clock))
    return reading.replace(tzinfo=directory().find(airport).zone).astimezone(UTC)


def segments(answer: Answer) -> dict[str, dict[str, Any]]:
    """The first segment of every offer, by flight number."""
    assert answer.status == 200, answer.body
    found = [offer["slices"][0]["segments"][0] for offer in answer.body["data"]]
    return {segment["flight_number"]: segment for segment in found}


def early_morning(*airports: str) -> str:
    """One of these airports where today still lasts for some hours and has begun a while ago."""
    now = datetime.now(UTC)
    local = {iata: now.astimezone(ZoneInfo(directory().find(iata).time_zone)) for iata in airports}
    return min(airports, key=lambda iata: abs(local[iata].hour + local[iata].minute / 60 - 8))


def clock_change(zone: str, *, forward: bool) -> date:
    """The next day on which clocks in a zone go forward or back."""
    place, day = ZoneInfo(zone), datetime.now(UTC).date() + timedelta(days=2)
    while True:
        today = datetime.combine(day, time(), place).utcoffset()
        tomorrow = datetime.combine(day + timedelta(days=1), time(), place).utcoffset()
        assert today is not None
        assert tomorrow is not None
        if tomorrow > today if forward else tomorrow < today:
            return day
        day += timedelta(days=1)
