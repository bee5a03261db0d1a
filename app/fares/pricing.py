"""Prices made of filed fares, in integers throughout.

A price depends on the slice, the terms, the booking class, the brand and the book of fares, and on nothing
else, so an offer's price can be computed again when it is booked. It adds up by design: a journey costs what
its slices cost, a slice what its lines say, and a line one passenger's rounded amounts times their number.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from app.airports.service import Airport, Directory
from app.core import money
from app.core.db import Row
from app.fares.factors import Factors
from app.fares.products import CABINS, PASSENGER_TYPES, BookingClass, Brand, Discount, Products
from app.fares.quotes import PassengerPrice, Quote, SlicePrice, TaxLine, merged
from app.fares.rates import Currency
from app.fares.tariff import Tariff
from app.fares.taxes import Tax, Taxes
from app.rules.cells import HUNDRED

__all__ = [
    "CABINS",
    "PASSENGER_TYPES",
    "Brand",
    "FareBook",
    "PassengerPrice",
    "Quote",
    "SliceFacts",
    "SlicePrice",
    "TaxLine",
    "Terms",
    "UnknownClass",
]

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

_MOST_REMEMBERED = 20_000
# A fare is carried as an exact integer until it is rounded: in hundredths of a minor unit, times the
# percentages of season, weekday, hour, advance purchase, connections, journey, stay, class, brand and passenger.
_OF_MARKET = 100 * HUNDRED**2
_OF_ADULT = _OF_MARKET * HUNDRED**7
_OF_PASSENGER = _OF_ADULT * HUNDRED


class UnknownClass(LookupError):
    """The book has no such booking class in this cabin; it may have been taken out of it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What all slices of one search or offer have in common.

    `counts` are adults, children and infants; `journey` is `one_way`, `return` or `multi_city`. A return trip
    has the days between its departures, and whether one of their nights is a Saturday's.
    """

    cabin: str
    counts: tuple[int, int, int]
    currency: str
    issued_on: date
    journey: str
    stay_days: int | None = None
    saturday_night: bool = False


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """What the fare of a slice depends on.

    `airline` is the carrier of its first flight; `stops` are its airports as the flights leave and reach them:
    from, to, from, to; `departs_local` is what the clock shows there when the first one leaves.
    """

    airline: str
    stops: tuple[str, ...]
    departs_local: datetime


class _Taxed:
    """The taxes of one passenger of each type, but for those that depend on the fare."""

    __slots__ = ("fixed", "shares", "sum_of_fixed")

    def __init__(self, due: Sequence[Tax], currency: Currency) -> None:
        lines = (
            TaxLine(tax.code, tax.name, currency.converted(tax.amount), tax.refundable)
            for tax in due
            if not tax.percent
        )
        self.fixed = merged(lines)
        self.sum_of_fixed = sum(line.amount for line in self.fixed)
        self.shares = tuple((tax.code, tax.name, tax.percent, tax.refundable) for tax in due if tax.percent)

    def total(self, base: int) -> int:
        """The sum of one passenger's lines."""
        shares = sum([money.share(base, percent, 100 * 100) for _, _, percent, _ in self.shares])
        return self.sum_of_fixed + shares

    def lines(self, base: int, count: int) -> tuple[TaxLine, ...]:
        fixed = tuple(
            [TaxLine(code, name, amount * count, refundable) for code, name, amount, refundable in self.fixed]
        )
        if not self.shares:
            return fixed
        shares = [
            TaxLine(code, name, money.share(base, percent, 100 * 100) * count, refundable)
            for code, name, percent, refundable in self.shares
        ]
        return merged([*fixed, *shares])


