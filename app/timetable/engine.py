"""Finds itineraries: every way to connect flights that the rules allow, and of those the ones worth showing.

Itineraries with connections, with the same airports at both ends and the same airlines in the same order are rivals:
one is left out when another leaves no earlier and arrives no later. Every filter of a wish acts before that. Direct
flights have no rivals. An airport that the directory does not have is not flown to.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.timetable import codes
from app.timetable.connections import ConnectionRules
from app.timetable.day import Day
from app.timetable.legs import Chains, Legs, Window, spread
from app.timetable.pareto import Found, shortest, undominated
from app.timetable.places import Places
from app.timetable.reach import Reach

Array = NDArray[Any]

_MINUTES_OF_A_DAY = 1440
_KM_OF_DOUBT = 0.001  # What is ruled out early is too far round for certain; the rest is added up once more.


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a traveller asks for. Instants are minutes since `day.EPOCH`; times of day are local minutes, inclusive.

    `day` is the local date on which the first flight leaves, and `not_before` when sales close: it leaves no
    earlier. `airlines` fly every flight; the airports between are all in `via`, and none of them in `avoid`.
    """

    origins: tuple[str, ...]
    destinations: tuple[str, ...]
    day: date
    max_connections: int
    not_before: int
    airlines: frozenset[str] | None = None
    via: frozenset[str] | None = None
    avoid: frozenset[str] = frozenset()
    departs_between: tuple[int, int] | None = None
    arrives_between: tuple[int, int] | None = None
    longest_minutes: int | None = None


class Segment(NamedTuple):
    """One flight of an itinerary; instants are minutes since `day.EPOCH`, offsets lead to the airports' clocks."""

    id: int
    carrier: str
    origin: str
    destination: str
    departs: int
    arrives: int
    departs_offset: int
    arrives_offset: int
    aircraft: str


def itineraries(
    days: Sequence[Day], wish: Wish, rules: ConnectionRules, places: Places
) -> list[tuple[Segment, ...]]:
    """The shortest first, at most as many as the rules say.

    `days` should reach from the day before the wish's to the third after it: what leaves later or, where a
    journey crosses the date line, on an earlier date may be part of it.
    """
    return _Search(days, wish, frozenset([wish.day]), rules, places).run()


def itineraries_by_date(
    days: Sequence[Day], wish: Wish, dates: frozenset[date], rules: ConnectionRules, places: Places
) -> dict[date, list[tuple[Segment, ...]]]:
    """What `itineraries` gives for each of these dates of departure, in one search; with one connection at most."""
    if wish.max_connections > 1:
        raise ValueError("Chains of first flights would mix dates.")
    return _Search(days, wish, dates, rules, places).run_by_date()


