"""A search's offers in their order, kept beside its cursor, so that pages fit together while prices move.

What is kept may be lost: then the order is worked out anew, and goes on after the last offer that was shown.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from app.core import clock, cursors, redis
from app.core.config import settings
from app.core.db import Row
from app.offers.questions import Question


@dataclass(frozen=True, slots=True)
class Listed:
    """An offer before it is signed: flight ids and booking class of each slice, the brand and the total."""

    slices: tuple[tuple[int, ...], ...]
    classes: str
    brand: str
    total: int


@dataclass(slots=True)
class Listing:
    """`meta` is that of the answer; the offers were priced on `issued_on` and last until `expires_at`."""

    meta: Row
    issued_on: date
    expires_at: datetime
    offers: list[Listed]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cursor points: into which listing, at which offer, and which one came before it."""

    name: str
    start: int
    slices: tuple[tuple[int, ...], ...]
    brand: str


async def keep(question: Question, listing: Listing) -> str:
    """Keep a listing for those who turn the page; its name for their cursor."""
    name = secrets.token_urlsafe(6)
    packed = orjson.dumps(
        [
            listing.meta,
            listing.issued_on,
            listing.expires_at,
            [[one.slices, one.classes, one.brand, one.total] for one in listing.offers],
        ]
    )
    seconds = settings().offer_minutes * 60
    await redis.or_none(redis.client().set(_key(question, name), packed, ex=seconds))
    return name


async def kept(question: Question, place: Place) -> Listing | None:
    packed: Any = await redis.or_none(redis.client().get(_key(question, place.name)))
    if packed is None:
        return None
    meta, issued_on, expires_at, offers = orjson.loads(packed)
    until = datetime.fromisoformat(expires_at)
    if until <= clock.now():
        return None
    listed = [
        Listed(tuple(map(tuple, slices)), classes, brand, total) for slices, classes, brand, total in offers
    ]
    return Listing(meta, date.fromisoformat(issued_on), until, listed)


def start_of(place: Place, listing: Listing) -> int:
    """Where to go on in a listing that was worked out anew."""
    for position, one in enumerate(listing.offers):
        if one.slices == place.slices and one.brand == place.brand:
            return position + 1
    return place.start


def cursor_after(listing: Listing, name: str, end: int) -> str:
    last = listing.offers[end - 1]
    return cursors.pack([name, end, last.slices, last.brand])


def place_of(question: Question) -> Place | None:
    """Raises Unprocessable for a cursor that is none of ours."""
    match cursors.unpack(question.cursor) if question.cursor else None:
        case None:
            return None
        case [str(name), int(start), list(slices), str(brand)] if start > 0 and _are_ids(slices):
            return Place(name, start, tuple(map(tuple, slices)), brand)
        case _:
            raise cursors.invalid()


def _are_ids(slices: list[Any]) -> bool:
    return all(isinstance(one, list) and all(type(flight) is int for flight in one) for one in slices)


def _key(question: Question, name: str) -> str:
    """A listing belongs to its question, however many offers are shown at a time."""
    asked = question.model_dump_json(exclude={"cursor", "limit"})
    return f"listing:{hashlib.sha256(asked.encode()).hexdigest()[:24]}:{name}"
