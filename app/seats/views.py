"""Seat maps as answers show them: rows from the nose to the tail, with what stands between them."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from app.core.db import Row
from app.core.money import Wire
from app.flights.service import public_id
from app.seats import sitting
from app.seats.plans import BASSINET, Cabin, Seat, SeatRow

_EMPTY: Row = {"type": "empty"}


def seat_map(
    flight: Row,
    cabin: Cabin | None,
    taken: Collection[str],
    infants_in: Collection[str],
    prices: Mapping[str, Wire],
) -> Row:
    """One flight's map; without a cabin there is nothing to choose from."""
    seats = _Seats(taken, infants_in, prices)
    return {
        "flight_id": public_id(flight),
        "aircraft": flight["aircraft_type"],
        "cabins": [seats.cabin(cabin)] if cabin else [],
    }


class _Seats:
    """What all seats of a map have in common: who sits already, and what kinds cost."""

    def __init__(
        self, taken: Collection[str], infants_in: Collection[str], prices: Mapping[str, Wire]
    ) -> None:
        self._taken, self._infants_in, self._prices = taken, infants_in, prices

    def cabin(self, cabin: Cabin) -> Row:
        rows = list(chain(_nose(cabin), *(self._with_fixtures(row) for row in cabin.rows), _tail(cabin)))
        return {
            "cabin": cabin.name,
            "deck": cabin.deck,
            "aisles": len(cabin.rows[0].blocks) - 1,
            "wings": _wings(cabin, rows),
            "rows": rows,
        }

    def _with_fixtures(self, row: SeatRow) -> Iterator[Row]:
        if row.seats[0].is_at_exit:
            yield _fixtures(row, ("exit_row", "exit_row"))
        if any(BASSINET in seat.characteristics for seat in row.seats):
            yield _row([[_bassinet(seat) for seat in block] for block in row.blocks])
        sections = [[self._element(seat) if seat else _EMPTY for seat in block] for block in row.blocks]
        yield _row(sections, row.number, row.seats[0].is_at_exit)

    def _element(self, seat: Seat) -> Row:
        available = seat.designator not in self._taken
        return {
            "type": "seat",
            "designator": seat.designator,
            "available": available,
            "kind": seat.kind,
            "characteristics": seat.characteristics,
            "price": self._prices[seat.kind] if available else None,
            "restrictions": sitting.restrictions(seat, self._infants_in),
        }


def _row(sections: list[list[Row]], number: int | None = None, exit_row: bool = False) -> Row:
    return {"number": number, "exit_row": exit_row, "sections": [{"elements": one} for one in sections]}


def _bassinet(seat: Seat | None) -> Row:
    return {"type": BASSINET} if seat and BASSINET in seat.characteristics else _EMPTY


def _fixtures(row: SeatRow, sides: tuple[str, str]) -> Row:
    """A row of no seats with something at either side."""
    sections = [[_EMPTY] * len(block) for block in row.blocks]
    sections[0][0], sections[-1][-1] = {"type": sides[0]}, {"type": sides[1]}
    return _row(sections)


def _nose(cabin: Cabin) -> list[Row]:
    return [_fixtures(cabin.rows[0], ("galley", "lavatory"))] if cabin.at_nose else []


def _tail(cabin: Cabin) -> list[Row]:
    return [_fixtures(cabin.rows[-1], ("lavatory", "galley"))] if cabin.at_tail else []


def _wings(cabin: Cabin, rows: list[Row]) -> Row | None:
    """From which to which of the rows that are shown the wings are."""
    over = {row.number for row in cabin.rows if row.over_wing}
    at = [index for index, row in enumerate(rows) if row["number"] in over]
    return {"first_row_index": at[0], "last_row_index": at[-1]} if at else None
