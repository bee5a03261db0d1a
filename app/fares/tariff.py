"""Filed fares, and which of them is for a slice: the most specific one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from app.airports.service import Airport, Directory, distance_km
from app.fares.products import CABINS
from app.rules.cells import ANY, Cells, Reader, repeated

_FURTHEST_KM = 99_999
_AIRPORT, _CITY, _COUNTRY, _ANYWHERE = 3, 2, 1, 0
# Both ends, the most specific first; of two equal ones, the one that knows better where the slice begins.
_PLACES = sorted(product(range(4), repeat=2), key=lambda levels: (-sum(levels), -levels[0]))
_PLACE_SHAPE = ("[A-Z]{2,3}", "an airport, a city or a country by its code")

# A carrier, from where, to where, a cabin.
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Filed:
    """A fare for slices of up to so many kilometres: an amount, and some more for each 100 km, in minor units."""

    up_to_km: int
    amount: int
    per_100_km: int
    first_day: date
    last_day: date

    def hundredths(self, km: int) -> int:
        """The adult's fare in hundredths of a minor unit, which is exact."""
        return self.amount * 100 + self.per_100_km * km


class Tariff:
    """Fares by what they are filed for. Of one key, those for shorter slices come first, later ones before earlier."""

    def __init__(self, filed: Mapping[Key, Sequence[Filed]]) -> None:
        self._filed = filed

    def fare(
        self, places: Directory, carrier: str, ends: tuple[Airport, Airport], cabin: str, day: date
    ) -> int:
        """An adult's fare in hundredths of a minor unit, before all factors.

        A carrier's own fares come before those of all carriers. Of either: a pair of airports before their
        cities, those before countries, and those before distance alone.
        """
        origin, destination = ends
        km = round(
            distance_km(origin.latitude, origin.longitude, destination.latitude, destination.longitude)
        )
        for filed in self._candidates(places, carrier, ends, cabin):
            if km <= filed.up_to_km and filed.first_day <= day <= filed.last_day:
                return filed.hundredths(km)
        raise LookupError("every book has a fare for each cabin and any distance")

    def _candidates(
        self, places: Directory, carrier: str, ends: tuple[Airport, Airport], cabin: str
    ) -> Iterator[Filed]:
        origin, destination = (_codes(places, airport) for airport in ends)
        for filed_by in (carrier, ANY):
            for leaving, landing in _PLACES:
                yield from self._filed.get((filed_by, origin[leaving], destination[landing], cabin), ())


def _codes(places: Directory, airport: Airport) -> tuple[str, str, str, str]:
    """What an airport is filed as, by level; a city whose code is an airport's means that airport alone."""
    city = airport.city_code if airport.city_code not in places.by_iata else ""
    return ANY, airport.country, city, airport.iata


def read_tariff(book: Reader, currency: str) -> Tariff:
    found: dict[Key, list[Filed]] = {}
    seen: set[tuple[Key, int, date]] = set()
    for cells in book.rows("fares"):
        key = (
            cells.code("carrier", "[A-Z0-9]{2}", "an airline by its two characters", wild=True),
            cells.code("from", *_PLACE_SHAPE, wild=True),
            cells.code("to", *_PLACE_SHAPE, wild=True),
            cells.one_of("cabin", CABINS),
        )
        fare = _filed(cells, currency)
        alike = (key, fare.up_to_km, fare.first_day)
        if alike in seen:
            repeated(cells, "valid_from")
        seen.add(alike)
        found.setdefault(key, []).append(fare)
    for cabin in CABINS:
        if not any(_always(fare) for fare in found.get((ANY, ANY, ANY, cabin), ())):
            message = f"A fare in {cabin} for any carrier, place and distance is missing, one without dates."
            book.missing("fares", message)
    for fares in found.values():
        fares.sort(key=lambda fare: (fare.up_to_km, -fare.first_day.toordinal()))
    return Tariff(found)


def _filed(cells: Cells, currency: str) -> Filed:
    up_to_km = cells.number_from("up_to_km", 1, _FURTHEST_KM) if cells.text("up_to_km") else _FURTHEST_KM
    amount, per_100_km = cells.amount("amount", currency), cells.amount("per_100_km", currency)
    return Filed(up_to_km, amount, per_100_km, *cells.period())


def _always(fare: Filed) -> bool:
    return (fare.up_to_km, fare.first_day, fare.last_day) == (_FURTHEST_KM, date.min, date.max)
