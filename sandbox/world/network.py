"""Which airline flies where, and how often: hand-written trunks first, then what a seed makes of the map."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sandbox import tables
from sandbox.world.fleet import Airline
from sandbox.world.geography import Airport, airports, distance, served
from sandbox.world.services import EVERY_DAY

WEEKLY_PATTERNS = (0b0101010, 0b1010101, 0b0110110, 0b1101011, 0b1011111, 0b0010100, 0b1100010)


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """One round trip a day from `base`, on these weekdays."""

    airline: Airline
    base: Airport
    destination: Airport
    weekdays: int

    @property
    def daily(self) -> float:
        """Flights a day, both ways, on average."""
        return 2 * self.weekdays.bit_count() / 7


def demands(airlines: dict[str, Airline], random: Random) -> list[Demand]:
    """Every round trip that the airlines want to fly."""
    wanted = list(_trunks(airlines))
    wanted += _spokes(airlines, random)
    for airline in airlines.values():
        flown = sum(demand.daily for demand in wanted if demand.airline is airline)
        wanted += _filling(airline, airline.daily - flown, random, wanted)
    return wanted


def _trunks(airlines: dict[str, Airline]) -> list[Demand]:
    places = airports()
    return [
        Demand(airlines[row["airline"]], places[row["base"]], places[row["destination"]], EVERY_DAY)
        for row in tables.rows("trunks")
        for _ in range(int(row["daily"]))
    ]


def _spokes(airlines: dict[str, Airline], random: Random) -> list[Demand]:
    """Joins every airport to its nearest hubs: the larger the airport, the more hubs and the more often."""
    bases = [(airline, airports()[hub]) for airline in airlines.values() for hub in airline.hubs]
    hubs = {base.iata for _, base in bases}
    spokes = []
    for airport in served():
        if airport.iata in hubs:
            continue
        near = sorted(bases, key=lambda pair: (distance(pair[1], airport), pair[0].iata))
        reachable = [(airline, base) for airline, base in near if _can_fly(airline, base, airport)]
        for airline, base in reachable[: max(2, airport.size)]:
            weekdays = EVERY_DAY if airport.size > 1 else random.choice((EVERY_DAY, *WEEKLY_PATTERNS))
            spokes.append(Demand(airline, base, airport, weekdays))
    return spokes


def _filling(airline: Airline, wanted: float, random: Random, known: list[Demand]) -> list[Demand]:
    """Spends the rest of an airline's daily flights where they attract most people."""
    have = {(d.base.iata, d.destination.iata) for d in known if d.airline is airline}
    bases = [airports()[hub] for hub in airline.hubs]
    pairs = [
        (base, place)
        for base in bases
        for place in served()
        if place is not base and _can_fly(airline, base, place)
    ]
    weights = [_attraction(base, place) for base, place in pairs]
    filling: list[Demand] = []
    while wanted > 0:
        base, place = random.choices(pairs, weights)[0]
        if (base.iata, place.iata) in have and random.random() < 0.6:
            continue
        have.add((base.iata, place.iata))
        daily = place.size >= 2 and (distance(base, place) < 6000 or random.random() < 0.6)
        weekdays = EVERY_DAY if daily and random.random() < 0.8 else random.choice(WEEKLY_PATTERNS)
        demand = Demand(airline, base, place, weekdays)
        filling.append(demand)
        wanted -= demand.daily
    return filling


def _attraction(base: Airport, place: Airport) -> float:
    """Large and near wins."""
    near = 1 + distance(base, place) / 1500
    return float((base.size * place.size) ** 2 / near**1.8)


def _can_fly(airline: Airline, base: Airport, place: Airport) -> bool:
    """Cities are not connected with themselves, and some type must reach."""
    if base.city_code == place.city_code:
        return False
    return any(kind.reaches(base, place) for kind in airline.types)
