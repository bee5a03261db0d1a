"""Every question to the airlines table."""

from collections.abc import Sequence

from sqlalchemy import case, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.airlines.models import Airline
from app.core.db import Row, Session


async def one(session: Session, iata: str) -> Airline | None:
    return await session.get(Airline, iata)


async def page(session: Session, query: str, country: str | None, start: int, size: int) -> Sequence[Airline]:
    """Exact designator first, then names that start with the query, then names that hold it."""
    name, wanted = func.lower(Airline.name), query.lower()
    rank = case(
        (func.lower(Airline.iata) == wanted, 0),
        (func.lower(Airline.icao) == wanted, 1),
        (name.startswith(wanted, autoescape=True), 2),
        else_=3,
    )
    statement = select(Airline).order_by(rank, name, Airline.iata).offset(start).limit(size)
    if query:
        statement = statement.where(or_(rank < 3, name.contains(wanted, autoescape=True)))
    if country:
        statement = statement.where(Airline.country == country)
    return (await session.scalars(statement)).all()


async def upsert(session: Session, airlines: list[Row]) -> None:
    """Add airlines and improve what is known of them; a null never replaces a value."""
    if not airlines:
        return
    statement = insert(Airline).values(sorted(airlines, key=lambda airline: airline["iata"]))
    improved = {
        name: func.coalesce(statement.excluded[name], Airline.__table__.c[name])
        for name in ("icao", "name", "callsign", "country")
    }
    await session.execute(statement.on_conflict_do_update(index_elements=["iata"], set_=improved))


async def known(session: Session) -> set[str]:
    return set((await session.scalars(select(Airline.iata))).all())
