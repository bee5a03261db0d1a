"""Flight search: flights on sale, priced in every brand, sorted, one page signed as offers.

Search writes nothing but what a provider had to be asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from app.airports.service import directory
from app.core import clock, cursors, db, money
from app.core.config import settings
from app.core.db import Row
from app.core.errors import FieldProblem, Unprocessable
from app.flights import schedule
from app.flights.times import local
from app.offers import fares, itinerary, repository, token
from app.offers.fares import Brand
from app.offers.schemas import SearchQuery
from app.offers.token import Offer

_MOST_PER_SLICE = 60
_FURTHEST = timedelta(days=361)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One itinerary in one brand, priced for sorting; only the page that is shown is signed."""

    flights: tuple[Row, ...]
    brand: Brand
    total: int
    minutes: int

    @property
    def departs_at(self) -> datetime:
        departs_at: datetime = self.flights[0]["departs_at"]
        return departs_at


@dataclass(frozen=True, slots=True)
class Market:
    origins: list[str]
    destinations: list[str]
    day: date


async def search(query: SearchQuery, markets: list[Market]) -> Row:
    """The answer of `GET /flights/search`. Raises ProviderUnavailable."""
    boards = [(origin, market.day) for market in markets for origin in market.origins]
    freshness = await schedule.ensure(boards)
    async with db.transaction() as session:
        found = [
            await repository.on_sale(
                session,
                market.origins,
                market.destinations,
                market.day,
                query.cabin,
                query.seats,
                settings().sales_close_minutes,
            )
            for market in markets
        ]
    wanted = _filtered(found, query)
    candidates = _sorted(_priced(wanted, query), query.sort)
    start = cursors.decode(query.cursor) or 0
    page = candidates[start : start + query.limit]
    expires_at = token.expiry()
    return {
        "data": [_offer(candidate, query, expires_at) for candidate in page],
        "next_cursor": cursors.encode(start + query.limit) if start + query.limit < len(candidates) else None,
        "meta": {
            "total": len(candidates),
            "source": freshness.source,
            "fetched_at": clock.rfc3339(freshness.fetched_at),
            "stale": freshness.stale,
            "projected": freshness.projected,
        },
    }


def markets_of(query: SearchQuery) -> list[Market]:
    """The origins, destinations and dates of the outbound and the inbound journey.

    Raises AirportNotFound, and Unprocessable for what no airline could sell.
    """
    places = directory()
    origins, destinations = places.serving(query.origin), places.serving(query.destination)
    if query.currency not in fares.table().currencies:
        raise _impossible("currency", "unknown_currency", "No fares in this currency")
    overlap = {airport.iata for airport in origins} & {airport.iata for airport in destinations}
    if overlap:
        raise _impossible("destination", "same_place", "Origin and destination are the same place")
    today = min(local(clock.now(), airport.zone).date() for airport in origins)
    if query.departure_date < today:
        raise _impossible("departure_date", "date_in_the_past", "The date has passed at the origin")
    for name, day in (("departure_date", query.departure_date), ("return_date", query.return_date)):
        if day and day - today > _FURTHEST:
            raise _impossible(name, "date_too_far", f"Flights are sold {_FURTHEST.days} days ahead")
    there, back = [a.iata for a in origins], [a.iata for a in destinations]
    markets = [Market(there, back, query.departure_date)]
    if query.return_date:
        markets.append(Market(back, there, query.return_date))
    return markets


def _impossible(pointer: str, code: str, message: str) -> Unprocessable:
    return Unprocessable(message + ".", errors=[FieldProblem(pointer, code, message)])


def _filtered(found: list[list[Row]], query: SearchQuery) -> list[list[Row]]:
    airlines = set(query.airlines.split(",")) if query.airlines else None
    kept = [[f for f in flights if airlines is None or f["carrier"] in airlines] for flights in found]
    after, before = query.departure_after, query.departure_before
    kept[0] = [
        flight
        for flight in kept[0]
        if (after is None or flight["departs_local"].time() >= after)
        and (before is None or flight["departs_local"].time() <= before)
    ]
    return [flights[:_MOST_PER_SLICE] for flights in kept]


def _priced(found: list[list[Row]], query: SearchQuery) -> list[Candidate]:
    filed, today = fares.table(), clock.now().date()
    brands = filed.brands(query.cabin)
    facts = {flight["id"]: itinerary.priced(flight) for flights in found for flight in flights}
    most = _minor(query.max_price, query.currency)
    candidates = []
    for flights in product(*found):
        # You cannot fly back before you have arrived.
        if len(flights) == 2 and flights[1]["departs_at"] <= flights[0]["arrives_at"]:
            continue
        minutes = sum(int((f["arrives_at"] - f["departs_at"]).total_seconds()) // 60 for f in flights)
        slices = [[facts[flight["id"]]] for flight in flights]
        for brand in brands:
            total = filed.quote(slices, query.cabin, brand, query.counts, today, query.currency).total
            if most is None or total <= most:
                candidates.append(Candidate(flights, brand, total, minutes))
    return candidates


def _minor(amount: str | None, currency: str) -> int | None:
    return None if amount is None else int(Decimal(amount).scaleb(money.exponent(currency)))


def _sorted(candidates: list[Candidate], sort: str) -> list[Candidate]:
    """In the order asked for; equal ones by price, departure and flight, so that pages are stable.

    `best` weighs price against time: the price as a multiple of the cheapest, plus half the duration as a
    multiple of the shortest, plus a tenth for leaving between 22:00 and 06:00.
    """
    if not candidates:
        return []
    cheapest = max(min(c.total for c in candidates), 1)
    shortest = max(min(c.minutes for c in candidates), 1)

    def best(c: Candidate) -> float:
        at_night = not 6 <= c.flights[0]["departs_local"].hour < 22
        return c.total / cheapest + 0.5 * c.minutes / shortest + 0.1 * at_night

    orders: dict[str, Callable[[Candidate], Any]] = {
        "best": best,
        "price": lambda c: c.total,
        "duration": lambda c: c.minutes,
        "departure": lambda c: c.departs_at,
    }
    order = orders[sort]
    return sorted(candidates, key=lambda c: (order(c), c.total, c.departs_at, [f["id"] for f in c.flights]))


def _offer(candidate: Candidate, query: SearchQuery, expires_at: datetime) -> Row:
    filed = fares.table()
    flights = [[flight] for flight in candidate.flights]
    today = clock.now().date()
    slices = [[itinerary.priced(flight) for flight in one] for one in flights]
    quote = filed.quote(slices, query.cabin, candidate.brand, query.counts, today, query.currency)
    offer = Offer(
        slices=tuple((flight["id"],) for flight in candidate.flights),
        cabin=query.cabin,
        brand=candidate.brand.name,
        counts=query.counts,
        total=quote.total,
        currency=query.currency,
        fares_version=filed.version,
        issued_on=today,
        expires_at=expires_at,
    )
    return itinerary.offered(offer, flights, quote, candidate.brand)
