"""Jobs in the database, and a provider that says what a test wants to hear."""

import uuid
from collections.abc import Callable
from typing import Any

from app.core import db
from app.core.db import Session
from app.jobs import service
from app.providers.base import AirlineRecord, AirportRecord, ReferencePage


class Jobs:
    """What became of jobs, and ways to make time pass for them."""

    def __init__(self, sql: Any) -> None:
        self.sql = sql

    async def ask(self, kind: str, only_one: str | None = None, **more: Any) -> uuid.UUID:
        async with db.transaction() as session:
            job = await service.create(session, kind, more.pop("arguments", {}), None, only_one, **more)
        asked: uuid.UUID = job["id"]
        return asked

    async def row(self, job_id: Any) -> dict[str, Any]:
        [found] = await self.sql("SELECT * FROM jobs WHERE id = CAST(:id AS uuid)", id=str(job_id))
        row: dict[str, Any] = found
        return row

    async def lose_the_worker(self, session: Session | None = None) -> None:
        """As if nobody had heard of the workers of running jobs for a minute."""
        statement = "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'"
        await (db.rows(session, statement) if session else self.sql(statement))

    async def wait_is_over(self) -> None:
        """As if the moment had come for which jobs wait."""
        await self.sql("UPDATE jobs SET not_before = now() WHERE status = 'queued'")

    async def refusals(self, job_id: Any) -> dict[str, str]:
        """Code by what was refused, for messages that begin with it."""
        found = await self.sql(
            "SELECT code, message FROM job_refusals WHERE job_id = CAST(:id AS uuid)", id=str(job_id)
        )
        return {row["message"].split(":")[0]: row["code"] for row in found}


class FakeSource:
    """A provider's table, page by page; `airports` and `airlines` may be changed in between."""

    name = "aviationstack"

    def __init__(self, records: list[Any], size: int = 2) -> None:
        self.records, self.size, self.asked = records, size, list[int]()
        self.before_answer: Callable[[int], Any] | None = None

    async def page(self, offset: int) -> ReferencePage[Any]:
        self.asked.append(offset)
        if self.before_answer is not None:
            await self.before_answer(offset)
        found = self.records[offset : offset + self.size]
        more = offset + len(found) < len(self.records)
        return ReferencePage(found, offset + len(found) if more else None, len(self.records), 0)

    airports_page = airlines_page = page


def airport(iata: str | None = "QEA", **more: Any) -> AirportRecord:
    """An airport in Norway that nobody knows, unless said otherwise."""
    plain = {"icao": None, "name": f"Field {iata}", "city_code": None, "country": "NO"}
    place = {"latitude": 60.5, "longitude": 10.5, "time_zone": "Europe/Oslo"}
    return AirportRecord(**{"iata": iata, **plain, **place, **more})


def airline(iata: str, **more: Any) -> AirlineRecord:
    return AirlineRecord(**{"iata": iata, "name": f"Airline {iata}", **more})
