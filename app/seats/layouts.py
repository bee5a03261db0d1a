"""How rows are laid out in each aircraft type: a usual layout and no particular airline's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.aircraft import service as aircraft
from app.core import tables

_LAYOUTS = Path(__file__).with_name("data") / "layouts.csv"
_UNKNOWN_TYPE = "*"
# From the nose to the tail.
CABINS = ("first", "business", "premium_economy", "economy")


@dataclass(frozen=True, slots=True)
class Layout:
    """`blocks` has, by cabin, the letters of a row between its aisles.

    `exits` are places in economy in percent of its rows, `wings` a stretch in percent of all rows, `upper` the
    cabins on the upper deck.
    """

    blocks: Mapping[str, tuple[str, ...]]
    exits: tuple[int, ...]
    wings: tuple[int, int]
    upper: frozenset[str]


def of_type(code: str | None) -> Layout:
    """By any code of the type; a type that nobody has described has the layout `*`."""
    found = aircraft.find(code) if code else None
    return _by_type().get(found.icao if found else _UNKNOWN_TYPE, _by_type()[_UNKNOWN_TYPE])


@lru_cache(maxsize=1)
def _by_type() -> dict[str, Layout]:
    return {icao: _layout(row) for row in tables.read(_LAYOUTS) for icao in row["types"].split()}


def _layout(row: Mapping[str, str]) -> Layout:
    first, last = row["wings"].split()
    return Layout(
        blocks={cabin: tuple(row[cabin].split("-")) for cabin in CABINS},
        exits=tuple(int(place) for place in row["exits"].split()),
        wings=(int(first), int(last)),
        upper=frozenset(row["upper"].split()),
    )
