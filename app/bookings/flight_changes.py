"""What happens to flights reaches the bookings on them: watching, keeping fresh, telling of changes."""

from app.bookings import repository
from app.core import outbox
from app.core.db import Row, Session
from app.core.logging import logger
from app.flights import changes
from app.flights import repository as flights
from app.flights.service import public_id

log = logger("jetway.flight_changes")


async def apply(session: Session, most: int) -> int:
    """Tell bookings of changes of their flights' schedules; returns how many changes were dealt with.

    Both are locked, so a change reaches a booking once. A change too small to notice is only logged, until
    several of them have made one that is not.
    """
    found = await flights.waiting_changes(session, most)
    await repository.lock_booked_on(session, [change["flight_id"] for change in found])
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
    touched = await repository.step_booked_on(session, change["flight_id"])
    facts = {
        "flight_id": public_id(change),
        "materiality": change["materiality"],
        "before": change["before"],
        "after": change["after"],
    }
    await repository.add_steps(session, touched, "booking.changed", facts)
    await outbox.record(
        session,
        [
            {
                "type": "booking.changed",
                "subject": booking["pnr"],
                "sequence": booking["sequence"],
                "data": {
                    "pnr": booking["pnr"],
                    "status": booking["status"],
                    "reason": "schedule_change",
                    **facts,
                },
            }
            for booking in touched
        ],
    )
