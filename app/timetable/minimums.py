"""Minimum connecting times: which of many rows decides for two flights, for one pair or for arrays of them.

Codes are numbers of `codes.pack`. `data/SOURCES.md` has the ranking in words.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.timetable.codes import AIRPORTS

Array = NDArray[Any]

_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class MinimumTime:
    """A row of the table: 0 and None stand for any, except that `to_airport` is None where nobody changes airport."""

    airport: int
    to_airport: int | None
    from_domestic: bool | None
    to_domestic: bool | None
    from_terminal: int
    to_terminal: int
    inbound: int
    outbound: int
    minutes: int
    valid_from: date | None
    valid_to: date | None

    @property
    def rank(self) -> tuple[int, ...]:
        """Among rows that fit two flights, the highest decides."""
        return (
            bool(self.airport),
            bool(self.to_airport),
            bool(self.inbound) + bool(self.outbound),
            bool(self.from_terminal) + bool(self.to_terminal),
            (self.from_domestic is not None) + (self.to_domestic is not None),
            (self.valid_from is not None) + (self.valid_to is not None),
            self.minutes,
        )

    @property
    def is_plain(self) -> bool:
        """It asks for nothing but statuses, so that it may decide at every airport."""
        named = (
            self.airport,
            self.to_airport,
            self.inbound,
            self.outbound,
            self.from_terminal,
            self.to_terminal,
        )
        return not any(named) and self.valid_from is None and self.valid_to is None

    def fits_statuses(self, changes: bool, from_domestic: bool, to_domestic: bool) -> bool:
        return (
            (self.to_airport is not None) == changes
            and self.from_domestic in (None, from_domestic)
            and self.to_domestic in (None, to_domestic)
        )


class MinimumTimes:
    """The table, ready to be asked. Rows that ask for nothing but statuses must cover every pair of them."""

    def __init__(self, rows: Iterable[MinimumTime], terminal_change: int) -> None:
        rows = sorted(rows, key=lambda row: row.rank, reverse=True)
        self._terminal_change = terminal_change
        self._breaks = _breaks(rows)
        self._of_airport: dict[int, list[tuple[MinimumTime, int, int]]] = {0: []}
        for row in rows:
            self._of_airport.setdefault(row.airport, []).append((row, *self._valid(row)))
        self._plain = _plain(rows)
        named = {code for row in rows for code in (row.airport, row.to_airport) if code}
        self._special = np.zeros(AIRPORTS, bool)
        self._special[list(named)] = True
        # A row that names no airport, and yet more than statuses, may decide anywhere.
        self._special |= any(not row.is_plain and not row.airport and not row.to_airport for row in rows)
        self._remembered = lru_cache(_REMEMBERED)(self._decide)

    def period(self, day: date) -> int:
        """Days of one period are alike: no row begins or ends to be valid between them."""
        return bisect_right(self._breaks, day.toordinal())

    def of_one(
        self,
        airports: tuple[int, int],
        domestic: tuple[bool, bool],
        terminals: tuple[int, int],
        carriers: tuple[int, int],
        period: int,
    ) -> int:
        """Minutes between two flights; each pair is of the arriving and the leaving one."""
        return self._remembered(*airports, *domestic, *terminals, *carriers, period)

    def of_many(
        self,
        airports: tuple[Array, Array],
        domestic: tuple[Array, Array],
        terminals: tuple[Array, Array],
        carriers: tuple[Array, Array],
        period: Array,
    ) -> Array:
        """The same for arrays of pairs."""
        changes = airports[0] != airports[1]
        minutes: Array = self._plain[
            changes.astype(np.intp), domestic[0].astype(np.intp), domestic[1].astype(np.intp)
        ]
        other = (terminals[0] != terminals[1]) & (terminals[0] > 0) & (terminals[1] > 0) & ~changes
        minutes += other * self._terminal_change
        special = np.flatnonzero(self._special[airports[0]] | self._special[airports[1]])
        if special.size:
            columns = (*airports, *domestic, *terminals, *carriers, period)
            values = map(self._remembered, *(column[special].tolist() for column in columns))
            minutes[special] = np.fromiter(values, np.int64, special.size)
        return minutes

    def _decide(
        self,
        airport: int,
        to_airport: int,
        from_domestic: bool,
        to_domestic: bool,
        from_terminal: int,
        to_terminal: int,
        inbound: int,
        outbound: int,
        period: int,
    ) -> int:
        changes = airport != to_airport
        # Rows that name an airport outrank those that name none.
        for row, begins, ends in chain(self._of_airport.get(airport, ()), self._of_airport[0]):
            if (
                row.fits_statuses(changes, from_domestic, to_domestic)
                and row.to_airport in (None, 0, to_airport)
                and row.from_terminal in (0, from_terminal)
                and row.to_terminal in (0, to_terminal)
                and row.inbound in (0, inbound)
                and row.outbound in (0, outbound)
                and begins <= period <= ends
            ):
                moves = not changes and from_terminal and to_terminal and from_terminal != to_terminal
                names_one = row.from_terminal or row.to_terminal
                return row.minutes + (self._terminal_change if moves and not names_one else 0)
        raise LookupError("No row is for this pair of statuses.")

    def _valid(self, row: MinimumTime) -> tuple[int, int]:
        """The periods in which a row is valid: the first and the last."""
        first = 0 if row.valid_from is None else self.period(row.valid_from)
        return first, len(self._breaks) if row.valid_to is None else self.period(row.valid_to)


def _breaks(rows: Sequence[MinimumTime]) -> list[int]:
    begins = {row.valid_from.toordinal() for row in rows if row.valid_from}
    return sorted(begins | {row.valid_to.toordinal() + 1 for row in rows if row.valid_to})


def _plain(rows: Sequence[MinimumTime]) -> Array:
    """Minutes by whether the airport changes, and whether the flights are domestic; rows by rank."""
    minutes = np.zeros((2, 2, 2), np.int64)
    for key in np.ndindex(minutes.shape):
        changes, from_domestic, to_domestic = map(bool, key)
        minutes[key] = next(
            row.minutes
            for row in rows
            if row.is_plain and row.fits_statuses(changes, from_domestic, to_domestic)
        )
    return minutes
