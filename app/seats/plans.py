"""The seats of one flight: exactly as many in each cabin as are for sale, and the same ones whenever one looks.

Rows are numbered from the nose through all cabins without 13. The last row of a cabin has what is left over, its
window seats first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, count

from app.extras.book import FRONT, LEGROOM, STANDARD
from app.seats import layouts
from app.seats.layouts import CABINS, Layout

EXIT_ROW = "exit_row"
BASSINET = "bassinet"

_UNLUCKY = 13
# A designator has three digits at most.
_MOST_ROWS = 998
_FRONT_PERCENT = 20
# In fewer rows everybody reaches the doors.
_ROWS_WITH_EXITS = 6


@dataclass(frozen=True, slots=True)
class Seat:
    """`block` names the seats of its row that no aisle divides, such as `12ABC`; `place` counts through the cabin."""

    designator: str
    cabin: str
    row: int
    block: str
    place: int
    kind: str
    characteristics: tuple[str, ...]

    @property
    def is_at_exit(self) -> bool:
        return EXIT_ROW in self.characteristics

    def is_beside(self, other: "Seat") -> bool:
        return self.block == other.block and abs(self.place - other.place) == 1


@dataclass(frozen=True, slots=True)
class SeatRow:
    """Its seats between the aisles; None where a short row has none."""

    number: int
    over_wing: bool
    blocks: tuple[tuple[Seat | None, ...], ...]

    @property
    def seats(self) -> list[Seat]:
        return [seat for block in self.blocks for seat in block if seat]


@dataclass(frozen=True, slots=True)
class Cabin:
    """`at_nose` and `at_tail` tell whether it is the first or the last of the aircraft."""

    name: str
    deck: int
    at_nose: bool
    at_tail: bool
    rows: tuple[SeatRow, ...]

    @property
    def seats(self) -> list[Seat]:
        return [seat for row in self.rows for seat in row.seats]


class Plan:
    """The cabins of one flight."""

    def __init__(self, cabins: Sequence[Cabin]) -> None:
        self.cabins: Mapping[str, Cabin] = {cabin.name: cabin for cabin in cabins}
        self.seats: Mapping[str, Seat] = {seat.designator: seat for cabin in cabins for seat in cabin.seats}


@lru_cache(maxsize=256)
def plan(aircraft_type: str | None, capacities: tuple[tuple[str, int], ...]) -> Plan:
    """The plan of a flight with so many seats for sale in each cabin.

    A flight with more rows than can be numbered has none: no aircraft is like that, its seats are not chosen.
    """
    layout = layouts.of_type(aircraft_type)
    wanted = dict(capacities)
    sizes = {cabin: wanted[cabin] for cabin in CABINS if wanted.get(cabin, 0) > 0}
    lengths = [-(-seats // _width(layout, cabin)) for cabin, seats in sizes.items()]
    rows = sum(lengths)
    if rows > _MOST_ROWS:
        return Plan(())
    numbers = (number for number in count(1) if number != _UNLUCKY)
    starts = accumulate(lengths, initial=0)
    return Plan(
        [
            _Builder(layout, cabin, seats, length, start, rows).cabin(numbers)
            for (cabin, seats), length, start in zip(sizes.items(), lengths, starts, strict=False)
        ]
    )


def _width(layout: Layout, cabin: str) -> int:
    return sum(map(len, layout.blocks[cabin]))


@dataclass(frozen=True, slots=True)
class _Builder:
    """One cabin: so many seats in `length` rows, before which the aircraft has `start` of its `rows`."""

    layout: Layout
    name: str
    seats: int
    length: int
    start: int
    rows: int

    def cabin(self, numbers: Iterator[int]) -> Cabin:
        return Cabin(
            name=self.name,
            deck=int(self.name in self.layout.upper),
            at_nose=self.start == 0,
            at_tail=self.start + self.length == self.rows,
            rows=tuple(self._row(index, next(numbers)) for index in range(self.length)),
        )

    def _row(self, index: int, number: int) -> SeatRow:
        blocks, column, kept = [], 0, self._kept(index)
        for letters in self.layout.blocks[self.name]:
            columns = range(column, column + len(letters))
            blocks.append(
                tuple(
                    self._seat(index, number, letters, at, at - column) if at in kept else None
                    for at in columns
                )
            )
            column += len(letters)
        first, last = self.layout.wings
        over_wing = first <= (self.start + index) * 100 // self.rows <= last
        return SeatRow(number, over_wing, tuple(blocks))

    def _kept(self, index: int) -> set[int]:
        """The columns of a row that have a seat; a short row is filled from the windows inwards."""
        width = _width(self.layout, self.name)
        left = self.seats - index * width
        return set(sorted(range(width), key=lambda at: (min(at, width - 1 - at), at))[:left])

    def _seat(self, index: int, number: int, letters: str, column: int, at: int) -> Seat:
        width = _width(self.layout, self.name)
        return Seat(
            designator=f"{number}{letters[at]}",
            cabin=self.name,
            row=number,
            block=f"{number}{letters}",
            place=index * width + column,
            kind=self._kind(index),
            characteristics=tuple(self._characteristics(index, column, letters, at)),
        )

    def _kind(self, index: int) -> str:
        if index == 0 or self._is_exit(index):
            return LEGROOM
        return FRONT if index * 100 < self.length * _FRONT_PERCENT else STANDARD

    def _characteristics(self, index: int, column: int, letters: str, at: int) -> Iterator[str]:
        width, blocks = _width(self.layout, self.name), self.layout.blocks[self.name]
        at_window = column in (0, width - 1)
        at_aisle = (at == 0 and column > 0) or (at == len(letters) - 1 and column < width - 1)
        if at_window:
            yield "window"
        if at_aisle:
            yield "aisle"
        if not at_window and not at_aisle:
            yield "middle"
        if self._is_exit(index):
            yield EXIT_ROW
        if index == 0:
            yield "bulkhead"
        if index == 0 and len(blocks) > 2 and letters not in (blocks[0], blocks[-1]):
            yield BASSINET
        if self.start + index in (0, self.rows - 1):
            yield "near_lavatory"

    def _is_exit(self, index: int) -> bool:
        if self.name != "economy" or self.length < _ROWS_WITH_EXITS:
            return False
        return index in {self.length * percent // 100 for percent in self.layout.exits}
