"""Itineraries of a market: found in the timetable; where there are none, after asking for more of it.

A provider publishes an airport's departures. The origin's are asked for by every search; where no itinerary
is found in what is known, or nothing but direct flights for somebody who asked for connections, the destination's
show which airports both ends have in common, and the departures of the likeliest of those are asked for: a handful of
calls, which serve everybody who connects there.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from app.airports.service import directory
from app.flights import schedule
from app.flights.errors import ProviderUnavailable
from app.offers import itinerary, likely
from app.offers.markets import Market
from app.offers.questions import Question
from app.rules.service import in_force
from app.timetable import service as timetable
from app.timetable.connections import CONNECTIONS, ConnectionRules
from app.timetable.day import EPOCH
from app.timetable.engine import Segment, Wish, itineraries
from app.timetable.places import Places

Itinerary = tuple[Segment, ...]

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
        wanted = set(likely.boards(market, days, question.connections, rules(), places)) - asked
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


def first_minute() -> int:
    """When the first flight may leave, in the timetable's minutes."""
    return int((itinerary.sales_close() - EPOCH).total_seconds()) // 60 + 1


def _wish(market: Market, question: Question) -> Wish:
    airlines = set(question.airlines).union(*(rules().alliance_of(name) for name in question.alliances))
    return Wish(
        origins=market.origins,
        destinations=market.destinations,
        day=market.day,
        max_connections=question.connections,
        not_before=first_minute(),
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