class _Search:
    def __init__(
        self,
        days: Sequence[Day],
        wish: Wish,
        dates: frozenset[date],
        rules: ConnectionRules,
        places: Places,
    ) -> None:
        self._dates = dates
        by_date = tuple(sorted(days, key=lambda day: day.day))
        self._days = by_date
        self._window = Window(by_date, tuple(rules.minimums.period(day.day) for day in by_date), places)
        self._wish, self._rules, self._places = wish, rules, places
        self._origins, self._destinations = places.numbers(wish.origins), places.numbers(wish.destinations)
        most = rules.policy.longest_journey_hours * 60
        self._longest = most if wish.longest_minutes is None else min(most, wish.longest_minutes)
        self._airlines = None if wish.airlines is None else _table(wish.airlines)
        self._between = self._airports_between()

    def run(self) -> list[tuple[Segment, ...]]:
        return self._shown(*shortest(self._found(), self._rules.policy.most_itineraries))

    def run_by_date(self) -> dict[date, list[tuple[Segment, ...]]]:
        found, most = self._found(), self._rules.policy.most_itineraries
        left = {}
        for number, day in enumerate(self._days):
            if day.day in self._dates:
                leaving = [one.take(np.flatnonzero(one.legs[0].day[one.which[0]] == number)) for one in found]
                left[day.day] = self._shown(*shortest(leaving, most))
        return left

    def _found(self) -> list[Found]:
        """By their number of flights."""
        first = self._first()
        found = [self._direct(first)]  # Nobody is told that a direct flight is pointless.
        if self._wish.max_connections and first.size:
            found += [undominated(one) for one in self._connecting(first)]
        return found

    def _connecting(self, first: Legs) -> Iterable[Found]:
        first = first.take(np.flatnonzero(self._between[first.destination]))
        last = self._last(first)
        if not last.size:
            return
        arriving = Chains(first, self._places, arriving=True)
        leaving = Chains(last, self._places, arriving=False)
        yield self._with_one(arriving, leaving)
        if self._wish.max_connections > 1:
            yield self._with_two(arriving, leaving)

    def _first(self) -> Legs:
        """The flights that may be the first."""
        chosen = []
        for number, day in enumerate(self._days):
            if day.day not in self._dates:
                continue
            for origin in self._origins:
                routes = day.routes_from(int(self._places.code[origin]))
                row = np.arange(day.first[routes.start], day.first[routes.stop])
                counts = np.diff(day.first[routes.start : routes.stop + 1])
                route = np.repeat(np.arange(routes.start, routes.stop), counts)
                keep = self._flown(day, row, route) & (day.departs[row] >= self._wish.not_before)
                keep &= _within(day.departs[row] + day.departs_offset[row], self._wish.departs_between)
                chosen.append((number, row[keep], route[keep]))
        return self._window.legs(chosen)

    def _last(self, first: Legs) -> Legs:
        """The flights that may be the last after a connection, given those that may be the first."""
        if not first.size:
            return first
        begins, ends = int(first.arrives.min()), int(first.departs.max()) + self._longest
        chosen = []
        for number, day in enumerate(self._days):
            if not self._has_flights(day, begins, ends):
                continue
            for destination in self._destinations:
                routes = day.routes_to(int(self._places.code[destination]))
                routes = routes[self._between[self._places.routes(day).origin[routes]]]
                which, row = spread(day.first[routes], day.first[routes + 1] - day.first[routes])
                departs, arrives = day.departs[row], day.arrives[row]
                keep = self._flown(day, row, routes[which]) & (departs >= begins) & (arrives <= ends)
                keep &= _within(arrives + day.arrives_offset[row], self._wish.arrives_between)
                chosen.append((number, row[keep], routes[which][keep]))
        return self._window.legs(chosen)

    def _flown(self, day: Day, row: Array, route: Array) -> Array:
        """Which flights are of a wanted airline, between airports that the directory has."""
        routes = self._places.routes(day)
        known = (routes.origin[route] > 0) & (routes.destination[route] > 0)
        return known if self._airlines is None else known & self._airlines[day.carrier[row]]

    def _direct(self, first: Legs) -> Found:
        day_of = [day.arrives_offset for day in self._days]
        clock = first.arrives.copy()
        for number in np.unique(first.day):
            these = first.day == number
            clock[these] += day_of[number][first.row[these]]
        keep = np.isin(first.destination, self._destinations) & _within(clock, self._wish.arrives_between)
        keep &= first.arrives - first.departs <= self._longest
        keep &= self._places.city[first.origin] != self._places.city[first.destination]
        return Found((first,), (np.flatnonzero(keep),))

    def _with_one(self, arriving: Chains, leaving: Chains) -> Found:
        """For each first flight the best of every chain of last ones."""
        first = arriving.legs
        one, two = self._onward(first, leaving)
        return self._held_to_the_rules(Found((first, leaving.legs), (one, two)))

    def _with_two(self, arriving: Chains, leaving: Chains) -> Found:
        """For each flight between, the best of every chain of first ones with the best of every chain of last ones."""
        middle = self._middle(arriving, leaving)
        feeding, one = self._feeding(middle, arriving)
        used, feeding = np.unique(feeding, return_inverse=True)
        fed = middle.take(used)
        onward, three = self._onward(fed, leaving)
        counts = np.bincount(onward, minlength=fed.size)
        pair, place = spread((np.cumsum(counts) - counts)[feeding], counts[feeding])
        legs = (arriving.legs, fed, leaving.legs)
        return self._held_to_the_rules(Found(legs, (one[pair], feeding[pair], three[place])))

    def _middle(self, arriving: Chains, leaving: Chains) -> Legs:
        """The flights that some first one and some last one may connect with, as far as a glance tells."""
        reach = Reach.of(arriving, self._rules, self._places, arriving=True)
        onward = Reach.of(leaving, self._rules, self._places, arriving=False)
        begins, ends = int(reach.begins.min()), int(reach.ends.max())
        chosen = []
        for number, day in enumerate(self._days):
            if self._has_flights(day, begins, ends):
                route = self._routes_between(day, reach, onward)
                chosen.append((number, *self._flights_between(day, route, reach, onward)))
        return self._window.legs(chosen)

    def _routes_between(self, day: Day, reach: Reach, onward: Reach) -> Array:
        """The routes of a day that are not too far round, and have an airline that connects at either end."""
        routes = self._places.routes(day)
        some = (reach.some & self._between)[routes.origin] & (onward.some & self._between)[routes.destination]
        route = np.flatnonzero(some)
        circles = routes.circles(day, self._rules.circle)[route]
        origin, destination = routes.origin[route], routes.destination[route]
        keep = (circles & reach.circles[origin] != 0) & (circles & onward.circles[destination] != 0)
        km = reach.km[origin] + routes.km[route] + onward.km[destination]
        found: Array = route[keep & (km <= self._furthest() + _KM_OF_DOUBT)]
        return found

    def _flights_between(self, day: Day, route: Array, reach: Reach, onward: Reach) -> tuple[Array, Array]:
        """Those flights of the routes whose own airline connects, at a time that it may; and the route of each."""
        routes = self._places.routes(day)
        origin, destination = routes.origin[route], routes.destination[route]
        which, row = spread(day.first[route], day.first[route + 1] - day.first[route])
        departs, arrives, circle = day.departs[row], day.arrives[row], self._rules.circle[day.carrier[row]]
        keep = (departs >= reach.begins[origin][which]) & (departs <= reach.ends[origin][which])
        keep &= (arrives >= onward.begins[destination][which]) & (arrives <= onward.ends[destination][which])
        keep &= circle & reach.circles[origin][which] != 0
        keep &= circle & onward.circles[destination][which] != 0
        keep &= self._flown(day, row, route[which])
        return row[keep], route[which[keep]]

    def _has_flights(self, day: Day, begins: int, ends: int) -> bool:
        """Whether a flight of the day may leave at such a time."""
        routes = self._places.routes(day)
        return routes.begins <= ends and routes.ends >= begins

    def _feeding(self, legs: Legs, arriving: Chains) -> tuple[Array, Array]:
        """Pairs of a flight and, of each chain, the last one that arrives in time for it."""
        which, chain = arriving.at(self._places.city[legs.origin])
        keep = self._rules.allowed(arriving.of.carrier[chain], legs.carrier[which])
        which, chain = which[keep], chain[keep]
        shortest, longest = self._waits(arriving.of, chain, legs, which)
        exists, place = arriving.last_by(chain, legs.departs[which] - shortest)
        keep = exists & (legs.departs[which] - arriving.legs.arrives[place] <= longest)
        return which[keep], place[keep]

    def _onward(self, legs: Legs, leaving: Chains) -> tuple[Array, Array]:
        """Pairs of a flight and, of each chain, the first one that leaves late enough after it."""
        which, chain = leaving.at(self._places.city[legs.destination])
        keep = self._rules.allowed(legs.carrier[which], leaving.of.carrier[chain])
        which, chain = which[keep], chain[keep]
        shortest, longest = self._waits(legs, which, leaving.of, chain)
        exists, place = leaving.first_from(chain, legs.arrives[which] + shortest)
        which, longest, place = which[exists], longest[exists], place[exists]
        keep = leaving.legs.departs[place] - legs.arrives[which] <= longest
        return which[keep], place[keep]

    def _waits(self, inbound: Legs, i: Array, outbound: Legs, o: Array) -> tuple[Array, Array]:
        """The least and the most minutes between pairs of flights."""
        code = self._places.code
        domestic = inbound.domestic[i], outbound.domestic[o]
        least = self._rules.minimums.of_many(
            (code[inbound.destination[i]], code[outbound.origin[o]]),
            domestic,
            (inbound.arrival_terminal[i], outbound.departure_terminal[o]),
            (inbound.carrier[i], outbound.carrier[o]),
            outbound.period[o],
        )
        return least, self._rules.longest(domestic[0] & domestic[1])

    def _held_to_the_rules(self, found: Found) -> Found:
        """Without those that fly too far round, take too long, or come to a city twice."""
        columns = list(zip(found.legs, found.which, strict=True))
        keep = found.arrives - found.departs <= self._longest
        origin, destination = (
            columns[0][0].origin[found.which[0]],
            columns[-1][0].destination[found.which[-1]],
        )
        flown = sum(legs.km[which] for legs, which in columns)
        keep &= flown <= self._rules.furthest(self._places.km(origin, destination))
        cities = [self._places.city[legs.destination[which]] for legs, which in columns]
        cities.append(self._places.city[origin])
        for one, city in enumerate(cities):
            for other in cities[:one]:
                keep &= city != other
        return found.take(np.flatnonzero(keep))

    def _furthest(self) -> float:
        """How far any of the journeys may fly."""
        direct = self._places.km(self._origins[:, None], self._destinations[None, :])
        return float(self._rules.furthest(direct).max())

    def _airports_between(self) -> Array:
        """Which places may lie between, by their numbers: not in a city where every journey begins or ends."""
        code, city = self._places.code, self._places.city
        allowed = code > 0
        if self._wish.via is not None:
            allowed &= _table(self._wish.via)[code]
        allowed &= ~_table(self._wish.avoid)[code]
        for ends in (self._origins, self._destinations):
            cities = np.unique(city[ends])
            if cities.size == 1:
                allowed &= city != cities[0]
        return allowed

    def _shown(self, found: list[Found], order: list[int]) -> list[tuple[Segment, ...]]:
        """As plain values, in an order that says of how many flights the next one is."""
        each = [zip(*map(self._segments, one.legs, one.which), strict=True) for one in found]
        return [next(each[number]) for number in order]

    def _segments(self, legs: Legs, which: Array) -> Iterator[Segment]:
        at = [(self._days[day], row) for day, row in zip(legs.day[which], legs.row[which], strict=True)]
        return map(
            Segment,
            legs.id[which].tolist(),
            map(codes.unpack, legs.carrier[which].tolist()),
            map(codes.unpack, self._places.code[legs.origin[which]].tolist()),
            map(codes.unpack, self._places.code[legs.destination[which]].tolist()),
            legs.departs[which].tolist(),
            legs.arrives[which].tolist(),
            [int(day.departs_offset[row]) for day, row in at],
            [int(day.arrives_offset[row]) for day, row in at],
            [codes.unpack(int(day.aircraft[row])) for day, row in at],
        )


def _table(wanted: Iterable[str]) -> Array:
    """True at the number of each of the codes."""
    table = np.zeros(codes.AIRPORTS, bool)
    table[[codes.pack(code) for code in wanted]] = True
    return table


def _within(local: Array, between: tuple[int, int] | None) -> Array | bool:
    """Which local minutes are at a time of day."""
    if between is None:
        return True
    clock = local % _MINUTES_OF_A_DAY
    return (between[0] <= clock) & (clock <= between[1])
