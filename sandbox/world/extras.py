"""Traffic without a timetable, for whoever wants to know how something bears the load of a full sky."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from sandbox.world.fleet import Aircraft, AircraftType, Airline, aircraft_types, block_minutes
from sandbox.world.geography import Airport, airports, distance
from sandbox.world.operations import Movement
from sandbox.world.services import EVERY_DAY, Flight, Line, Service

MOST = 20_000
# Addresses that no state gives to an aircraft.
FIRST_ADDRESS = 0xF00000
# Five digits: no flight is numbered so, hence no flight is taken for one of these.
FIRST_NUMBER = 10_000
CELL = 5
SHORTEST_KM, LONGEST_KM = 200.0, 1800.0


class Shuttle:
    """An aircraft that flies to and fro without ever standing still."""

    def __init__(self, line: Line, phase: int) -> None:
        self._line, self._phase, self._seconds = line, phase, line.services[0].block * 60
        self._turn: int | None = None
        self._leg: tuple[Flight, Movement]

    def leg(self, second: int) -> tuple[Flight, Movement]:
        """The flight under way at this second of the epoch."""
        turn = (second - self._phase) // self._seconds
        if turn != self._turn:
            self._turn, self._leg = turn, self._begin(turn)
        return self._leg

    def _begin(self, turn: int) -> tuple[Flight, Movement]:
        departure = datetime.fromtimestamp(self._phase + turn * self._seconds, UTC)
        arrival, day = departure + timedelta(seconds=self._seconds), departure.date()
        flight = Flight(self._line.services[turn % 2], day, day, departure, arrival)
        move = Movement(
            departure=departure,
            arrival=arrival,
            announced=departure,
            cancelled_at=None,
            diverted_to=None,
            departure_terminal=None,
            arrival_terminal=None,
            departure_gate=None,
            first_gate=None,
            gate_changes_at=departure,
            arrival_gate=None,
            belt=None,
        )
        return flight, move


class Extras:
    """As many shuttles as anybody asked for; the first ones are always the same."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._shuttles: list[Shuttle] = []
        self._airline = _airline()
        self._cells: dict[tuple[int, int], list[Airport]] = defaultdict(list)

    def make(self, count: int) -> None:
        """Builds those that are still missing."""
        while len(self._shuttles) < count:
            self._shuttles.append(self._shuttle(len(self._shuttles)))

    def legs(self, moment: datetime, count: int) -> Iterator[tuple[Flight, Movement]]:
        """What the first `count` of them are flying."""
        second = int(moment.timestamp())
        return (shuttle.leg(second) for shuttle in self._shuttles[:count])

    def _shuttle(self, index: int) -> Shuttle:
        random = Random(f"{self._seed}/extras/{index}")
        there, back = self._pair(random)
        kind = _fitting(distance(there, back))
        number = str(FIRST_NUMBER + index)
        line = Line(f"extra-{index}", kind)
        line.fleet = [Aircraft(f"EX{number}", f"{FIRST_ADDRESS + index:06X}", kind, self._airline)]
        block = block_minutes(kind, there, back)
        line.services = [
            Service(line, self._airline, number, *ends, 0, 0, block, EVERY_DAY)
            for ends in ((there, back), (back, there))
        ]
        return Shuttle(line, random.randrange(block * 60))

    def _pair(self, random: Random) -> tuple[Airport, Airport]:
        """Two airports so near to each other that most of the way lies over land."""
        places = list(airports().values())
        if not self._cells:
            for place in places:
                self._cells[_cell(place)].append(place)
        while True:
            here = random.choice(places)
            row, column = _cell(here)
            near = self._cells.get((row + random.randint(-2, 2), column + random.randint(-2, 2)))
            there = random.choice(near) if near else here
            if SHORTEST_KM < distance(here, there) < LONGEST_KM:
                return here, there


def _cell(place: Airport) -> tuple[int, int]:
    return int(place.latitude // CELL), int(place.longitude // CELL)


def _fitting(km: float) -> AircraftType:
    return aircraft_types()["DH8D" if km < 500 else "E190" if km < 1000 else "A320"]


def _airline() -> Airline:
    """The company that owns them all; it sells nothing, and no vendor of timetables has heard of it."""
    return Airline(
        iata="QX",
        icao="QXT",
        name="Extra traffic",
        callsign="EXTRA",
        accounting=None,
        country="GB",
        founded="",
        hubs=(),
        daily=0,
        types=(),
        partners=(),
        tail_prefix="EX",
        icao24_first=FIRST_ADDRESS,
    )
