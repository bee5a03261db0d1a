"""Offers as signed tokens: everything needed to book, nothing stored.

Any instance can honour a token, also after every cache was emptied. Its booking classes are kept open for
whoever has it until it expires, so demand cannot raise its price; only new fares or a flight moved to a dearer
hour can, and then the customer is asked.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from itsdangerous import BadData, URLSafeSerializer

from app.core import clock
from app.core.config import settings
from app.core.errors import FieldProblem
from app.offers.errors import OfferExpired, OfferNotFound

CABINS = ("economy", "premium_economy", "business", "first")
_PREFIX = "off_"
_LONGEST = 512
_FORMAT = 2
_EPOCH = date(2020, 1, 1)
# Base64 of SHA-256, without padding.
_SIGNATURE_LENGTH = 43


@dataclass(frozen=True, slots=True)
class Offer:
    """`slices` holds the ids of dated flights, `classes` the booking class of each slice; `counts` adults, children
    and infants; `total` minor units.
    """

    slices: tuple[tuple[int, ...], ...]
    classes: str
    cabin: str
    brand: str
    counts: tuple[int, int, int]
    total: int
    currency: str
    fares_version: int
    issued_on: date
    expires_at: datetime

    @property
    def seats(self) -> int:
        """Infants travel on a lap."""
        return self.counts[0] + self.counts[1]

    @property
    def flight_ids(self) -> list[int]:
        return [flight for one in self.slices for flight in one]


class _Compact:
    @staticmethod
    def dumps(value: Any, **_: Any) -> bytes:
        return orjson.dumps(value)

    @staticmethod
    def loads(payload: str | bytes, **_: Any) -> Any:
        return orjson.loads(payload)


@lru_cache
def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(
        settings().secret_keys,
        salt="jetway.offer",
        serializer=_Compact,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def expiry() -> datetime:
    """When an offer made now expires, on the full minute: equal searches make equal offers."""
    later = clock.now() + timedelta(minutes=settings().offer_minutes + 1)
    return later.replace(second=0, microsecond=0)


def sign(offer: Offer) -> str:
    """At most 512 characters, also for six slices of three flights."""
    payload = [
        _FORMAT,
        offer.slices,
        offer.classes,
        CABINS.index(offer.cabin),
        offer.brand,
        offer.counts,
        offer.total,
        offer.currency,
        offer.fares_version,
        (offer.issued_on - _EPOCH).days,
        int(offer.expires_at.timestamp()) // 60,
    ]
    signed: Any = _signer().dumps(payload)
    return _PREFIX + str(signed, "ascii")


def read(token: str) -> Offer:
    """Raises OfferNotFound for anything that we did not sign, OfferExpired for what is past its time."""
    offer = _opened(token)
    if offer.expires_at <= clock.now():
        raise OfferExpired(f"The offer expired at {clock.rfc3339(offer.expires_at)}.")
    return offer


@lru_cache(maxsize=1024)
def _opened(token: str) -> Offer:
    """A signature once found good stays good, so only the clock is asked again."""
    if len(token) > _LONGEST or not token.startswith(_PREFIX) or not token.isascii():
        raise _unknown("not_an_offer", "This is no offer; take the `id` of one that a search found.")
    payload, _, signature = token.removeprefix(_PREFIX).rpartition(".")
    if not payload or len(signature) < _SIGNATURE_LENGTH:
        raise _unknown("offer_truncated", "A part of this offer is missing.")
    try:
        version, *fields = _signer().loads(token.removeprefix(_PREFIX))
    except (BadData, ValueError):
        raise _unknown("offer_altered", "This offer was altered, or was not made here.") from None
    if version != _FORMAT:
        raise _unknown("offer_outdated", "This offer was made by an earlier release; search again.")
    slices, classes, cabin, brand, counts, total, currency, fares_version, issued, minutes = fields
    return Offer(
        slices=tuple(tuple(flights) for flights in slices),
        classes=classes,
        cabin=CABINS[cabin],
        brand=brand,
        counts=tuple(counts),
        total=total,
        currency=currency,
        fares_version=fares_version,
        issued_on=_EPOCH + timedelta(days=issued),
        expires_at=datetime.fromtimestamp(minutes * 60, UTC),
    )


def _unknown(code: str, message: str) -> OfferNotFound:
    """Every offer that is none of ours is not found; the entry in `errors` says what is wrong with it."""
    return OfferNotFound(message, errors=[FieldProblem("/offer_id", code, message)])
