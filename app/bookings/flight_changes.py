"""What happens to flights reaches the bookings on them: watching, keeping fresh, telling of changes."""

from app.bookings import airline_changes, booked, repository
from app.core import clock
from app.core.db import Row, Session
from app.core.logging import logger
from app.flights import changes
from app.flights import repository as flights
from app.flights.service import public_id
from app.tickets import service as tickets

log = logger("jetway.flight_changes")


async def apply(session: Session, most: int) -> int:
    """Tell bookings of changes of their flights' schedules; returns how many changes were dealt with.

    Both are locked, so a change reaches a booking once. A change too small to notice is only logged, until
    several of them have made one that is not.
    """
    found = await flights.waiting_changes(session, most)
    await booked.lock_booked_on(session, [change["flight_id"] for change in found])
    for change in found:
        first = await flights.first_untold(session, change)
        whole = changes.summed_up(first, change) if first else change
        if whole["materiality"] in changes.NOTICED:
            await _tell(session, whole)
        else:
            log.info("schedule changed a little", flight=public_id(change))
        await flights.change_applied(session, whole)
    return len(found)


async def _tell(session: Session, change: Row) -> None:
    """Each booking hears of the change, with what it may answer. Coupons of a flight that will not fly are marked."""
    ended = change["materiality"] in ("cancelled", "withdrawn")
    touched = await booked.live_on(session, change["flight_id"])
    for booking in touched:
        answer = await airline_changes.open_for(session, booking, change)
        facts = {
            "reason": "schedule_change",
            "flight_id": public_id(change),
            "materiality": change["materiality"],
            "before": change["before"],
            "after": change["after"],
        }
        if answer is not None:
            facts |= {
                "airline_change_id": f"aic_{answer['public_id'].hex}",
                "options": answer["options"],
                "deadline": clock.rfc3339(answer["deadline_at"]),
            }
        event = {"type": "booking.changed", "data": facts}
        await repository.step(session, booking["id"], [event], leaving=["held", "confirmed"])
    if ended:
        await tickets.disrupt(session, [change["flight_id"]])
    elif change["materiality"] == "reinstated":
        await tickets.reinstate(session, [change["flight_id"]])
