"""Itineraries by trying every way to connect flights, straight from the rules: what the engine is held to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from app.airports.service import Airport, Directory, distance_km
from app.rules.kinds import Book
from app.timetable.engine import Wish


@dataclass(frozen=True)
class Flight:
    id: int
    carrier: str
    origin: str
    destination: str
    day: date
    departs: int
    arrives: int
    departs_offset: int
    arrives_offset: int
    departure_terminal: str
    arrival_terminal: str


Itinerary = tuple[Flight, ...]


class Brute:
    def __init__(self, flights: Sequence[Flight], wish: Wish, book: Book, directory: Directory) -> None:
        self.wish, self.book, self.airports = wish, book, directory.by_iata
        self.flights = [
            flight
            for flight in flights
            if flight.origin in self.airports and flight.destination in self.airports
        ]
        self.policy = {row["name"]: int(row["value"]) for row in book.tables["policy"]}
        self.alliance = {row["carrier"]: row["alliance"] for row in book.tables["alliances"]}
        self.minimum_times = sorted(book.tables["minimum_times"], key=_rank, reverse=True)
        self.found: dict[int, list[Flight]] = {}

    def itineraries(self) -> list[tuple[int, ...]]:
        """The ids of their flights, in the order in which they are shown."""
        rivals: dict[object, list[Itinerary]] = {}
        for one in self.qualified():
            airlines = tuple(flight.carrier for flight in one)
            rivals.setdefault((one[0].origin, one[-1].destination, airlines), []).append(one)
        left = [
            one for like in rivals.values() for one in like if not any(_beats(other, one) for other in like)
        ]
        left.sort(key=lambda one: (one[-1].arrives - one[0].departs, one[0].departs, _ids(one)))
        return [_ids(one) for one in left[: self.policy["most_itineraries"]]]

    def qualified(self) -> Iterator[Itinerary]:
        for flight in self.flights:
            if flight.day == self.wish.day and flight.origin in self.wish.origins:
                yield from self.grown((flight,))

    def grown(self, so_far: Itinerary) -> Iterator[Itinerary]:
        """The itineraries that begin with these flights."""
        if so_far[-1].destination in self.wish.destinations and self.qualifies(so_far):
            yield so_far
        if len(so_far) <= self.wish.max_connections:
            for flight in self.onward(so_far[-1]):
                yield from self.grown((*so_far, flight))

    def onward(self, one: Flight) -> list[Flight]:
        """Every flight that connects with this one, tried once."""
        if one.id not in self.found:
            self.found[one.id] = [two for two in self.flights if self.connects(one, two)]
        return self.found[one.id]

    def at(self, iata: str) -> Airport:
        return self.airports[iata]

    def domestic(self, flight: Flight) -> bool:
        return self.at(flight.origin).country == self.at(flight.destination).country

    def connects(self, one: Flight, two: Flight) -> bool:
        if two.departs < one.arrives or self.at(one.destination).city_code != self.at(two.origin).city_code:
            return False
        both = self.domestic(one) and self.domestic(two)
        longest = self.policy["longest_domestic_minutes" if both else "longest_international_minutes"]
        wait = two.departs - one.arrives
        return self.together(one.carrier, two.carrier) and self.minimum(one, two) <= wait <= longest

    def together(self, one: str, two: str) -> bool:
        if one == two:
            return True
        if one in self.alliance and self.alliance[one] == self.alliance.get(two):
            return True
        for row in self.book.tables["interline"]:
            for a, b in ((one, two), (two, one)):
                if row["carrier"] in (a, "*") and row["partner"] in (b, "*"):
                    return True
        return False

    def minimum(self, one: Flight, two: Flight) -> int:
        decides = next(row for row in self.minimum_times if self.fits(row, one, two))
        minutes = int(decides["minutes"])
        terminals = one.arrival_terminal, two.departure_terminal
        names_one = not (_any(decides["from_terminal"]) and _any(decides["to_terminal"]))
        if (
            one.destination == two.origin
            and all(terminals)
            and terminals[0] != terminals[1]
            and not names_one
        ):
            minutes += self.policy["terminal_change_minutes"]
        return minutes

    def fits(self, row: dict[str, str], one: Flight, two: Flight) -> bool:
        if one.destination == two.origin:
            if row["to_airport"]:
                return False
        elif row["to_airport"] not in ("*", two.origin):
            return False
        facts = {
            "airport": one.destination,
            "from_status": "D" if self.domestic(one) else "I",
            "to_status": "D" if self.domestic(two) else "I",
            "from_terminal": one.arrival_terminal,
            "to_terminal": two.departure_terminal,
            "inbound_carrier": one.carrier,
            "outbound_carrier": two.carrier,
        }
        if any(not _any(row[name]) and row[name] != fact for name, fact in facts.items()):
            return False
        if row["valid_from"] and two.day < date.fromisoformat(row["valid_from"]):
            return False
        return not (row["valid_to"] and two.day > date.fromisoformat(row["valid_to"]))

    def qualifies(self, one: Itinerary) -> bool:
        wish, first, last = self.wish, one[0], one[-1]
        cities = [self.at(first.origin).city_code] + [self.at(flight.destination).city_code for flight in one]
        if len(set(cities)) < len(cities):
            return False
        between = {flight.destination for flight in one[:-1]} | {flight.origin for flight in one[1:]}
        if (wish.via is not None and not between <= wish.via) or between & wish.avoid:
            return False
        if wish.airlines is not None and not {flight.carrier for flight in one} <= wish.airlines:
            return False
        direct = self.km(first.origin, last.destination)
        furthest = max(direct * self.policy["detour_percent"] / 100, direct + self.policy["detour_slack_km"])
        if len(one) > 1 and sum(self.km(flight.origin, flight.destination) for flight in one) > furthest:
            return False
        elapsed = last.arrives - first.departs
        if elapsed > self.policy["longest_journey_hours"] * 60:
            return False
        if wish.longest_minutes is not None and elapsed > wish.longest_minutes:
            return False
        leaves, comes = first.departs + first.departs_offset, last.arrives + last.arrives_offset
        return (
            first.departs >= wish.not_before
            and _at_a_time(leaves, wish.departs_between)
            and _at_a_time(comes, wish.arrives_between)
        )

    def km(self, one: str, two: str) -> float:
        a, b = self.at(one), self.at(two)
        return distance_km(a.latitude, a.longitude, b.latitude, b.longitude)


def _any(value: str) -> bool:
    return value in ("", "*")


def _rank(row: dict[str, str]) -> tuple[int, ...]:
    def named(*columns: str) -> int:
        return sum(not _any(row[column]) for column in columns)

    return (
        named("airport"),
        named("to_airport"),
        named("inbound_carrier", "outbound_carrier"),
        named("from_terminal", "to_terminal"),
        named("from_status", "to_status"),
        named("valid_from", "valid_to"),
        int(row["minutes"]),
    )


def _at_a_time(local: int, between: tuple[int, int] | None) -> bool:
    return between is None or between[0] <= local % 1440 <= between[1]


def _ids(one: Itinerary) -> tuple[int, ...]:
    return tuple(flight.id for flight in one)


def _beats(other: Itinerary, one: Itinerary) -> bool:
    """The other leaves no earlier and arrives no later; nothing beats a direct flight."""
    if len(one) == 1:
        return False
    theirs, ours = (other[0].departs, other[-1].arrives), (one[0].departs, one[-1].arrives)
    if theirs == ours:
        return _ids(other) < _ids(one)
    return theirs[0] >= ours[0] and theirs[1] <= ours[1]
