"""Passports and identity cards: valid until the last arrival, sealed in the database, masked in every answer.

They are forgotten thirty days after the trip, and at no time is a number seen in a log, an event or an answer.
"""

from app.airports.service import directory
from app.bookings import sealed_numbers
from app.bookings.errors import DocumentExpires
from app.bookings.schemas import DocumentIn, PassengerIn
from app.core import crypto
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.flights.times import local

_KEPT_DAYS = 30
_SHOWN, _HIDDEN = 4, 4


def check(passengers: list[PassengerIn], slices: list[list[Row]]) -> None:
    """Raises DocumentExpires where a document is not valid any more when its holder arrives."""
    last = slices[-1][-1]
    arrival = local(last["arrives_at"], directory().find(last["destination"]).zone).date()
    for position, passenger in enumerate(passengers):
        if passenger.document is not None and passenger.document.expires_on < arrival:
            message = f"Must be valid until {arrival.isoformat()}"
            pointer = f"/passengers/{position}/document/expires_on"
            raise DocumentExpires(
                f"{message}.", errors=[FieldProblem(pointer, DocumentExpires.code, message)]
            )


def sealed(document: DocumentIn | None, pnr: str, position: int) -> Row | None:
    """A document as it is stored."""
    if document is None:
        return None
    number = crypto.seal(document.number, _context(pnr, position))
    return document.model_dump(mode="json") | {"number": number}


def shown(document: Row | None, pnr: str, position: int) -> Row | None:
    """A stored document as answers show it."""
    if document is None:
        return None
    return document | {"number": masked(crypto.open(document["number"], _context(pnr, position)))}


def opened(document: Row | None, pnr: str, position: int) -> Row | None:
    """A stored document in full, for its holder alone."""
    if document is None:
        return None
    return document | {"number": crypto.open(document["number"], _context(pnr, position))}


def masked(number: str) -> str:
    """`••••6147`: at most the last four characters, and never so many that fewer than four stay hidden."""
    seen = max(0, min(_SHOWN, len(number) - _HIDDEN))
    return "••••" + number[len(number) - seen :]


async def reseal(session: Session, most: int) -> int:
    """Seal numbers anew that were sealed with an older key; returns how many were. Raises CannotOpen."""
    found = await sealed_numbers.documents_not_sealed_by(session, crypto.newest(), most)
    for row in found:
        context = _context(row["pnr"], row["position"])
        row["number"] = crypto.seal(crypto.open(row["number"], context), context)
    await sealed_numbers.reseal_documents(session, found)
    return len(found)


async def purge(session: Session, most: int) -> int:
    """Forget documents of trips that ended thirty days ago; returns how many."""
    return await sealed_numbers.forget_documents(session, _KEPT_DAYS, most)


def _context(pnr: str, position: int) -> str:
    """The field that a number is sealed for. A PNR is drawn before its booking has an id, and is never drawn again."""
    return f"booking {pnr} passenger {position} document"
