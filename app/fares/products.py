"""What is sold in each cabin: booking classes, fare brands; and to whom: passenger types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.rules.cells import HUNDRED, Cells, Reader, repeated

CABINS = ("economy", "premium_economy", "business", "first")
PASSENGER_TYPES = ("adult", "child", "infant")


@dataclass(frozen=True, slots=True)
class Brand:
    """`percent` is in hundredths; fees are minor units of the book's currency, None where it is not allowed."""

    name: str
    code: str
    percent: int
    change_fee: int | None
    refund_fee: int | None
    carry_on: int
    checked: int
    seat_choice: bool


@dataclass(frozen=True, slots=True)
class BookingClass:
    """Sold on a flight while fewer seats of the cabin are taken than `share` of them, both in hundredths."""

    letter: str
    percent: int
    share: int


@dataclass(frozen=True, slots=True)
class Discount:
    """What a passenger type pays of the adult's fare, in hundredths of a percent, and whether taxes too."""

    percent: int
    taxed: bool


@dataclass(frozen=True, slots=True)
class Products:
    """Classes are highest first, brands cheapest first, discounts in the order of PASSENGER_TYPES."""

    classes: Mapping[str, Sequence[BookingClass]]
    brands: Mapping[str, Sequence[Brand]]
    discounts: Sequence[Discount]


def read_products(book: Reader, currency: str) -> Products:
    return Products(_classes(book), _brands(book, currency), _discounts(book))


def _classes(book: Reader) -> dict[str, Sequence[BookingClass]]:
    """Nested: the higher class may take the seats of all lower ones, so a dearer one never closes earlier."""
    found: dict[str, list[BookingClass]] = {cabin: [] for cabin in CABINS}
    letters: set[str] = set()
    for cells in book.rows("classes"):
        letter = cells.code("class", "[A-Z]", "one letter")
        if letter in letters:
            repeated(cells, "class")
        letters.add(letter)
        one = BookingClass(letter, cells.percent("percent"), cells.percent("share", most=HUNDRED))
        above = found.setdefault(cells.one_of("cabin", CABINS), [])
        if not above and one.share != HUNDRED:
            cells.fault("share", "not_all", "The first class of a cabin may sell all seats: 100.")
        for column, higher, lower in _falling(above, one):
            if lower >= higher:
                cells.fault(column, "not_falling", "Write the classes of a cabin highest first.")
        above.append(one)
    _none_without(book, "classes", found)
    return dict(found)


def _falling(above: list[BookingClass], one: BookingClass) -> list[tuple[str, int, int]]:
    if not above:
        return []
    return [("percent", above[-1].percent, one.percent), ("share", above[-1].share, one.share)]


def _brands(book: Reader, currency: str) -> dict[str, Sequence[Brand]]:
    found: dict[str, list[Brand]] = {cabin: [] for cabin in CABINS}
    for cells in book.rows("brands"):
        brand = _brand(cells, currency)
        cheaper = found.setdefault(cells.one_of("cabin", CABINS), [])
        for column in ("name", "code"):
            if any(getattr(one, column) == getattr(brand, column) for one in cheaper):
                repeated(cells, column)
        if cheaper and brand.percent < cheaper[-1].percent:
            cells.fault("percent", "not_rising", "Write the brands of a cabin cheapest first.")
        cheaper.append(brand)
    _none_without(book, "brands", found)
    return dict(found)


def _brand(cells: Cells, currency: str) -> Brand:
    return Brand(
        name=cells.filled("name", 30),
        code=cells.code("code", "[A-Z0-9]{1,3}", "one to three capitals or digits"),
        percent=cells.percent("percent"),
        change_fee=cells.amount("change_fee", currency) if cells.text("change_fee") else None,
        refund_fee=cells.amount("refund_fee", currency) if cells.text("refund_fee") else None,
        carry_on=cells.number_from("carry_on", 0, 9),
        checked=cells.number_from("checked", 0, 9),
        seat_choice=cells.yes("seat_choice"),
    )


def _discounts(book: Reader) -> Sequence[Discount]:
    found: dict[str, Discount] = {}
    for cells in book.rows("discounts"):
        kind = cells.one_of("passenger", PASSENGER_TYPES)
        if kind in found:
            repeated(cells, "passenger")
        found[kind] = Discount(cells.percent("percent", least=0, most=HUNDRED), cells.yes("taxes"))
        if kind == "adult" and found[kind].percent != HUNDRED:
            cells.fault("percent", "not_all", "An adult pays 100: the others pay shares of it.")
    for kind in PASSENGER_TYPES:
        if kind not in found:
            book.missing("discounts", f"What a passenger of type {kind} pays is missing.")
    return tuple(found.get(kind, Discount(HUNDRED, True)) for kind in PASSENGER_TYPES)


def _none_without(book: Reader, table: str, found: Mapping[str, Sequence[object]]) -> None:
    for cabin in CABINS:
        if not found[cabin]:
            book.missing(table, f"There is nothing for {cabin}.")
