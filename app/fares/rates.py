"""Currencies in which fares are sold, and how amounts become others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from app.core import money
from app.rules.cells import Cells, Reader, repeated


@dataclass(frozen=True, slots=True)
class Currency:
    """One unit of the book's currency is `rate` units of this one, as `source` said on that day.

    `numerator / denominator` is the same between their minor units.
    """

    code: str
    rate: str
    as_of: date
    source: str
    numerator: int
    denominator: int

    def converted(self, minor: int) -> int:
        """An amount of the book's currency in this one, rounded once."""
        return money.share(minor, self.numerator, self.denominator)


def read_currency(book: Reader) -> str:
    """The currency in which the book's amounts are written."""
    found = "USD"
    given = False
    for cells in book.rows("book"):
        cells.one_of("name", ("currency",))
        if given:
            repeated(cells, "name")
        found, given = cells.code("value", "[A-Z]{3}", "three letters of ISO 4217"), True
    if not given:
        book.missing("book", "Name the currency of the amounts.")
    return found


def read_rates(book: Reader, currency: str) -> Mapping[str, Currency]:
    rates: dict[str, Currency] = {}
    for cells in book.rows("currencies"):
        one = _read(cells, currency)
        if one.code in rates:
            repeated(cells, "currency")
        rates[one.code] = one
    if currency not in rates:
        book.missing("currencies", f"{currency} is missing, in which the amounts are written.")
    return rates


def _read(cells: Cells, of_book: str) -> Currency:
    code = cells.code("currency", "[A-Z]{3}", "three letters of ISO 4217")
    rate = _rate(cells)
    if code == of_book and rate != 1:
        cells.fault("rate", "not_one", "The currency of the amounts has the rate 1.")
    minor = rate * Fraction(10) ** (money.exponent(code) - money.exponent(of_book))
    as_of, source = cells.day("as_of"), cells.filled("source", 60)
    return Currency(code, cells.text("rate"), as_of, source, minor.numerator, minor.denominator)


def _rate(cells: Cells) -> Fraction:
    whole, _, part = (text := cells.text("rate")).partition(".")
    plain = text.isascii() and whole.isdigit() and (part.isdigit() or "." not in text)
    if not plain or len(whole) > 6 or len(part) > 10 or not Fraction(text):
        cells.fault("rate", "bad_rate", "Write how many there are for one, such as 0.92.")
        return Fraction(1)
    return Fraction(text)
