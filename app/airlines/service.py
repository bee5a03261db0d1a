"""Airlines: looked up, and learned from what a provider says of them."""

from collections.abc import Sequence

from app.airlines import repository
from app.airlines.errors import AirlineNotFound
from app.airlines.models import Airline
from app.core.db import Row, Session
from app.providers.base import AirlineRecord


async def read(session: Session, iata: str) -> Airline:
    """Raises AirlineNotFound."""
    airline = await repository.one(session, iata.upper())
    if airline is None:
        raise AirlineNotFound(f"There is no airline {iata.upper()}.")
    return airline


async def page(session: Session, query: str, country: str | None, start: int, size: int) -> Sequence[Airline]:
    return await repository.page(session, query.strip(), country, start, size)


async def store(session: Session, airlines: list[AirlineRecord]) -> None:
    """Keep what a provider knows; the same airline twice is one row."""
    rows: dict[str, Row] = {}
    for airline in airlines:
        rows[airline.iata] = {
            "iata": airline.iata,
            "icao": airline.icao,
            "name": airline.name,
            "callsign": airline.callsign,
            "country": airline.country,
            "active": airline.active,
        }
    await repository.upsert(session, list(rows.values()))


async def learn(session: Session, seen: dict[str, tuple[str, str | None]]) -> None:
    """Add airlines that a schedule names and we do not know yet: designator → (name, ICAO designator)."""
    unknown = set(seen) - await repository.known(session) if seen else set()
    await store(
        session, [AirlineRecord(iata=iata, icao=seen[iata][1], name=seen[iata][0]) for iata in unknown]
    )
