"""The cells of a row of rules: what each says, and a fault for what makes no sense."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date

from app.core import money
from app.rules.kinds import Faults, Tables

ANY = "*"
HUNDRED = 10_000
"""A hundred percent. Percents are counted in hundredths, so that they are whole."""

_PERCENT = re.compile(r"\d{1,4}(\.\d{1,2})?", re.ASCII)
_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,4})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"\d{1,6}", re.ASCII)


class Cells:
    """One row. A cell that makes no sense is noted and reads as something harmless: the book is refused anyway."""

    def __init__(self, faults: Faults, table: str, number: int, row: Mapping[str, str]) -> None:
        self._faults, self.table, self.number = faults, table, number
        self._row = {name: value.strip() for name, value in row.items()}

    def fault(self, column: str, code: str, message: str) -> None:
        self._faults.add(self.table, self.number, column, code, message)

    def text(self, column: str) -> str:
        return self._row[column]

    def filled(self, column: str, most: int) -> str:
        """Some text of at most so many characters."""
        value = self.text(column)
        if not 1 <= len(value) <= most:
            self.fault(column, "bad_length", f"Write 1 to {most} characters.")
        return value

    def code(self, column: str, shape: str, meant: str, *, wild: bool = False) -> str:
        """A code of this shape; with `wild`, an empty cell means any."""
        value = self.text(column)
        if wild and value in ("", ANY):
            return ANY
        if not re.fullmatch(shape, value, re.ASCII):
            self.fault(column, "bad_code", f"Write {meant}{', or * for any' if wild else ''}.")
        return value

    def one_of(self, column: str, choices: Collection[str], *, wild: bool = False) -> str:
        value = self.text(column)
        if wild and value in ("", ANY):
            return ANY
        if value not in choices:
            listed = ", ".join([*choices, *([ANY] if wild else [])])
            self.fault(column, "unknown_value", f"Write one of: {listed}.")
        return value

    def yes(self, column: str, *, empty: bool | None = None) -> bool:
        """Where `empty` is given, an empty cell means that, and so does a column that older tables lack."""
        if empty is not None and not self._row.get(column):
            return empty
        return self.one_of(column, ("yes", "no")) == "yes"

    def number_from(self, column: str, least: int, most: int) -> int:
        value = self.text(column)
        if not _NUMBER.fullmatch(value) or not least <= int(value) <= most:
            self.fault(column, "bad_number", f"Write a whole number from {least} to {most}.")
            return least - 1
        return int(value)

    def percent(self, column: str, least: int = 1, most: int = 9999 * 100 + 99) -> int:
        """In hundredths of a percent."""
        value = self.text(column)
        whole, _, part = value.partition(".")
        hundredths = int(whole) * 100 + int(f"{part:0<2}") if _PERCENT.fullmatch(value) else -1
        if not least <= hundredths <= most:
            limits = f"from {least / 100:g} to {most / 100:g}"
            self.fault(column, "bad_percent", f"Write a percentage {limits}, with two decimals at most.")
            return HUNDRED
        return hundredths

    def amount(self, column: str, currency: str) -> int:
        """In minor units of the currency, which has only so many decimals."""
        value, decimals = self.text(column), money.exponent(currency)
        whole, _, part = value.partition(".")
        if not _AMOUNT.fullmatch(value) or len(part) > decimals:
            self.fault(
                column, "bad_amount", f"Write an amount in {currency}, with {decimals} decimals at most."
            )
            return 0
        return int(whole + part.ljust(decimals, "0"))

    def day(self, column: str, empty: date | None = None) -> date:
        """A date; where `empty` is given, an empty cell means that one."""
        value = self.text(column)
        if empty is not None and not value:
            return empty
        try:
            return date.fromisoformat(value if _DATE.fullmatch(value) else "")
        except ValueError:
            self.fault(column, "bad_date", "Write a date as YYYY-MM-DD.")
            return empty or date.min

    def period(self) -> tuple[date, date]:
        """The first and the last day that the row is for."""
        first, last = self.day("valid_from", date.min), self.day("valid_to", date.max)
        if last < first:
            self.fault("valid_to", "ends_before_it_begins", "It ends before it begins.")
        return first, last


class Reader:
    """The tables of a book, row by row."""

    def __init__(self, tables: Tables) -> None:
        self.faults = Faults()
        self._tables = tables

    def rows(self, table: str) -> Iterator[Cells]:
        for number, row in enumerate(self._tables[table]):
            yield Cells(self.faults, table, number, row)

    def missing(self, table: str, message: str) -> None:
        """Notes that the table lacks a row which it cannot do without."""
        self.faults.add_at((table,), "missing_row", message)


def repeated(cells: Cells, column: str) -> None:
    cells.fault(column, "repeated", "An earlier row says the same of something else.")
