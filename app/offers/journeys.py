"""Itineraries of a market: found in the timetable; where there are none, after asking for more of it.

A provider publishes an airport's departures. The origin's are asked for by every search; where no itinerary
is found in what is known, or nothing but direct flights for somebody who asked for connections, the destination's
show which airports both ends have in common, and the departures of the likeliest of those are asked for: a handful of
calls, which serve everybody who connects there.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from app.airports.service import directory
from app.core import clock
from app.core.config import settings
from app.flights import schedule
from app.flights.errors import ProviderUnavailable
from app.offers.markets import Market
from app.offers.questions import Question
from app.rules.service import in_force
from app.timetable import service as timetable
from app.timetable.codes import pack, unpack
from app.timetable.connections import CONNECTIONS, ConnectionRules
from app.timetable.day import EPOCH, Day
from app.timetable.engine import Segment, Wish, itineraries
from app.timetable.places import Places

Itinerary = tuple[Segment, ...]

_LIKELIEST = 3
_ROUNDS = 3


def rules() -> ConnectionRules:
    """The rules of connections in force."""
    return in_force(CONNECTIONS)


async def find(market: Market, question: Question) -> list[Itinerary]:
    """Every itinerary of a slice that the question allows and no other one makes pointless, shortest first."""
    asked: set[tuple[str, date]] = set()
    places = Places.of(directory())
    for turn in range(_ROUNDS + 1):
        days = await timetable.days(_dates(market.day, question.connections))
        wish = _wish(market, question)
        found = itineraries(days, wish, rules(), places)
        # Whether there are any at all decides on asking for more, not whether the filters leave some.
        if _enough(found, question) or _enough(
            itineraries(days, _unnarrowed(wish), rules(), places), question
        ):
            return found
        wanted = set(_promising(market, days, question.connections)) - asked
        if not wanted or turn == _ROUNDS:
            return found
        asked.update(wanted)
        try:
            await schedule.ensure(sorted(wanted))
        except ProviderUnavailable:
            return found
    return found


def _enough(found: Sequence[Itinerary], question: Question) -> bool:
    """A direct flight is, but for somebody who asked for connections."""
    if not question.max_connections:
        return bool(found) or not question.connections
    return any(len(one) > 1 for one in found)


def _wish(market: Market, question: Question) -> Wish:
    closes = clock.now() + timedelta(minutes=settings().sales_close_minutes)
    airlines = set(question.airlines).union(*(rules().alliance_of(name) for name in question.alliances))
    return Wish(
        origins=market.origins,
        destinations=market.destinations,
        day=market.day,
        max_connections=question.connections,
        not_before=int((closes - EPOCH).total_seconds()) // 60 + 1,
        airlines=frozenset(airlines) if question.airlines or question.alliances else None,
        via=frozenset(question.via) or None,
        avoid=frozenset(question.avoid),
        departs_between=market.departs,
        arrives_between=market.arrives,
        longest_minutes=question.max_duration,
    )


def _unnarrowed(wish: Wish) -> Wish:
    return replace(
        wish,
        airlines=None,
        via=None,
        avoid=frozenset(),
        departs_between=None,
        arrives_between=None,
        longest_minutes=None,
    )


def _dates(day: date, connections: int) -> list[date]:
    """The local dates on which flights of an itinerary may leave: across the date line even the day before."""
    last = connections + 1 if connections else 0
    return [day + timedelta(days=n) for n in range(-1 if connections else 0, last + 1)]


def _promising(market: Market, days: Sequence[Day], connections: int) -> list[tuple[str, date]]:
    """The boards that would most likely tell of an itinerary, by what is known of both ends."""
    today = [day for day in days if day.day == market.day]
    beyond = _reached(today, market.destinations)
    if not beyond:
        return [(airport, market.day) for airport in market.destinations]
    reach = _reached(today, market.origins)
    common = Counter({airport: reach[airport] * beyond[airport] for airport in reach.keys() & beyond.keys()})
    if not common and connections > 1:
        # Two connections: first what the origin's busiest neighbours serve, then where those meet the others.
        met = _reached(today, [name for name, _ in reach.most_common(_LIKELIEST)])
        common = Counter({airport: met[airport] * beyond[airport] for airport in met.keys() & beyond.keys()})
        common = common or reach
    return [(hub, _lands(today, market, hub)) for hub, _ in common.most_common(_LIKELIEST)]


def _lands(days: Sequence[Day], market: Market, hub: str) -> date:
    """The local date on which the first flight from the origin reaches an airport."""
    arrivals = [market.day]
    for day in days:
        for route in day.routes_to(pack(hub)).tolist():
            if unpack(int(day.origin[route])) in market.origins:
                flights = slice(int(day.first[route]), int(day.first[route + 1]))
                clock_times = day.arrives[flights] + day.arrives_offset[flights]
                arrivals.append(EPOCH.date() + timedelta(minutes=int(clock_times.min())))
    return max(market.day, min(arrivals[1:], default=market.day))


def _reached(days: Sequence[Day], airports: Sequence[str]) -> Counter[str]:
    """How many flights of these days go from the airports to each other airport."""
    reached: Counter[str] = Counter()
    for day in days:
        for airport in airports:
            routes = day.routes_from(pack(airport))
            flights = day.first[routes.start + 1 : routes.stop + 1] - day.first[routes]
            for code, count in zip(day.destination[routes].tolist(), flights.tolist(), strict=True):
                reached[unpack(code)] += count
    return reached
