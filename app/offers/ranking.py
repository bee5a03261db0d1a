"""Putting itineraries of slices together into journeys, and journeys in order. Numbers only, so it is quick.

A journey's price is the sum of its slices' prices, so what a slice costs is worked out once, however many
journeys it is part of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.timetable.engine import Segment

MOST_LISTED = 1000
"""Journeys in one brand that an answer lists at most, over all its pages."""

_PER_SLICE = 60
_MOST_JOURNEYS = 4000
_NIGHT_ENDS, _NIGHT_BEGINS = 6 * 60, 22 * 60

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Option:
    """An itinerary of one slice that can be bought: in which booking class, and its price in each brand."""

    segments: tuple[Segment, ...]
    booking_class: str
    prices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One itinerary for each slice, in the brand of this number, for this total in minor units."""

    options: tuple[Option, ...]
    brand: int
    total: int


@dataclass(slots=True)
class _Journeys:
    """Columns of journeys: which option of each slice, and what they add up to. `prices` has a column a brand."""

    chosen: Numbers
    prices: Numbers
    minutes: Numbers
    connections: Numbers
    nights: Numbers
    departs: Numbers
    arrives: Numbers

    def where(self, keep: Numbers) -> "_Journeys":
        return _Journeys(*(getattr(self, name)[keep] for name in self.__slots__))


def ranked(slices: Sequence[Sequence[Option]], sort: str, most: int | None) -> list[Ranked]:
    """Journeys of one option a slice that cost no more than `most`, in the order that `sort` names."""
    if not all(slices):
        return []
    columns = [_columns(options) for options in slices]
    if len(columns) > 1:
        columns = [one.where(np.sort(_order(one, sort)[0][:_PER_SLICE])) for one in columns]
    journeys = columns[0]
    for following in columns[1:]:
        journeys = _joined(journeys, following)
        if len(journeys.departs) > _MOST_JOURNEYS:
            journeys = journeys.where(np.sort(_order(journeys, sort)[0][:_MOST_JOURNEYS]))
    rows, brands = _order(journeys, sort, every_brand=True)
    totals = journeys.prices[rows, brands]
    if most is not None:
        keep = totals <= most
        rows, brands, totals = rows[keep], brands[keep], totals[keep]
    return [
        Ranked(tuple(slices[place][i] for place, i in enumerate(chosen)), brand, total)
        for chosen, brand, total in zip(
            journeys.chosen[rows[:MOST_LISTED]].tolist(),
            brands[:MOST_LISTED].tolist(),
            totals[:MOST_LISTED].tolist(),
            strict=True,
        )
    ]


def _columns(options: Sequence[Option]) -> _Journeys:
    firsts, lasts = [o.segments[0] for o in options], [o.segments[-1] for o in options]
    departs = np.array([first.departs for first in firsts])
    clock = (departs + np.array([first.departs_offset for first in firsts])) % (24 * 60)
    return _Journeys(
        chosen=np.arange(len(options))[:, None],
        prices=np.array([option.prices for option in options], dtype=np.int64),
        minutes=np.array([last.arrives for last in lasts]) - departs,
        connections=np.array([len(option.segments) - 1 for option in options]),
        nights=((clock < _NIGHT_ENDS) | (clock >= _NIGHT_BEGINS)).astype(np.int64),
        departs=departs,
        arrives=np.array([last.arrives for last in lasts]),
    )


def _joined(journeys: _Journeys, following: _Journeys) -> _Journeys:
    """Every journey with every following slice that leaves after it has arrived."""
    rows, more = np.nonzero(following.departs[None, :] > journeys.arrives[:, None])
    return _Journeys(
        chosen=np.hstack([journeys.chosen[rows], following.chosen[more]]),
        prices=journeys.prices[rows] + following.prices[more],
        minutes=journeys.minutes[rows] + following.minutes[more],
        connections=journeys.connections[rows] + following.connections[more],
        nights=journeys.nights[rows] + following.nights[more],
        departs=journeys.departs[rows],
        arrives=following.arrives[more],
    )


def _order(journeys: _Journeys, sort: str, *, every_brand: bool = False) -> tuple[Numbers, Numbers]:
    """Rows and brands of the journeys, best first; equal ones by price, departure and place.

    Each counts once in its cheapest brand, or with `every_brand` in all of them. `best` is worked out in
    thousandths, in integers.
    """
    prices = journeys.prices if every_brand else journeys.prices[:, :1]
    many = prices.shape[1]
    total, row = prices.ravel(), np.repeat(np.arange(len(prices)), many)
    if not len(total):
        return row, row
    match sort:
        case "price":
            key = total
        case "duration":
            key = journeys.minutes[row]
        case "departure":
            key = journeys.departs[row]
        case _:
            key = (
                1000 * total // max(int(total.min()), 1)
                + 500 * journeys.minutes[row] // max(int(journeys.minutes.min()), 1)
                + 60 * journeys.connections[row]
                + 100 * journeys.nights[row]
            )
    order = np.lexsort((np.arange(len(total)), journeys.departs[row], total, key))
    return row[order], np.tile(np.arange(many), len(prices))[order]
