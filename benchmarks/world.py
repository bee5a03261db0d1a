"""A world to search in: 4,000 airports, 300 airlines and 100,000 flights a day, the same whenever it is made.

The airports are real; airlines, routes and times are made up from a fixed seed: hubs with spokes, distances that
airlines fly, a weekly pattern, and airports whose traffic falls off as real ones' does.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import airportsdata
import asyncpg
import numpy as np

from app.core import tables
from app.timetable import codes
from app.timetable.day import EPOCH, Array, Day

FLIGHTS_A_DAY = 100_000
AIRPORTS, AIRLINES = 4_000, 300
_IN_ALLIANCES = 60
_ALLIANCES = ("star_alliance", "oneworld", "skyteam")
_HUBS = 120
_TYPES = ("DH8D", "E190", "A320", "B738", "B789", "B77W")
_REACH_KM = (900, 3_000, 4_500, 4_500, 12_000, 13_500)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EARTH_KM = 6371.0
_POPULARITY = Path(__file__).parents[1] / "app/airports/data/popularity.csv"


@dataclass(frozen=True)
class Airports:
    iata: list[str]
    zone: list[str]
    latitude: Array
    longitude: Array
    weight: Array


class World:
    """Rotations: there and back on one route, by one airline, on most days of the week."""

    def __init__(self, flights_a_day: int = FLIGHTS_A_DAY, seed: int = 7) -> None:
        self._random = np.random.default_rng(seed)
        self.airports = _airports()
        self.airlines = [digit + letter for digit in "0123456789" for letter in _LETTERS]
        self.airlines += [letter + digit for letter in _LETTERS for digit in "0123456789"]
        self._make(flights_a_day)

    @property
    def alliances(self) -> list[dict[str, str]]:
        """Rows for the rules of connections."""
        return [
            {"carrier": carrier, "alliance": _ALLIANCES[n % 3]}
            for n, carrier in enumerate(self.airlines[:_IN_ALLIANCES])
        ]

    def busiest(self, most: int) -> list[str]:
        departures = np.bincount(np.concatenate([self.origin, self.destination]), minlength=AIRPORTS)
        return [self.airports.iata[place] for place in np.argsort(-departures)[:most].tolist()]

    def _make(self, flights_a_day: int) -> None:
        pick, places = self._random, self.airports
        # So many rotations that six days of seven give the flights that are wanted.
        rotations = flights_a_day * 7 // 12
        routes = rotations // 3
        size = 1 / (np.arange(AIRLINES) + 6.0)
        carrier = np.sort(pick.choice(AIRLINES, routes, p=size / size.sum()))
        draw = np.sqrt(places.weight[:_HUBS])
        hubs = pick.choice(_HUBS, (AIRLINES, 4), p=draw / draw.sum())
        hub = hubs[carrier, pick.choice(4, routes, p=(0.5, 0.2, 0.17, 0.13))]
        spoke = pick.choice(AIRPORTS, routes, p=places.weight)
        kind = pick.choice(len(_TYPES), routes, p=(0.12, 0.16, 0.28, 0.26, 0.1, 0.08))
        km = self._km(hub, spoke)
        for _ in range(60):
            reach = np.array(_REACH_KM)[kind]
            wrong = np.flatnonzero((km > reach) | (km < reach / 12) | (hub == spoke))
            spoke[wrong] = pick.choice(AIRPORTS, wrong.size, p=places.weight)
            km[wrong] = self._km(hub[wrong], spoke[wrong])
        fits = np.flatnonzero((km <= 14_500) & (hub != spoke))
        # Short routes are flown often, long ones once or twice a day.
        often = 1 / (km[fits] + 800)
        route = np.sort(pick.choice(fits, rotations, p=often / often.sum()))
        self.carrier, self.origin, self.destination = carrier[route], hub[route], spoke[route]
        self.kind, self.block = kind[route], (35 + km[route] / 13.5).astype(np.int64)
        self.leaves = pick.integers(5 * 12, 22 * 12, rotations) * 5
        self.rests = pick.integers(8, 30, rotations) * 5
        self.weekdays = pick.random((rotations, 7)) < 6 / 7
        self.number = np.arange(rotations) - np.searchsorted(self.carrier, self.carrier)

    def _km(self, one: Array, other: Array) -> Array:
        latitude, longitude = np.radians(self.airports.latitude), np.radians(self.airports.longitude)
        half = np.sin((latitude[other] - latitude[one]) / 2) ** 2 + np.cos(latitude[one]) * np.cos(
            latitude[other]
        ) * (np.sin((longitude[other] - longitude[one]) / 2) ** 2)
        km: Array = 2 * _EARTH_KM * np.arcsin(np.sqrt(half))
        return km

    def flights(self, day: date) -> dict[str, Array]:
        """Columns of the flights that leave on a local date; places and carriers by number."""
        offsets = self._offsets(day)
        midnight = (datetime.combine(day, datetime.min.time(), UTC) - EPOCH).days * 1440
        flown = np.flatnonzero(self.weekdays[:, day.weekday()])
        hub, spoke = self.origin[flown], self.destination[flown]
        out = midnight + self.leaves[flown] - offsets[hub]
        # The way back leaves the spoke on this date too, at the hour at which the rotation is there.
        back = midnight + (self.leaves[flown] + self.block[flown] + self.rests[flown]) % 1440 - offsets[spoke]
        origin, destination = np.concatenate([hub, spoke]), np.concatenate([spoke, hub])
        departs = np.concatenate([out, back])
        arrives = departs + np.tile(self.block[flown], 2)
        return {
            "departs": departs,
            "arrives": arrives,
            "departs_offset": offsets[origin],
            "arrives_offset": offsets[destination],
            "carrier": np.tile(self.carrier[flown], 2),
            "kind": np.tile(self.kind[flown], 2),
            "number": np.concatenate([self.number[flown] * 2 + 1, self.number[flown] * 2 + 2]),
            "origin": origin,
            "destination": destination,
        }

    def day(self, day: date, first_id: int = 1) -> Day:
        """The day as it would be built from the database."""
        made = self.flights(day)
        count = made["departs"].size
        places = np.array([codes.pack(code) for code in self.airports.iata])
        carriers = np.array([codes.pack(code) for code in self.airlines])
        types = np.array([codes.pack(code) for code in _TYPES])
        none = np.zeros(count, np.int64)
        columns = {
            "id": np.arange(first_id, first_id + count),
            "carrier": carriers[made["carrier"]],
            "aircraft": types[made["kind"]],
            "origin": places[made["origin"]],
            "destination": places[made["destination"]],
            "departure_terminal": none,
            "arrival_terminal": none,
        }
        columns |= {name: made[name] for name in ("departs", "arrives", "departs_offset", "arrives_offset")}
        return Day.of(day, f"made:{day}", columns)

    async def load(self, url: str, days: list[date]) -> int:
        """Put the flights of these dates into the table; how many they are."""
        connection = await asyncpg.connect(url)
        total = 0
        try:
            for day in days:
                records = self._records(day)
                await connection.copy_records_to_table("flights", records=records, columns=_COLUMNS)
                total += len(records)
            await connection.execute("ANALYZE flights")
        finally:
            await connection.close()
        return total

    def _records(self, day: date) -> list[tuple[object, ...]]:
        made = {name: column.tolist() for name, column in self.flights(day).items()}
        epoch, iata, seen = EPOCH.replace(tzinfo=None), self.airports.iata, datetime.now(UTC)
        at, minutes = {}, timedelta
        for name in ("departs", "arrives"):
            at[name] = [EPOCH + minutes(minutes=value) for value in made[name]]
            clock = zip(made[name], made[f"{name}_offset"], strict=True)
            at[f"{name}_local"] = [epoch + minutes(minutes=value + offset) for value, offset in clock]
        return [
            (
                self.airlines[carrier],
                str(number),
                day,
                iata[origin],
                iata[destination],
                *times,
                "scheduled",
                _TYPES[kind],
                [],
                "import",
                "import",
                seen,
            )
            for carrier, number, origin, destination, kind, *times in zip(
                made["carrier"],
                made["number"],
                made["origin"],
                made["destination"],
                made["kind"],
                at["departs_local"],
                at["arrives_local"],
                at["departs"],
                at["arrives"],
                strict=True,
            )
        ]

    def _offsets(self, day: date) -> Array:
        noon = datetime.combine(day, datetime.min.time()) + timedelta(hours=12)
        of_zone = {
            zone: int(noon.replace(tzinfo=ZoneInfo(zone)).utcoffset().total_seconds()) // 60  # type: ignore[union-attr]
            for zone in set(self.airports.zone)
        }
        return np.array([of_zone[zone] for zone in self.airports.zone])


_COLUMNS = [
    "carrier",
    "number",
    "departure_date",
    "origin",
    "destination",
    "departs_local",
    "arrives_local",
    "departs_at",
    "arrives_at",
    "status",
    "aircraft_type",
    "codeshares",
    "source",
    "schedule_source",
    "observed_at",
]


def _airports() -> Airports:
    """The best-known airports first, and as many others as are wanted."""
    known = airportsdata.load("IATA")
    passengers = {row["iata"]: float(row["passengers_millions"]) for row in tables.read(_POPULARITY)}
    order = sorted(known, key=lambda iata: (-passengers.get(iata, 0), iata))[:AIRPORTS]
    weight = 1 / (np.arange(AIRPORTS) + 30.0) ** 0.85
    return Airports(
        order,
        [known[iata]["tz"] for iata in order],
        np.array([known[iata]["lat"] for iata in order]),
        np.array([known[iata]["lon"] for iata in order]),
        weight / weight.sum(),
    )
