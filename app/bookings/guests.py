"""Guests: who knows a reference and a name sees a little, who gets the booking's mail sees the booking.

A reference is printed on every boarding pass, and many share a name, so both together prove nothing. Failures are
counted in the database, where emptying a cache lifts no limit.
"""

import hashlib
import hmac
import secrets
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from app.auth import tokens
from app.auth.errors import TokenExpired
from app.bookings import lookups, names, service
from app.bookings.errors import BookingNotFound, GuestLinkNotFound
from app.bookings.schemas import GuestLookup
from app.core import audit, db
from app.core.autocomplete import folded
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import TooManyRequests

LINK_MINUTES = 15
TOKEN_SECONDS = 1800
_KIND = tokens.Kind("guest+jwt", "jetway-guest")
_NOBODY = [{"given_name": "", "family_name": "", "latin": ""}]


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who has opened a link, and may read this booking until their token ends."""

    pnr: str
    expires_at: int


async def lookup(data: GuestLookup, address: str) -> Row:
    """The masked view. Raises BookingNotFound, the same for every miss, and TooManyRequests.

    The attempt is durable before anything is compared, so that however many come at once, no more of them are
    answered than the limits allow; a reference that does not exist costs the same statements as a wrong name.
    """
    async with db.transaction() as session:
        attempt = await lookups.add_lookup(session, address, data.pnr)
    async with db.transaction() as session:
        wait = await lookups.lookup_wait(session, attempt, address, data.pnr)
        if wait is not None and settings().rate_limit_enabled:
            await lookups.forget_lookup(session, attempt)
            found = None
        else:
            wait = None
            found = await _matching(session, data)
            await lookups.end_lookup(session, attempt, found is not None)
    if wait is not None:
        detail = "Wait, or ask for a link by mail with POST /bookings/lookup/link."
        raise TooManyRequests(detail, retry_after=wait)
    if found is None:
        raise BookingNotFound("No booking has this reference and family name.")
    async with db.transaction() as session:
        return _masked(await service.snapshot(session, found["pnr"]))


async def request_link(session: Session, data: GuestLookup, address: str) -> None:
    """Have a link mailed to the booking's contact, if there is such a booking; nobody is told whether there is.

    Hit and miss write a row each. Beyond the limits of an address or a booking nothing is mailed.
    """
    found = await _matching(session, data)
    nonce = secrets.token_bytes(32)
    await lookups.add_link(
        session,
        link_id=uuid.uuid4(),
        booking_id=found["booking_id"] if found else None,
        pnr=found["pnr"] if found else None,
        address=address,
        nonce=nonce,
        token_hash=_hash(_token(nonce, settings().secret_keys[-1])),
        minutes=LINK_MINUTES,
    )


async def link(session: Session, link_id: uuid.UUID) -> Row | None:
    """The `token` to mail and its `expires_at`; None when it has expired or been used.

    The database holds a number and the token's hash. The token follows from the number and the secret key, so a
    mail that is sent again carries the same link, and who reads the table has none.
    """
    found = await lookups.live_link(session, link_id)
    if found is None:
        return None
    made = (_token(found["nonce"], key) for key in settings().secret_keys)
    token = next((one for one in made if _hash(one) == found["token_hash"]), None)
    return {"token": token, "expires_at": found["expires_at"]} if token else None


async def open_link(session: Session, token: str) -> Row:
    """The booking, and a token to read it again for a while; the link is spent. Raises GuestLinkNotFound."""
    pnr = await lookups.spend_link(session, _hash(token))
    if pnr is None:
        raise GuestLinkNotFound
    booking = await service.snapshot(session, pnr)
    await audit.record(session, "guest.link_opened", by="guest", subject=f"booking:{pnr}")
    return {
        "booking": booking,
        "guest_token": tokens.sign(_KIND, pnr, TOKEN_SECONDS),
        "expires_in": TOKEN_SECONDS,
    }


async def read(session: Session, guest: Guest, pnr: str) -> Row:
    """The guest's booking. Raises BookingNotFound for any other."""
    return await service.snapshot(session, own(guest, pnr))


def own(guest: Guest, pnr: str) -> str:
    """The reference of the guest's booking. Raises BookingNotFound if it is not the one that is asked for."""
    if not hmac.compare_digest(pnr.upper().encode(), guest.pnr.encode()):
        raise BookingNotFound
    return guest.pnr


def guest(token: str) -> Guest | None:
    """Whose token this is; None for any other kind of token. Raises InvalidToken and TokenExpired."""
    if tokens.kind_of(token) != _KIND.typ:
        return None
    try:
        claims = tokens.verify(_KIND, token)
    except TokenExpired:
        raise TokenExpired("The guest token has expired; ask for a new link.") from None
    return Guest(claims["sub"], claims["exp"])


async def purge(session: Session) -> None:
    await lookups.purge_guests(session)


async def _matching(session: Session, data: GuestLookup) -> Row | None:
    """The booking, if one of its travellers has this family name on the ticket."""
    found = await lookups.family_names(session, service.reference(data.pnr) or "")
    wanted = _written(data.family_name, names.latin(data.family_name))
    # All are compared, whoever it is that matches, and somebody even where there is nobody.
    same = [
        hmac.compare_digest(one_way, other)
        for one in found or _NOBODY
        for one_way, other in zip(wanted, _written(one["family_name"], one["latin"]), strict=True)
    ]
    return found[0] if found and any(same) else None


def _written(name: str, latin: str) -> list[bytes]:
    """A family name without its accents and as tickets have it; what there is not of one matches nothing."""
    return [(way or secrets.token_hex(8)).encode() for way in (folded(name), latin)]


def _masked(booking: Row) -> Row:
    """Where and when, and initials; nothing with which anybody could go further."""
    shown = (
        "flight_number",
        "operated_by",
        "origin",
        "destination",
        "departing_at",
        "arriving_at",
        "duration",
    )
    return {
        "pnr": booking["pnr"],
        "status": booking["status"],
        "passengers": [
            {"initials": " ".join(f"{name[0].upper()}." for name in _names(one))}
            for one in booking["passengers"]
        ],
        "slices": [
            {
                **{name: one[name] for name in ("origin", "destination", "duration", "connections")},
                "segments": [{name: segment[name] for name in shown} for segment in one["segments"]],
            }
            for one in booking["slices"]
        ],
    }


def _names(passenger: Row) -> list[str]:
    """Some have no given name."""
    return [name for name in (passenger["given_name"], passenger["family_name"]) if name]


def _token(nonce: bytes, key: str) -> str:
    drawn = hmac.digest(key.encode(), b"guest link" + nonce, "sha256")
    return urlsafe_b64encode(drawn).rstrip(b"=").decode()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
