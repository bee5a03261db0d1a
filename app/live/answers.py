"""Answers to `GET /flights/live`, put together from the bytes of the aircraft in them.

Whoever asks the same while the pictures are the same gets the same bytes.
"""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import orjson

from app.core.etags import etag_of
from app.live import areas, numbers, tiles
from app.live.areas import WORLD
from app.live.errors import PositionsUnavailable
from app.live.pictures import Aircraft, merged
from app.live.schemas import LiveQuery
from app.live.tiles import Look
from app.providers import registry

_MOST_BYTES = 32 * 1024 * 1024

Test = Callable[[Aircraft], bool]


class Body:
    """An answer's bytes, packed when the first viewer wants them so. The tag is weak, because it names both."""

    def __init__(self, plain: bytes) -> None:
        self.plain, self.etag = plain, "W/" + etag_of(plain)

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.plain, compresslevel=1, mtime=0)


class Answer(NamedTuple):
    """`fresh_seconds` is for how long there will be no other."""

    body: Body
    stale: bool
    fresh_seconds: float


class _Bodies:
    """The bodies that were made last, the oldest of them leaving when there are too many bytes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], Body] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[str, ...]) -> Body | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: tuple[str, ...], plain: bytes) -> Body:
        body = self._kept[key] = Body(plain)
        self._bytes += len(plain)
        while self._bytes > _MOST_BYTES and len(self._kept) > 1:
            self._bytes -= len(self._kept.popitem(last=False)[1].plain)
        return body


_bodies = _Bodies()


async def find(query: LiveQuery) -> Answer:
    """The aircraft that a viewer wants. Raises PositionsUnavailable and PositionsDisabled."""
    looks = await _looks(query)
    stale = any(look.stale for look in looks)
    key = (query.model_dump_json(), str(stale), *(look.picture.version for look in looks))
    body = _bodies.get(key) or _bodies.put(key, _made(query, looks, stale))
    return Answer(body, stale, min(look.fresh_seconds for look in looks))


async def _looks(query: LiveQuery) -> list[Look]:
    """The pictures of the area. Where they cannot be had, an old one of the whole world will do."""
    wanted = areas.boxes(query.bbox) if query.bbox else None
    covering = (
        areas.covering(wanted, registry.positions().price, tiles.at_hand) if wanted is not None else [WORLD]
    )
    try:
        return list(await asyncio.gather(*(tiles.look(tile) for tile in covering)))
    except PositionsUnavailable:
        world = tiles.old(WORLD)
        if world is None:
            raise
        return [world]


def _made(query: LiveQuery, looks: list[Look], stale: bool) -> bytes:
    found = merged([look.picture for look in looks])
    for wanted in _tests(query):
        found = [one for one in found if wanted(one)]
    meta = {
        "source": looks[0].picture.source,
        "fetched_at": min(look.picture.fetched_at for look in looks),
        "stale": stale,
        "total": len(found),
    }
    data = b",".join([one.wire for one in found[: query.limit]])
    return b'{"data":[' + data + b'],"next_cursor":null,"meta":' + orjson.dumps(meta) + b"}"


def _tests(query: LiveQuery) -> Iterator[Test]:
    """Each for what the one before has left over."""
    yield lambda one: one.recent and (query.on_ground or not one.on_ground)
    if query.bbox:
        yield _inside(query.bbox)
    if query.airline:
        yield _of_airline(query.airline.upper())
    if query.flight_number:
        yield _numbered(query.flight_number)


def _inside(bbox: str) -> Test:
    """Of the two halves of a box that crosses the antimeridian, an aircraft is in the one on its side."""
    boxes = areas.boxes(bbox)
    south, north, west, east = boxes[0].south, boxes[0].north, boxes[0].west, boxes[-1].east
    if len(boxes) == 1:
        return lambda one: south <= one.latitude <= north and west <= one.longitude <= east
    return lambda one: south <= one.latitude <= north and (one.longitude >= west or one.longitude <= east)


def _of_airline(designator: str) -> Test:
    """By the flight that an aircraft is on, or by how its callsign begins."""
    carriers = set(numbers.carriers(designator))
    spoken = {designator, *chain.from_iterable(numbers.designators(carrier) for carrier in carriers)}

    def test(one: Aircraft) -> bool:
        if one.flight_number is not None and one.flight_number[:2] in carriers:
            return True
        if one.callsign is None or one.callsign[:3] in spoken:
            return one.callsign is not None
        called = numbers.parsed(one.callsign)
        return called is not None and called[0] in spoken

    return test


def _numbered(flight_number: str) -> Test:
    """By the flight that an aircraft is on, or by a callsign that follows from the number."""
    designator, digits = numbers.parsed(flight_number) or ("", "")
    carriers = numbers.carriers(designator)
    known = {carrier + spelling for carrier in carriers for spelling in numbers.spellings(digits)}
    names = {designator, *chain.from_iterable(numbers.designators(carrier) for carrier in carriers)}
    spoken = {(name, digits) for name in names}
    return lambda one: one.flight_number in known or numbers.parsed(one.callsign or "") in spoken
