"""Small timetables with everything that is awkward in big ones, and wishes and rules to go with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

import airportsdata
import numpy as np
from hypothesis import strategies as st

from app.airports import search
from app.airports.service import Airport, Directory, distance_km
from app.rules.kinds import Book
from app.timetable import codes
from app.timetable.connections import CONNECTIONS
from app.timetable.day import EPOCH, Day
from app.timetable.engine import Wish
from tests.timetable.brute import Flight

REGIONS = (
    ("LHR", "LGW", "CDG", "ORY", "EDI", "MAD", "JFK", "EWR"),
    ("AKL", "HNL", "APW", "PPG", "NRT", "HND", "LAX", "SFO"),
    ("JFK", "EWR", "LGA", "LAX", "SFO", "HNL", "LHR", "LGW"),
)
DATES = (
    date(2026, 11, 10),
    date(2026, 3, 29),  # Europe's clocks go forward,
    date(2026, 10, 25),  # and back,
    date(2026, 3, 8),  # America's forward,
    date(2026, 11, 1),  # and back,
    date(2026, 4, 5),  # New Zealand's back.
)
CARRIERS = ("BA", "AA", "LH", "UA", "ZZ", "YY")
_UNKNOWN = "QQQ"


@dataclass(frozen=True)
class World:
    flights: tuple[Flight, ...]
    wish: Wish
    book: Book

    @property
    def days(self) -> list[Day]:
        around = [self.wish.day + timedelta(days=number) for number in range(-1, 4)]
        return [made_of(day, [flight for flight in self.flights if flight.day == day]) for day in around]


@cache
def directory() -> Directory:
    """The packaged airports, as the product has them."""
    known = airportsdata.load("IATA")
    return Directory(
        [_airport(iata, known[iata]) for iata in sorted({i for region in REGIONS for i in region})]
    )


def flight(
    number: int, carrier: str, origin: str, destination: str, leaves: str, minutes: int, **other: str
) -> Flight:
    """A flight by the local time at which it leaves, such as `2026-11-10T08:00`, and how long it takes."""
    at = datetime.fromisoformat(leaves).replace(tzinfo=_zone(origin))
    departs = int((at - EPOCH).total_seconds()) // 60
    arrives = departs + minutes
    return Flight(
        id=number,
        carrier=carrier,
        origin=origin,
        destination=destination,
        day=at.date(),
        departs=departs,
        arrives=arrives,
        departs_offset=_offset(departs, _zone(origin)),
        arrives_offset=_offset(arrives, _zone(destination)),
        departure_terminal=other.get("departure_terminal", ""),
        arrival_terminal=other.get("arrival_terminal", ""),
    )


def made_of(day: date, flights: Sequence[Flight]) -> Day:
    columns = {
        name: np.array([getattr(one, name) for one in flights], np.int64)
        for name in ("id", "departs", "arrives", "departs_offset", "arrives_offset")
    }
    for name in ("origin", "destination", "carrier", "departure_terminal", "arrival_terminal"):
        columns[name] = np.array([codes.pack(getattr(one, name)) for one in flights], np.int64)
    columns["aircraft"] = np.full(len(flights), codes.pack("320"), np.int64)
    return Day.of(day, "1", columns)


def wish(origin: str, destination: str, day: date, **other: object) -> Wish:
    """One airport to one airport, with up to two connections, long before sales close."""
    plain = Wish(origins=(origin,), destinations=(destination,), day=day, max_connections=2, not_before=0)
    return replace(plain, **other)  # type: ignore[arg-type]


def rules_with(**tables: Sequence[Mapping[str, str]]) -> Book:
    """The packaged tables, with these in the place of theirs."""
    return Book(1, {**CONNECTIONS.packaged().tables, **tables})


def minimum_time(**named: str) -> dict[str, str]:
    return dict.fromkeys(CONNECTIONS.columns["minimum_times"], "") | named


def policy(**values: int) -> list[dict[str, str]]:
    packaged = {row["name"]: row["value"] for row in CONNECTIONS.packaged().tables["policy"]}
    return [{"name": name, "value": str(values.get(name, value))} for name, value in packaged.items()]


def world(chance: Random, count: int) -> World:
    """So many flights between a few airports, and something asked of them."""
    region, day = chance.choice(REGIONS), chance.choice(DATES)
    region = tuple(chance.sample(region, chance.randint(4, 6)))
    flights = _flights(chance, count, region, day)
    return World(tuple(flights), _wish(chance, region, day), _book(chance, region, day))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    return world(Random(draw(st.integers(0, 2**32))), draw(st.integers(1, 300)))


def _flights(chance: Random, count: int, region: Sequence[str], day: date) -> list[Flight]:
    carriers = chance.sample(CARRIERS, chance.randint(1, 4))
    numbers = iter(chance.sample(range(1, 10_000), count))
    found: list[Flight] = []
    for number in numbers:
        if found and chance.random() < 0.2:
            found.append(_like(chance, chance.choice(found), number))
            continue
        origin, destination = chance.sample((*region, _UNKNOWN) if chance.random() < 0.02 else region, 2)
        leaves = datetime.combine(day, datetime.min.time()) + timedelta(
            days=chance.choice((-1, 0, 0, 0, 0, 1, 1, 1, 2, 3)), minutes=15 * chance.randrange(96)
        )
        found.append(
            flight(
                number,
                chance.choice(carriers),
                origin,
                destination,
                leaves.isoformat(),
                _minutes(origin, destination) + chance.choice((0, 0, 15, 90, 300)),
                departure_terminal=chance.choice(("", "1", "2")),
                arrival_terminal=chance.choice(("", "1", "2")),
            )
        )
    return found


def _like(chance: Random, other: Flight, number: int) -> Flight:
    """The same flight once more, a little slower, or from another terminal, so that it ties or is overtaken."""
    instants = {"departs": other.departs, "arrives": other.arrives + chance.choice((0, 0, 20, 120))}
    change: dict[str, object] = chance.choice(
        (instants, instants, {"departure_terminal": "2"}, {"arrival_terminal": "1"}, {"carrier": "ZZ"})
    )
    return replace(other, id=number, **change)  # type: ignore[arg-type]


def _wish(chance: Random, region: Sequence[str], day: date) -> Wish:
    cities = {city: tuple(a.iata for a in airports) for city, airports in directory().by_city.items()}
    origin = chance.choice(region)
    destination = chance.choice([iata for iata in region if _city(iata) != _city(origin)] or list(region))

    def ends(iata: str) -> tuple[str, ...]:
        return chance.choice(((iata,), (iata,), cities[_city(iata)], (iata, chance.choice(region))))

    def sometimes(value: object) -> object:
        return value if chance.random() < 0.07 else None

    midnight = int((datetime.combine(day, datetime.min.time(), _zone(origin)) - EPOCH).total_seconds()) // 60
    hours = sorted(chance.sample(range(1440), 2))
    return wish(
        origin,
        destination,
        day,
        origins=ends(origin),
        destinations=ends(destination),
        max_connections=chance.choice((0, 1, 2, 2, 2, 2, 2)),
        not_before=chance.choice((0, 0, midnight + 360)),
        airlines=sometimes(frozenset(chance.sample(CARRIERS, 3))),
        via=sometimes(frozenset(chance.sample(region, 3))),
        avoid=sometimes(frozenset(chance.sample(region, 1))) or frozenset(),
        departs_between=sometimes((hours[0], hours[1])),
        arrives_between=sometimes((hours[0], hours[1])),
        longest_minutes=sometimes(chance.randint(100, 2500)),
    )


def _book(chance: Random, region: Sequence[str], day: date) -> Book:
    return rules_with(
        minimum_times=_minimum_times(chance, region, day),
        policy=policy(
            longest_domestic_minutes=chance.choice((240, 90, 1440, 1440)),
            longest_international_minutes=chance.choice((1440, 1440, 300)),
            terminal_change_minutes=chance.choice((30, 0, 75)),
            detour_percent=chance.choice((170, 400, 1000, 1000)),
            detour_slack_km=chance.choice((600, 20_000, 20_000, chance.randrange(8_000))),
            longest_journey_hours=chance.choice((48, 48, 48, 20)),
            most_itineraries=chance.choice((200, 200, 200, 200, 5)),
        ),
        interline=chance.choice(
            ((), (), ({"carrier": "ZZ", "partner": "BA"},), ({"carrier": "*", "partner": "YY"},), _ANYBODY)
        ),
    )


_ANYBODY = ({"carrier": "*", "partner": "*"},)


def _minimum_times(chance: Random, region: Sequence[str], day: date) -> list[dict[str, str]]:
    rows = [
        {name: value if name == "to_airport" else value.strip("*") for name, value in row.items()}
        for row in CONNECTIONS.packaged().tables["minimum_times"]
    ]
    if chance.random() < 0.3:
        begins = (day + timedelta(days=chance.randint(0, 1))).isoformat()
        rows += [
            minimum_time(airport=iata, valid_from=begins, minutes=chance.choice(("0", "240", "600")))
            for iata in region
        ]
    seen = {tuple(value for name, value in row.items() if name != "minutes") for row in rows}
    for _ in range(chance.choice((0, 0, 2, 8))):
        some = {
            "airport": chance.choice(region),
            "to_airport": chance.choice((*region, "*", "")),
            "from_status": chance.choice("DI"),
            "to_status": chance.choice("DI"),
            "from_terminal": chance.choice("12"),
            "to_terminal": chance.choice("12"),
            "inbound_carrier": chance.choice(CARRIERS),
            "outbound_carrier": chance.choice(CARRIERS),
            "valid_from": (day + timedelta(days=chance.randint(-1, 1))).isoformat(),
            "valid_to": (day + timedelta(days=chance.randint(1, 2))).isoformat(),
        }
        kept = {name: value for name, value in some.items() if chance.random() < 0.4}
        conditions = tuple(value for name, value in minimum_time(**kept).items() if name != "minutes")
        if not kept or conditions in seen or kept.get("airport") == kept.get("to_airport", "-"):
            continue
        seen.add(conditions)
        rows.append(minimum_time(**kept, minutes=str(chance.choice((0, 20, 60, 75, 100, 240)))))
    return rows


def _minutes(origin: str, destination: str) -> int:
    ends = [directory().by_iata.get(iata) for iata in (origin, destination)]
    if ends[0] is None or ends[1] is None:
        return 60
    km = distance_km(ends[0].latitude, ends[0].longitude, ends[1].latitude, ends[1].longitude)
    return 30 + 15 * round(km / 13 / 15)  # So that waits are often just as long as they must be.


def _airport(iata: str, known: Mapping[str, object]) -> Airport:
    return Airport(
        iata=iata,
        icao=None,
        name=str(known["name"]),
        city=str(known["city"]),
        country=str(known["country"]),
        latitude=float(str(known["lat"])),
        longitude=float(str(known["lon"])),
        elevation_m=None,
        time_zone=str(known["tz"]),
        city_code=search.areas().get(iata, (iata, ""))[0],
    )


def _city(iata: str) -> str:
    return directory().by_iata[iata].city_code


def _zone(iata: str) -> ZoneInfo:
    airport = directory().by_iata.get(iata)
    return airport.zone if airport else ZoneInfo("UTC")


def _offset(instant: int, zone: ZoneInfo) -> int:
    offset = (EPOCH + timedelta(minutes=instant)).astimezone(zone).utcoffset()
    return int((offset or timedelta()).total_seconds()) // 60
