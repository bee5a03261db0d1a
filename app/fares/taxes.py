"""Taxes and charges of airports and countries, each a line of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from app.airports.service import Airport
from app.fares.products import CABINS, PASSENGER_TYPES
from app.rules.cells import ANY, Cells, Reader

_WHEN = ("departure", "arrival", "transfer")
_SCOPES = ("domestic", "international")
_COUNTRY = ("[A-Z]{2}", "two letters of ISO 3166")
_AIRPORT = ("[A-Z]{3}", "an airport by its three letters")


@dataclass(frozen=True, slots=True)
class Tax:
    """Of one passenger: an amount in minor units of the book's currency, or hundredths of a percent of the fare.

    A refundable one is given back for an unused ticket even where the fare is not.
    """

    code: str
    name: str
    applies: str
    place: str
    scope: str
    cabin: str
    passengers: frozenset[str]
    amount: int
    percent: int
    refundable: bool
    first_day: date
    last_day: date

    @property
    def rank(self) -> tuple[int, bool, bool, bool]:
        """How specific it is: an airport before its country, that before anywhere; then scope, cabin, passengers."""
        everybody = len(self.passengers) == len(PASSENGER_TYPES)
        where = 0 if self.place == ANY else len(self.place)
        return where, self.scope != ANY, self.cabin != ANY, not everybody

    def covers(self, day: date, scope: str, cabin: str, passenger: str) -> bool:
        return (
            self.scope in (ANY, scope)
            and self.cabin in (ANY, cabin)
            and passenger in self.passengers
            and self.first_day <= day <= self.last_day
        )

    def clashes(self, other: "Tax") -> bool:
        """Whether nobody can say which of the two is due."""
        same = (self.code, self.applies, self.place, self.scope, self.cabin, self.rank)
        return (
            same == (other.code, other.applies, other.place, other.scope, other.cabin, other.rank)
            and bool(self.passengers & other.passengers)
            and self.first_day <= other.last_day
            and other.first_day <= self.last_day
        )


class Taxes:
    def __init__(self, taxes: Sequence[Tax]) -> None:
        self._at: dict[tuple[str, str], list[Tax]] = {}
        for tax in taxes:
            self._at.setdefault((tax.applies, tax.place), []).append(tax)

    def due(self, airports: Sequence[Airport], day: date, cabin: str, passenger: str) -> list[Tax]:
        """Every tax of a slice, whose airports are given as its flights leave and reach them.

        Of one code only the most specific row is due at an airport, so that a country can have its own amount.
        """
        scope = "domestic" if airports[0].country == airports[-1].country else "international"
        found: list[Tax] = []
        for applies, airport in _occasions(airports):
            best: dict[str, Tax] = {}
            for tax in self._filed(applies, airport):
                if tax.covers(day, scope, cabin, passenger):
                    known = best.get(tax.code)
                    best[tax.code] = tax if known is None or tax.rank > known.rank else known
            found += best.values()
        return found

    def _filed(self, applies: str, airport: Airport) -> Iterator[Tax]:
        for place in (ANY, airport.country, airport.iata):
            yield from self._at.get((applies, place), ())


def _occasions(airports: Sequence[Airport]) -> Iterator[tuple[str, Airport]]:
    """A slice departs once and arrives once; between flights it transfers, at both airports if it changes them."""
    yield "departure", airports[0]
    for landed, leaving in zip(airports[1:-1:2], airports[2:-1:2], strict=True):
        yield "transfer", landed
        if leaving.iata != landed.iata:
            yield "transfer", leaving
    yield "arrival", airports[-1]


def read_taxes(book: Reader, currency: str) -> Taxes:
    found: list[Tax] = []
    first: dict[str, Tax] = {}
    by_place: dict[tuple[str, str, str], list[Tax]] = {}
    for cells in book.rows("taxes"):
        tax = _tax(cells, currency)
        known = first.setdefault(tax.code, tax)
        if known.name != tax.name:
            cells.fault("name", "other_name", "An earlier row gives this code another name.")
        if known.refundable != tax.refundable:
            cells.fault("refundable", "other_answer", "An earlier row of this code says otherwise.")
        alike = by_place.setdefault((tax.code, tax.applies, tax.place), [])
        if any(one.clashes(tax) for one in alike):
            cells.fault("code", "overlaps", "An earlier row is for the same and as specific.")
        alike.append(tax)
        found.append(tax)
    return Taxes(found)


def _tax(cells: Cells, currency: str) -> Tax:
    has_amount, has_percent = bool(cells.text("amount")), bool(cells.text("percent_of_base"))
    if has_amount == has_percent:
        cells.fault("amount", "amount_or_percent", "Write an amount or a percentage of the fare.")
    first_day, last_day = cells.period()
    return Tax(
        code=cells.code("code", "[A-Z0-9]{2}", "two capitals or digits"),
        name=cells.filled("name", 60),
        applies=cells.one_of("applies", _WHEN),
        place=_place(cells),
        scope=cells.one_of("scope", _SCOPES, wild=True),
        cabin=cells.one_of("cabin", CABINS, wild=True),
        passengers=_passengers(cells),
        amount=cells.amount("amount", currency) if has_amount else 0,
        percent=cells.percent("percent_of_base") if has_percent else 0,
        refundable=cells.yes("refundable", empty=True),
        first_day=first_day,
        last_day=last_day,
    )


def _place(cells: Cells) -> str:
    country, airport = (
        cells.code("country", *_COUNTRY, wild=True),
        cells.code("airport", *_AIRPORT, wild=True),
    )
    if ANY not in (country, airport):
        cells.fault("airport", "two_places", "Name the airport or the country, not both.")
    return country if airport == ANY else airport


def _passengers(cells: Cells) -> frozenset[str]:
    text = cells.text("passengers")
    if text in ("", ANY):
        return frozenset(PASSENGER_TYPES)
    named = frozenset(text.replace(",", " ").split())
    if not named or not named.issubset(PASSENGER_TYPES):
        cells.fault("passengers", "unknown_value", f"Write some of: {', '.join(PASSENGER_TYPES)}.")
    return named
