"""Which airports' departures would most likely tell of a connection, by what is known of both ends.

Airlines fly back where they fly to, so the destination's departures show from where it is reached.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from app.offers.markets import Market
from app.timetable.codes import pack, unpack
from app.timetable.connections import ConnectionRules
from app.timetable.day import EPOCH, Day
from app.timetable.places import Places

_MOST = 3

# Flights to each airport, by airline.
Reach = Mapping[str, Counter[str]]


def boards(
    market: Market, days: Sequence[Day], connections: int, rules: ConnectionRules, places: Places
) -> list[tuple[str, date]]:
    """A few boards that are worth asking for, known or not."""
    today = [day for day in days if day.day == market.day]
    beyond = _reach(today, market.destinations)
    if not beyond:
        return [(airport, market.day) for airport in market.destinations]
    reach = _reach(today, market.origins)
    hubs = _met(reach, beyond, rules)
    if not hubs and connections > 1:
        # First what the origin's busiest neighbours serve, then where those meet what serves the destination.
        neighbours = Counter({airport: flights.total() for airport, flights in reach.items()})
        busiest = [airport for airport, _ in neighbours.most_common(_MOST)]
        hubs = _met(_reach(today, busiest), beyond, rules) or neighbours
    near = [hub for hub, _ in hubs.most_common() if _is_on_the_way(hub, market, rules, places)]
    return [(hub, _landing(today, market, hub)) for hub in near[:_MOST]]


def _reach(days: Sequence[Day], airports: Sequence[str]) -> Reach:
    found: dict[str, Counter[str]] = {}
    for day in days:
        for airport in airports:
            routes = day.routes_from(pack(airport))
            for route in range(routes.start, routes.stop):
                carriers = day.carrier[day.first[route] : day.first[route + 1]].tolist()
                flights = found.setdefault(unpack(int(day.destination[route])), Counter())
                flights.update(map(unpack, carriers))
    return found


def _met(reach: Reach, beyond: Reach, rules: ConnectionRules) -> Counter[str]:
    """How many pairs of flights of airlines that work together meet at each airport."""
    met: Counter[str] = Counter()
    for airport in reach.keys() & beyond.keys():
        for one, flights in reach[airport].items():
            for other, more in beyond[airport].items():
                if rules.allowed(np.array([pack(one)]), np.array([pack(other)]))[0]:
                    met[airport] += flights * more
    return met


def _is_on_the_way(hub: str, market: Market, rules: ConnectionRules, places: Places) -> bool:
    origin, via, destination = (
        places.number[pack(code)] for code in (market.origins[0], hub, market.destinations[0])
    )
    ends = np.array([origin, via, origin]), np.array([via, destination, destination])
    there, beyond, direct = places.km(*ends)
    return bool(there + beyond <= rules.furthest(np.array([direct]))[0])


def _landing(days: Sequence[Day], market: Market, hub: str) -> date:
    """The local date on which the first flight from the origin reaches an airport."""
    landings = []
    for day in days:
        for route in day.routes_to(pack(hub)).tolist():
            if unpack(int(day.origin[route])) in market.origins:
                flights = slice(int(day.first[route]), int(day.first[route + 1]))
                clock = int((day.arrives[flights] + day.arrives_offset[flights]).min())
                landings.append((EPOCH + timedelta(minutes=clock)).date())
    return max(market.day, min(landings, default=market.day))
