"""The sky as it really is, what was asked of the vendor, and how the product is made to forget."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.airlines import service as airlines
from app.core import db, redis
from app.live import paths, tiles
from app.providers.opensky import tokens
from tests.support.client import Sandbox, iso

STATES, TRACKS = "/api/states/all", "/api/tracks/all"
TOKENS = "/auth/realms/opensky-network/protocol/openid-connect/token"
EUROPE = "-10,40,10,60"
LONDON = "-2,50.5,2,52.5"


# Those of these tests, and what the product has learned of flights that were made to order.
_NO_FLIGHTS = """
    DELETE FROM flights WHERE (source = 'the sky' OR aircraft_icao24 LIKE '401FF%')
      AND id NOT IN (SELECT flight_id FROM inventory UNION SELECT flight_id FROM flight_changes)
"""


@dataclass
class Sky:
    sandbox: Sandbox

    async def forget(self) -> None:
        """As after a start, with all the credits of the day."""
        await tiles.close()
        tiles.forget()
        paths.forget()
        tokens.forget()
        if keys := await redis.client().keys("live:*"):
            await redis.client().delete(*keys)
        async with db.transaction() as session:
            await db.rows(session, "DELETE FROM provider_budgets WHERE provider = 'opensky'")
            await db.rows(session, _NO_FLIGHTS)
            await airlines.learn(session, {"ZZ": ("Sandbox Air", "ZQS")})

    async def grow_old(self) -> None:
        """Let every picture be one that the vendor has newer ones for."""
        for held in tiles._held.values():
            held.fresh_until = held.rest_until = 0.0
        if keys := [
            key for key in await redis.client().keys("live:*") if key.endswith((b":fresh", b":failure"))
        ]:
            await redis.client().delete(*keys)

    async def set(self, **settings: Any) -> Any:
        return (await self.sandbox.control("POST", "/settings", {"opensky": settings}))["opensky"]

    async def calls(self, path: str = STATES) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.sandbox.control("GET", f"/journal?path={path}"))["requests"]
        return found

    async def truth(self, icao24: str | None = None) -> list[dict[str, Any]]:
        """Everything in the air, heard by anybody or not."""
        asked = f"?icao24={icao24}" if icao24 else ""
        found: list[dict[str, Any]] = (await self.sandbox.control("GET", f"/positions{asked}"))["positions"]
        return found

    async def airborne(
        self, origin: str = "LHR", destination: str = "FRA", minutes: int = 40, left: int = 40, **more: Any
    ) -> dict[str, Any]:
        """Send up a flight that left some minutes ago and has some minutes left."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        gone, to_come = timedelta(minutes=minutes), timedelta(minutes=left)
        flight: dict[str, Any] = await self.sandbox.flight(
            origin, destination, now - gone, now + to_come, **more
        )
        return flight


async def know(sql: Any, flight: dict[str, Any], **more: Any) -> int:
    """Let the product know a flight of the sandbox's, as a board would have told it."""
    values = {
        "carrier": flight["airline"],
        "number": flight["number"],
        "day": datetime.fromisoformat(flight["date"]).date(),
        "origin": flight["origin"],
        "destination": flight["destination"],
        "departs_at": datetime.fromisoformat(flight["departure"]),
        "arrives_at": datetime.fromisoformat(flight["arrival"]),
        "status": "scheduled",
        "icao24": flight["icao24"],
        "actual": None,
        "codeshares": [],
    } | more
    made = await sql(
        """
        INSERT INTO flights (carrier, number, departure_date, origin, destination, departs_local, arrives_local,
                             departs_at, arrives_at, status, aircraft_icao24, departure_actual_at, codeshares, source,
                             observed_at)
        VALUES (:carrier, :number, :day, :origin, :destination, :departs_local, :arrives_local,
                :departs_at, :arrives_at, :status, :icao24, :actual, :codeshares, 'the sky', now())
        ON CONFLICT (carrier, number, departure_date, origin) DO UPDATE SET status = excluded.status
        RETURNING id
        """,
        departs_local=values["departs_at"].replace(tzinfo=None),
        arrives_local=values["arrives_at"].replace(tzinfo=None),
        **values,
    )
    return int(made[0]["id"])


def km(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The distance between two positions."""
    up, other_up = math.radians(one["latitude"]), math.radians(other["latitude"])
    aside = math.radians(other["longitude"] - one["longitude"])
    cosine = math.sin(up) * math.sin(other_up) + math.cos(up) * math.cos(other_up) * math.cos(aside)
    return 6371 * math.acos(max(-1.0, min(1.0, cosine)))


def ago(seconds: float) -> str:
    return iso(datetime.now(UTC) - timedelta(seconds=seconds))