class FareBook:
    """One version of the fares. `places` gives the airports as they are known at the moment."""

    def __init__(
        self,
        version: int,
        currency: str,
        currencies: Mapping[str, Currency],
        tariff: Tariff,
        factors: Factors,
        products: Products,
        taxes: Taxes,
        places: Callable[[], Directory],
    ) -> None:
        self.version = version
        self.currency = currency
        self.currencies = currencies
        self._tariff, self._factors, self._products, self._taxes = tariff, factors, products, taxes
        self._classes = {
            cabin: {one.letter: one for one in classes} for cabin, classes in products.classes.items()
        }
        self._places = places
        self._known: Directory | None = None
        self._markets: dict[tuple[str, str, str, str, date], int] = {}
        self._taxed: dict[tuple[tuple[str, ...], date, str, str], tuple[_Taxed, ...]] = {}
        self._totals: dict[tuple[Hashable, ...], tuple[int, ...]] = {}

    def brands(self, cabin: str) -> Sequence[Brand]:
        """Cheapest first."""
        return self._products.brands[cabin]

    def brand(self, cabin: str, name: str) -> Brand | None:
        return next((brand for brand in self._products.brands.get(cabin, ()) if brand.name == name), None)

    def classes(self, cabin: str) -> tuple[str, ...]:
        """Booking classes, the highest first."""
        return tuple(self._classes[cabin])

    def lowest_class(self, cabin: str, seats: int, flights: Sequence[tuple[int, int]]) -> str | None:
        """The lowest booking class that is open on all flights, each given by its capacity and what is taken.

        None if even the highest class of one of them has too few seats.
        """
        for one in reversed(self._products.classes[cabin]):
            share = one.share
            for capacity, taken in flights:
                if capacity * share // HUNDRED - taken < seats:
                    break
            else:
                return one.letter
        return None

    def totals(
        self, terms: Terms, facts: SliceFacts, booking_class: str, brands: Sequence[Brand]
    ) -> tuple[int, ...]:
        """What `price` comes to in each of these brands, for those who compare many. Raises UnknownClass."""
        self._look_around()
        leaves = facts.departs_local
        percents = tuple([brand.percent for brand in brands])
        key = (terms, facts.airline, facts.stops, leaves.toordinal(), leaves.hour, booking_class, percents)
        found = self._totals.get(key)
        if found is None:
            found = _kept(self._totals, key, self._totalled(terms, facts, booking_class, percents))
        return found

    def price(self, terms: Terms, facts: SliceFacts, booking_class: str, brand: Brand) -> SlicePrice:
        """What a slice costs for all passengers, line by line. Raises UnknownClass."""
        self._look_around()
        fare = self._adult(terms, facts, self._class(terms.cabin, booking_class)) * brand.percent
        bases, taxes = self._bases(terms, fare), self._taxes_of(terms, facts)
        return SlicePrice(
            tuple(
                PassengerPrice(kind, count, base * count, taxed.lines(base, count))
                for kind, count, base, taxed in zip(PASSENGER_TYPES, terms.counts, bases, taxes, strict=True)
                if count
            )
        )

    def fee(self, minor: int, currency: str) -> int:
        """A fee of the book in another currency."""
        return self.currencies[currency].converted(minor)

    def stated_rate(self, currency: str) -> Row | None:
        """At which rate prices in this currency are made, and who said so when; None in the book's own."""
        if currency == self.currency:
            return None
        one = self.currencies[currency]
        return {
            "base": self.currency,
            "currency": currency,
            "rate": one.rate,
            "as_of": one.as_of.isoformat(),
            "source": one.source,
        }

    def fare_basis(self, terms: Terms, facts: SliceFacts, booking_class: str, brand: Brand) -> str:
        """A short name of the fare: booking class, season if there is one, R for a return trip, brand."""
        origin, destination = self._ends(facts)
        season = self._factors.season(facts.departs_local.date(), (origin.country, destination.country))
        shape = "R" if terms.journey == "return" else ""
        return booking_class + (season.code if season else "") + shape + brand.code

    def _totalled(
        self, terms: Terms, facts: SliceFacts, booking_class: str, percents: Sequence[int]
    ) -> tuple[int, ...]:
        fare, taxes = (
            self._adult(terms, facts, self._class(terms.cabin, booking_class)),
            self._taxes_of(terms, facts),
        )
        totals = []
        for percent in percents:
            bases = self._bases(terms, fare * percent)
            each = zip(bases, taxes, terms.counts, strict=True)
            totals.append(sum([(base + taxed.total(base)) * count for base, taxed, count in each if count]))
        return tuple(totals)

    def _bases(self, terms: Terms, fare: int) -> list[int]:
        """One passenger's fare before taxes, of each type; each is rounded once."""
        currency = self.currencies[terms.currency]
        numerator, denominator = currency.numerator, currency.denominator * _OF_PASSENGER
        return [
            money.share(fare * discount.percent, numerator, denominator) if count else 0
            for discount, count in zip(self._products.discounts, terms.counts, strict=True)
        ]

    def _adult(self, terms: Terms, facts: SliceFacts, one: BookingClass) -> int:
        """An adult's fare before brand, taxes and rounding; times a brand's percent, `_OF_ADULT` are one minor unit."""
        factors, leaves = self._factors, facts.departs_local
        day = leaves.date()
        return (
            self._market(facts, terms.cabin, day)
            * factors.hours.at(leaves.hour)
            * factors.advance.at((day - terms.issued_on).days)
            * factors.connections.at(len(facts.stops) // 2 - 1)
            * factors.journeys[terms.journey]
            * factors.stay(terms.stay_days, terms.saturday_night)
            * one.percent
        )

    def _market(self, facts: SliceFacts, cabin: str, day: date) -> int:
        """The filed fare with what the day makes of it: `_OF_MARKET` of it are one minor unit."""
        key = (facts.airline, facts.stops[0], facts.stops[-1], cabin, day)
        found = self._markets.get(key)
        if found is None:
            ends = self._ends(facts)
            season = self._factors.season(day, (ends[0].country, ends[1].country))
            fare = self._tariff.fare(self._places(), facts.airline, ends, cabin, day)
            fare *= (season.percent if season else HUNDRED) * self._factors.weekdays[day.weekday()]
            found = _kept(self._markets, key, fare)
        return found

    def _taxes_of(self, terms: Terms, facts: SliceFacts) -> tuple[_Taxed, ...]:
        day = facts.departs_local.date()
        key = (facts.stops, day, terms.cabin, terms.currency)
        found = self._taxed.get(key)
        if found is None:
            airports = [self._places().find(stop) for stop in facts.stops]
            currency = self.currencies[terms.currency]
            due = [
                self._due(airports, day, terms.cabin, kind, discount)
                for kind, discount in zip(PASSENGER_TYPES, self._products.discounts, strict=True)
            ]
            found = _kept(self._taxed, key, tuple(_Taxed(one, currency) for one in due))
        return found

    def _due(
        self, airports: Sequence[Airport], day: date, cabin: str, kind: str, discount: Discount
    ) -> Sequence[Tax]:
        return self._taxes.due(airports, day, cabin, kind) if discount.taxed else ()

    def _class(self, cabin: str, letter: str) -> BookingClass:
        try:
            return self._classes[cabin][letter]
        except KeyError:
            raise UnknownClass(f"There is no booking class {letter} in {cabin}.") from None

    def _ends(self, facts: SliceFacts) -> tuple[Airport, Airport]:
        places = self._places()
        return places.find(facts.stops[0]), places.find(facts.stops[-1])

    def _look_around(self) -> None:
        """Forget what was worked out when airports were read again: one may belong to another city now."""
        if (places := self._places()) is not self._known:
            self._known = places
            self._markets.clear()
            self._taxed.clear()
            self._totals.clear()


def _kept(remembered: dict[K, T], key: K, value: T) -> T:
    """Remember a value; when there are too many, all are forgotten, which is quicker than to choose."""
    if len(remembered) >= _MOST_REMEMBERED:
        remembered.clear()
    remembered[key] = value
    return value
