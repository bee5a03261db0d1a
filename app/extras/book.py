"""What seats and bags cost besides the fare: tables that operators edit, and which row is for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.fares.products import CABINS
from app.fares.rates import read_currency
from app.rules.cells import ANY, Cells, Reader, repeated

STANDARD, FRONT, LEGROOM = SEAT_KINDS = ("standard", "front", "legroom")
SCOPES = ("domestic", "international")

_FURTHEST_KM = 99_999
_MOST_PIECES = 9
_HEAVIEST_KG = 99
_POLICIES = {
    "most_bags": (1, _MOST_PIECES),
    "included_kg": (1, _HEAVIEST_KG),
    "heaviest_kg": (1, _HEAVIEST_KG),
}


@dataclass(frozen=True, slots=True)
class SeatPrice:
    """For flights of up to so many kilometres; amounts are minor units of the book's currency."""

    kind: str
    cabin: str
    scope: str
    up_to_km: int
    amount: int
    first_day: date
    last_day: date

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """The lowest decides: one that names the cabin, then the scope, then the shorter way, then the later one."""
        return self.cabin == ANY, self.scope == ANY, self.up_to_km, -self.first_day.toordinal()

    def covers(self, kind: str, cabin: str, scope: str, km: int, day: date) -> bool:
        return (
            self.kind == kind
            and self.cabin in (ANY, cabin)
            and self.scope in (ANY, scope)
            and km <= self.up_to_km
            and self.first_day <= day <= self.last_day
        )


@dataclass(frozen=True, slots=True)
class BagPrice:
    """A passenger's checked piece by its number, counted with those that the fare includes."""

    carrier: str
    scope: str
    cabin: str
    piece: int
    max_kg: int
    amount: int
    first_day: date
    last_day: date

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int]:
        """The lowest decides: one that names the carrier, then the scope, then the cabin, then the later one."""
        named = self.carrier == ANY, self.scope == ANY, self.cabin == ANY
        return *named, self.max_kg, -self.first_day.toordinal()

    def covers(self, carrier: str, scope: str, cabin: str, day: date) -> bool:
        return (
            self.carrier in (ANY, carrier)
            and self.scope in (ANY, scope)
            and self.cabin in (ANY, cabin)
            and self.first_day <= day <= self.last_day
        )


@dataclass(frozen=True, slots=True)
class ExtrasBook:
    """One version. Rows are ordered so that the first one that fits decides.

    A passenger checks in `most_bags` on a slice, of `heaviest_kg` each; pieces of the fare weigh `included_kg`.
    """

    version: int
    currency: str
    seats: Sequence[SeatPrice]
    bags: Sequence[BagPrice]
    most_bags: int
    included_kg: int
    heaviest_kg: int

    def seat(self, kind: str, cabin: str, scope: str, km: int, day: date) -> int:
        for filed in self.seats:
            if filed.covers(kind, cabin, scope, km, day):
                return filed.amount
        raise LookupError("every book has a price for each kind of seat")

    def pieces(self, carrier: str, scope: str, cabin: str, day: date) -> list[BagPrice]:
        """Every piece that is sold, by its number and then by its weight."""
        found: dict[tuple[int, int], BagPrice] = {}
        for filed in self.bags:
            if filed.covers(carrier, scope, cabin, day):
                found.setdefault((filed.piece, filed.max_kg), filed)
        return [found[key] for key in sorted(found)]


def read_book(version: int, book: Reader) -> ExtrasBook:
    currency = read_currency(book)
    policy = _policy(book)
    return ExtrasBook(
        version=version,
        currency=currency,
        seats=_seats(book, currency),
        bags=_bags(book, currency, policy),
        most_bags=policy["most_bags"],
        included_kg=policy["included_kg"],
        heaviest_kg=policy["heaviest_kg"],
    )


def _policy(book: Reader) -> dict[str, int]:
    found: dict[str, int] = {}
    for cells in book.rows("policy"):
        name = cells.one_of("name", tuple(_POLICIES))
        if name in found:
            repeated(cells, "name")
        found[name] = cells.number_from("value", *_POLICIES.get(name, (0, _HEAVIEST_KG)))
    for name in _POLICIES:
        if name not in found:
            book.missing("policy", f"{name} is missing.")
    return {name: most for name, (_, most) in _POLICIES.items()} | found


def _seats(book: Reader, currency: str) -> list[SeatPrice]:
    found: list[SeatPrice] = []
    for cells in book.rows("seats"):
        price = SeatPrice(
            kind=cells.one_of("kind", SEAT_KINDS),
            cabin=cells.one_of("cabin", CABINS, wild=True),
            scope=cells.one_of("scope", SCOPES, wild=True),
            up_to_km=cells.number_from("up_to_km", 1, _FURTHEST_KM)
            if cells.text("up_to_km")
            else _FURTHEST_KM,
            amount=cells.amount("amount", currency),
            **_period(cells),
        )
        if any(
            (one.kind, one.cabin, one.scope, one.rank) == (price.kind, price.cabin, price.scope, price.rank)
            for one in found
        ):
            repeated(cells, "valid_from")
        found.append(price)
    for kind in SEAT_KINDS:
        always = SeatPrice(kind, ANY, ANY, _FURTHEST_KM, 0, date.min, date.max)
        if not any(
            one.kind == kind and one.rank == always.rank and one.last_day == date.max for one in found
        ):
            book.missing(
                "seats",
                f"A price of {kind} seats in any cabin and at any distance is missing, one without dates.",
            )
    return sorted(found, key=lambda price: price.rank)


def _bags(book: Reader, currency: str, policy: dict[str, int]) -> list[BagPrice]:
    found: list[BagPrice] = []
    for cells in book.rows("bags"):
        price = BagPrice(
            carrier=cells.code("carrier", "[A-Z0-9]{2}", "an airline by its two characters", wild=True),
            scope=cells.one_of("scope", SCOPES, wild=True),
            cabin=cells.one_of("cabin", CABINS, wild=True),
            piece=cells.number_from("piece", 1, max(policy["most_bags"], 1)),
            max_kg=cells.number_from("max_kg", 1, max(policy["heaviest_kg"], 1)),
            amount=cells.amount("amount", currency),
            **_period(cells),
        )
        alike = (price.carrier, price.scope, price.cabin, price.piece, price.rank)
        if any((one.carrier, one.scope, one.cabin, one.piece, one.rank) == alike for one in found):
            repeated(cells, "valid_from")
        found.append(price)
    return sorted(found, key=lambda price: price.rank)


def _period(cells: Cells) -> dict[str, date]:
    first, last = cells.period()
    return {"first_day": first, "last_day": last}
