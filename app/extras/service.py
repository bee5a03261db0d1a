"""What a seat and a bag cost: prices in force, which operators edit, in the currency of the offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.airports.service import directory, distance_km
from app.core import money
from app.core.db import Row
from app.extras.book import SCOPES, SEAT_KINDS, STANDARD, ExtrasBook, read_book
from app.extras.errors import BagNotAllowed, ExtrasNotSold
from app.fares import service as fares
from app.fares.products import Brand
from app.rules import service as rules
from app.rules.cells import Reader
from app.rules.kinds import Book, Kind, register

_COLUMNS = {
    "book": ("name", "value"),
    "seats": ("kind", "cabin", "scope", "up_to_km", "amount", "valid_from", "valid_to"),
    "bags": ("carrier", "scope", "cabin", "piece", "max_kg", "amount", "valid_from", "valid_to"),
    "policy": ("name", "value"),
}


@dataclass(frozen=True, slots=True)
class Bag:
    """A passenger's checked piece on a slice; `piece` counts those that the fare includes, which cost nothing more."""

    piece: int
    max_kg: int
    amount: int
    included: bool


def build(book: Book) -> ExtrasBook:
    """Raises RulesRefused with all that makes no sense."""
    reader = Reader(book.tables)
    read = read_book(book.version, reader)
    reader.faults.refuse_any()
    return read


EXTRAS = register(Kind("extras", _COLUMNS, Path(__file__).with_name("data"), build))


def book() -> ExtrasBook:
    """The prices in force."""
    return rules.in_force(EXTRAS)


def seat_prices(
    flight: Row, cabin: str, brand: Brand, currency: str, *, assistance: bool = False
) -> dict[str, int]:
    """What each kind of seat costs on a flight. Raises ExtrasNotSold."""
    return {
        kind: seat_price(flight, cabin, kind, brand, currency, assistance=assistance) for kind in SEAT_KINDS
    }


def seat_price(
    flight: Row, cabin: str, kind: str, brand: Brand, currency: str, *, assistance: bool = False
) -> int:
    """What a seat costs on a flight, in minor units. Raises ExtrasNotSold.

    Who needs assistance never pays for the seat that it takes: Regulation (EC) No 1107/2006.
    """
    if assistance or (brand.seat_choice and kind == STANDARD):
        return 0
    scope, km = _scope_and_km(flight["origin"], flight["destination"])
    return _converted(book().seat(kind, cabin, scope, km, flight["departure_date"]), currency)


def bag_price(
    flights: Sequence[Row], cabin: str, piece: int, brand: Brand, currency: str, kg: int | None = None
) -> int:
    """What a passenger's checked piece costs on a slice, in minor units; `kg` left out, it is of the usual weight.

    Raises BagNotAllowed for more or heavier pieces than are carried, and ExtrasNotSold.
    """
    for one in bags(flights, cabin, brand, currency):
        if one.piece == piece and (kg is None or kg <= one.max_kg):
            return one.amount
    carried = book()
    raise BagNotAllowed(
        f"A passenger checks in at most {carried.most_bags} pieces of at most {carried.heaviest_kg} kg, and "
        f"those of the fare weigh at most {carried.included_kg} kg."
    )


def bags(flights: Sequence[Row], cabin: str, brand: Brand, currency: str) -> list[Bag]:
    """Every piece that a passenger can check in on a slice: those of the fare, then those that are sold.

    The airline of the first flight decides for the whole slice. Raises ExtrasNotSold.
    """
    first, last = flights[0], flights[-1]
    scope, _ = _scope_and_km(first["origin"], last["destination"])
    included = [Bag(piece + 1, book().included_kg, 0, True) for piece in range(brand.checked)]
    sold = [
        Bag(one.piece, one.max_kg, _converted(one.amount, currency), False)
        for one in book().pieces(first["carrier"], scope, cabin, first["departure_date"])
        if one.piece > brand.checked
    ]
    return included + sold


def _scope_and_km(origin: str, destination: str) -> tuple[str, int]:
    here, there = directory().find(origin), directory().find(destination)
    domestic, international = SCOPES
    km = round(distance_km(here.latitude, here.longitude, there.latitude, there.longitude))
    return domestic if here.country == there.country else international, km


def _converted(minor: int, currency: str) -> int:
    """In another currency by the rates that the fares state, rounded once. Raises ExtrasNotSold."""
    currencies = fares.book().currencies
    if book().currency not in currencies or currency not in currencies:
        raise ExtrasNotSold(f"There is no rate between {book().currency} and {currency}.")
    filed, wanted = currencies[book().currency], currencies[currency]
    return money.share(minor, wanted.numerator * filed.denominator, wanted.denominator * filed.numerator)
