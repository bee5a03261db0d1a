"""What bookings hold about whoever made them and whoever travels, and how that is forgotten.

What was paid, flown and given back stays, with ticket numbers and dates, because tax law wants it kept; nobody is in
it any more. Companions are forgotten with the person who booked for them.
"""

import uuid

from app.bookings import documents, repository, views
from app.core.db import Row, Session, rows

# No ticket has a name twice on a flight, so everybody keeps one of their own; it is made of numbers alone.
_NOBODY = "'ERASED/' || translate(booking_id || 'P' || position, '0123456789', 'ABCDEFGHIJ')"
_OF_USER = "SELECT id FROM bookings WHERE user_id = :user_id"


async def told(session: Session, user_id: uuid.UUID) -> Row:
    """Bookings as their owner sees them and their history, with the numbers of documents in full."""
    bookings = await rows(
        session, "SELECT * FROM bookings WHERE user_id = :user_id ORDER BY id", user_id=user_id
    )
    shown = await views.views(session, bookings)
    people = await repository.passengers_of(session, [booking["id"] for booking in bookings])
    for booking, view in zip(bookings, shown, strict=True):
        mine = [person for person in people if person["booking_id"] == booking["id"]]
        for person, passenger in zip(mine, view["passengers"], strict=True):
            passenger["document"] = documents.opened(person["document"], booking["pnr"], person["position"])
        view["timeline"] = await repository.timeline(session, booking["id"])
    return {"bookings": shown, "guest_links": await _guests(session, user_id)}


async def _guests(session: Session, user_id: uuid.UUID) -> list[Row]:
    return await rows(
        session,
        f"""
        SELECT b.pnr, l.address, l.created_at, l.used_at FROM guest_links l JOIN bookings b ON b.id = l.booking_id
        WHERE l.booking_id IN ({_OF_USER}) ORDER BY l.created_at
        """,
        user_id=user_id,
    )


async def open_trips(session: Session, user_id: uuid.UUID) -> list[Row]:
    """Each `pnr` that somebody still has to do with, and the `reason`; all bookings are locked from here on."""
    return await rows(
        session,
        """
        WITH mine AS (SELECT * FROM bookings WHERE user_id = :user_id ORDER BY id FOR UPDATE),
        reasons AS (
            SELECT id, pnr, CASE
                WHEN status = 'confirmed' THEN 'trip_ahead'
                WHEN status = 'held' AND hold_expires_at > now() THEN 'hold'
                WHEN EXISTS (SELECT FROM payments p WHERE p.booking_id = mine.id
                             AND (p.status IN ('processing', 'requires_action', 'authorised')
                                  OR p.next_look_at IS NOT NULL)) THEN 'payment_pending'
                WHEN EXISTS (SELECT FROM refunds r WHERE r.booking_id = mine.id AND r.status <> 'succeeded')
                    THEN 'refund_pending' END AS reason
            FROM mine)
        SELECT pnr, reason FROM reasons WHERE reason IS NOT NULL ORDER BY id
        """,
        user_id=user_id,
    )


async def erase(session: Session, user_id: uuid.UUID) -> None:
    """Leave bookings in which nobody is named, with what has become of them and what they cost."""
    for forgets in (
        f"DELETE FROM booking_services WHERE booking_id IN ({_OF_USER})",
        f"DELETE FROM guest_links WHERE booking_id IN ({_OF_USER})",
        "DELETE FROM guest_lookups WHERE pnr IN (SELECT pnr FROM bookings WHERE user_id = :user_id)",
        # A digest of a name and a date of birth can be guessed, so another that says nothing takes its place.
        f"UPDATE booking_trips SET traveller = uuid_send(gen_random_uuid()) WHERE booking_id IN ({_OF_USER})",
        f"""
        UPDATE booking_passengers SET title = NULL, given_name = NULL, family_name = 'Erased', gender = NULL,
            born_on = '1900-01-01', document = NULL, loyalty = '[]', ticket_name = {_NOBODY}
        WHERE booking_id IN ({_OF_USER})
        """,
        f"UPDATE tickets SET ticket_name = {_NOBODY} WHERE booking_id IN ({_OF_USER})",
        "UPDATE bookings SET contact = '{}' WHERE user_id = :user_id",
    ):
        await rows(session, forgets, user_id=user_id)
