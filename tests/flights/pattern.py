"""One airport whose vendor does not publish every date, and what is stored of it."""

import itertools
from datetime import date
from typing import Any

from tests.support.client import Answer, Client, Sandbox

AIRPORT, OTHER = "GOT", "CPH"

_limits = itertools.cycle(range(100, 30, -1))


async def window(sandbox: Sandbox, mode: str) -> None:
    """Which dates the vendor publishes from now on."""
    await sandbox.control("POST", "/settings", {"window": mode})


async def search(api: Client, day: date) -> Answer:
    """As if for the first time: no cache knows the answer."""
    return await api.search(AIRPORT, OTHER, day, limit=next(_limits))


async def departures(sql: Any, day: date) -> dict[str, dict[str, Any]]:
    """What is stored of the airport's departures, by flight number."""
    found = await sql(
        "SELECT *, carrier || number AS flight FROM flights"
        " WHERE origin = :airport AND departure_date = :day AND missed < 2",
        airport=AIRPORT,
        day=day,
    )
    return {row["flight"]: row for row in found}


async def assert_true(sandbox: Sandbox, sql: Any, day: date) -> None:
    """What is stored of a day is what will really fly then, to the minute."""
    real = (await sandbox.control("GET", f"/flights?origin={AIRPORT}&date={day}"))["flights"]
    stored = await departures(sql, day)
    assert real
    assert {
        name: tuple(f"{row[end]:%Y-%m-%dT%H:%M:%SZ}" for end in ("departs_at", "arrives_at"))
        for name, row in stored.items()
    } == {flight["flight"]: (flight["departure"], flight["arrival"]) for flight in real}


async def forget(sql: Any) -> None:
    """What another test has fetched of the airport would stand in for what this one wants."""
    await sql("DELETE FROM schedule_boards WHERE airport = :airport", airport=AIRPORT)
    await sql(
        "DELETE FROM flight_changes USING flights f WHERE f.id = flight_id AND f.origin = :airport",
        airport=AIRPORT,
    )
    await sql("DELETE FROM flights WHERE origin = :airport", airport=AIRPORT)
