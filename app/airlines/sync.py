"""Bringing the airlines up to date with the provider's: packaged rows are completed, its own are replaced.

A row learned from a flight is less than the provider's word, and becomes it.
"""

import uuid

from app.airlines import repository
from app.core.db import Row, Session
from app.jobs import reference
from app.jobs import service as jobs
from app.jobs.reference import Refused
from app.providers import registry

KIND = "airlines.sync"

_FACTS = ("icao", "name", "callsign", "country", "active", "accounting_code")


async def ask(session: Session, admin: uuid.UUID) -> Row:
    """The job that does it: a new one, or the one under way."""
    return await jobs.create(session, KIND, {}, admin, only_one=KIND)


@jobs.kind(KIND)
async def run(job: jobs.Running) -> Row:
    """Fetch the provider's airlines, compare, and put what is good in force at once."""
    source = registry.schedules()
    gathered = await reference.gather(job, source.airlines_page, _better)
    async with job.transaction() as session:
        known = {row["iata"]: row for row in await repository.every_locked(session)}
        diff = reference.compare(gathered, known, lambda new, old: _settled(new, old, source.name))
        own = sum(row["source"] == source.name for row in known.values())
        reference.require_plausible(diff, own, await jobs.last_result(session, KIND))
        await repository.put(session, [*diff.added.values(), *diff.changed.values()])
        await job.refuse(session, diff.refusals)
        return await job.finish(session, diff.result())


def _better(candidate: Row, rival: Row) -> bool:
    """Designators are given out again: of two airlines the one that flies has it now."""
    return bool(candidate["active"] and not rival["active"])


def _settled(record: Row, before: Row | None, source: str) -> Row:
    """The airline as it shall be. Raises Refused."""
    told = {name: record[name] for name in _FACTS if record[name] is not None}
    if before is None:
        if "name" not in told:
            raise Refused("name_missing", "A new airline needs a name.")
        return {"iata": record["iata"], **dict.fromkeys(_FACTS), **told, "source": source}
    if before["source"] != "packaged":
        return before | told | {"source": source}
    if before["icao"] and record["icao"] not in (None, before["icao"]):
        raise Refused("other_airline", f"The designator is known to be {before['icao']}'s.")
    if before["country"] and record["country"] not in (None, before["country"]):
        raise Refused("other_country", f"The airline is known to be from {before['country']}.")
    return before | {name: value for name, value in told.items() if before[name] is None}
