"""Fares: what a traveller pays, from a versioned table in data, in integers throughout.

A price depends on the flights, the cabin, the brand, the passengers, the day of the search and the fare
table's version, and on nothing else, so an offer's price can be computed again when it is booked.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.core import money
from app.core.db import Row

PASSENGER_TYPES = ("adult", "child", "infant")


@dataclass(frozen=True, slots=True)
class PricedFlight:
    """What the fare of a flight depends on."""

    distance_km: int
    departs_local: datetime
    origin_country: str
    destination_country: str


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    factor: int
    change_fee: int | None
    refund_fee: int | None
    carry_on: int
    checked: int


@dataclass(frozen=True, slots=True)
class PassengerPrice:
    """For all passengers of one type together, in minor units of the quote's currency."""

    type: str
    count: int
    base: int
    taxes: int


@dataclass(frozen=True, slots=True)
class Quote:
    currency: str
    passengers: tuple[PassengerPrice, ...]

    @property
    def base(self) -> int:
        return sum(line.base for line in self.passengers)

    @property
    def taxes(self) -> int:
        return sum(line.taxes for line in self.passengers)

    @property
    def total(self) -> int:
        return self.base + self.taxes

    def wire(self) -> Row:
        return {
            "total": money.wire(self.total, self.currency),
            "base": money.wire(self.base, self.currency),
            "taxes": money.wire(self.taxes, self.currency),
            "passengers": [
                {
                    "type": line.type,
                    "count": line.count,
                    "base": money.wire(line.base, self.currency),
                    "taxes": money.wire(line.taxes, self.currency),
                }
                for line in self.passengers
            ],
        }


class FareTable:
    """One version of the fares. Amounts in the file are minor units of its currency; factors are percent."""

    def __init__(self, filed: Mapping[str, Any]) -> None:
        self.version: int = filed["version"]
        self.currency: str = filed["currency"]
        self.currencies = frozenset(filed["rates"])
        self._filed = filed
        self._brands = {
            cabin: {brand["name"]: Brand(**brand) for brand in brands}
            for cabin, brands in filed["brands"].items()
        }

    def brands(self, cabin: str) -> list[Brand]:
        """Cheapest first."""
        return list(self._brands[cabin].values())

    def brand(self, cabin: str, name: str) -> Brand | None:
        return self._brands.get(cabin, {}).get(name)

    def adult_fare(self, flight: PricedFlight, cabin: str, issued_on: date) -> int:
        """One adult's fare for one flight in the lowest brand, before taxes, in the table's currency."""
        filed, local = self._filed, flight.departs_local
        band = next(band for band in filed["distance"] if flight.distance_km <= band["up_to_km"])
        fare = int(band["base"]) + money.share(band["per_100_km"], flight.distance_km, 100)
        factors = (
            filed["cabins"][cabin],
            filed["weekday"][local.weekday()],
            _step(filed["departure_hour"], local.hour),
            _step(filed["days_before_departure"], (local.date() - issued_on).days),
        )
        for factor in factors:
            fare = money.share(fare, factor, 100)
        return fare

    def taxes(self, flight: PricedFlight) -> int:
        """Airport charges of one passenger for one flight, in the table's currency."""
        filed = self._filed["taxes"]
        leaving = filed.get(flight.origin_country, filed["default"])["departure"]
        landing = filed.get(flight.destination_country, filed["default"])["arrival"]
        return int(leaving + landing)

    def quote(
        self,
        slices: list[list[PricedFlight]],
        cabin: str,
        brand: Brand,
        counts: tuple[int, int, int],
        issued_on: date,
        currency: str,
    ) -> Quote:
        """The price of an itinerary for `counts` of adults, children and infants."""
        flights = [flight for one in slices for flight in one]
        fare = sum(self.adult_fare(flight, cabin, issued_on) for flight in flights)
        fare = money.share(fare, brand.factor, 100)
        if len(slices) == 2:
            fare = money.share(fare, self._filed["round_trip"], 100)
        taxes = sum(self.taxes(flight) for flight in flights)
        return Quote(
            currency,
            tuple(
                self._line(kind, count, fare, taxes, currency)
                for kind, count in zip(PASSENGER_TYPES, counts, strict=True)
                if count
            ),
        )

    def fee(self, minor: int, currency: str) -> int:
        return self._converted(minor, currency)

    def _line(self, kind: str, count: int, fare: int, taxes: int, currency: str) -> PassengerPrice:
        # Each passenger's amount is rounded once and then multiplied, so that equal travellers pay the same.
        base = self._converted(money.share(fare, self._filed["passengers"][kind], 100), currency)
        taxed = kind != "infant" or self._filed["infants_pay_taxes"]
        return PassengerPrice(
            kind, count, base * count, self._converted(taxes, currency) * count if taxed else 0
        )

    def _converted(self, minor: int, currency: str) -> int:
        numerator, denominator = self._filed["rates"][currency]
        shift = money.exponent(currency) - money.exponent(self.currency)
        if shift >= 0:
            numerator *= 10**shift
        else:
            denominator *= 10**-shift
        return money.share(minor, numerator, denominator)


def _step(steps: list[list[int]], value: int) -> int:
    """The factor of the last step that starts at or below `value`."""
    return steps[max(bisect_right([start for start, _ in steps], value) - 1, 0)][1]


@lru_cache
def table() -> FareTable:
    """The fares in force."""
    return FareTable(json.loads((Path(__file__).parent / "data" / "fares.json").read_bytes()))
