"""Changes that the airline makes: what the traveller may answer, until when, and what silence means.

Which answers there are is a matter of the rules of passengers' rights, which are data. Whoever does not answer keeps
a flight that flies, and gets the money back for one that does not.
"""

import uuid
from datetime import datetime, timedelta
from itertools import pairwise

from app.airports.service import directory
from app.bookings import agreed, cancelling, changing, paying, quotes, repository, service, travel
from app.bookings.cancelling import AIRLINE
from app.bookings.errors import AirlineChangeNotFound, ChangeNotAllowed, OptionNotOffered
from app.bookings.travel import Unit
from app.core import clock
from app.core.db import Row, Session
from app.offers import service as offers
from app.offers import token
from app.payments.errors import PaymentInProgress
from app.rights import service as rights
from app.rights.trips import Changed, Disrupted, Disruption
from app.rules.service import in_force
from app.timetable.connections import CONNECTIONS

_DAYS_AROUND = 3


async def open_for(session: Session, booking: Row, change: Row) -> Row | None:
    """Let a traveller answer a change of one of their flights; None where there is nothing to choose."""
    segments = await repository.active_segments(session, booking["id"])
    flight = next((s for s in segments if s["id"] == change["flight_id"]), None)
    if booking["status"] != "confirmed" or flight is None:
        return None
    if change["materiality"] == "reinstated":
        await quotes.supersede_airline_change(session, booking["id"], flight["id"])
        return None
    slices = agreed.in_slices([_as_booked(s, change["flight_id"], change["before"]) for s in segments])
    trip = agreed.trip_of(slices)
    what = _disruption(slices, agreed.in_slices(segments), flight, change)
    now = clock.now()
    choice = rights.change_options(trip, what, now)
    answers = [option for option in choice.options if option != "accept" or what.flies]
    if not choice.significant and set(answers) <= {"accept"}:
        return None
    # Something can be chosen until it has left; whoever hears of it late still has an hour.
    deadline = max(min(choice.deadline, flight["departs_at"]), now + timedelta(hours=1))
    return await quotes.add_airline_change(
        session,
        {
            "booking_id": booking["id"],
            "flight_id": flight["id"],
            "slice_index": flight["slice_index"],
            "materiality": change["materiality"],
            "facts": {"before": change["before"], "after": change["after"]},
            "options": answers,
            "advice": rights.advice(trip, what, now),
            "deadline_at": deadline,
        },
    )


async def accept(session: Session, user_id: uuid.UUID, pnr: str, change_id: str) -> Row:
    """Keep the flight as it is now. Raises BookingNotFound, AirlineChangeNotFound, OptionNotOffered."""
    booking, change = await _open(session, user_id, pnr, change_id, "accept")
    await _answered(session, booking, change, "accepted")
    return await service.by_id(session, booking["id"])


async def refund(session: Session, user_id: uuid.UUID, pnr: str, change_id: str) -> Row:
    """Give the slice up for all that was paid for it, and those after it, which begin where nobody has got to.

    Raises BookingNotFound, AirlineChangeNotFound, OptionNotOffered, PaymentInProgress.
    """
    booking, change = await _open(session, user_id, pnr, change_id, "refund")
    await paying.give_up_waiting(session, booking)
    unused = await travel.unused_units(session, booking)
    here = [unit for unit in unused if unit.slice_index == change["slice_index"]]
    if not here:
        raise OptionNotOffered(
            "A flight of this slice was flown; ask the airline for what the rest is worth."
        )
    after = [unit for unit in unused if unit.departs_at > here[0].departs_at]
    await _give_money_back(session, booking, here + after)
    return await service.by_id(session, booking["id"])


async def rebook(session: Session, user_id: uuid.UUID, pnr: str, change_id: str, offer_id: str) -> Row:
    """Fly something else on the same way within three days, for nothing.

    Raises BookingNotFound, AirlineChangeNotFound, OptionNotOffered, ChangeNotAllowed, and what `changing.quoted` and
    `offers.reserve` raise.
    """
    booking, change = await _open(session, user_id, pnr, change_id, "rebook")
    await paying.give_up_waiting(session, booking)
    offered = await offers.on_sale(session, token.read(offer_id))
    await _require_alike(session, booking, change, offered.flights)
    await changing.quoted(session, booking, [change["slice_index"]], offer_id, AIRLINE, 0)
    found = await quotes.newest_change_quote(session, booking["id"])
    await changing.carry_out(session, booking, found)
    return await service.by_id(session, booking["id"])


async def lapse(session: Session, change: Row) -> None:
    """Take silence for an answer: who can still fly has accepted, who cannot gets the money back.

    Only for the slice that does not fly: somebody silent may have got there by other means, and fly home.
    """
    booking = await repository.lock(session, change["booking_id"])
    found = next(
        c for c in await quotes.airline_changes_of(session, [booking["id"]]) if c["id"] == change["id"]
    )
    if found["state"] != "open":
        return
    if booking["status"] != "confirmed":
        await quotes.answer_airline_change(session, found["id"], "superseded")
    elif "accept" in found["options"]:
        await _answered(session, booking, found, "accepted")
    else:
        try:
            await paying.give_up_waiting(session, booking)
        except PaymentInProgress:
            return
        unused = await travel.unused_units(session, booking)
        if units := [unit for unit in unused if unit.slice_index == found["slice_index"]]:
            await _give_money_back(session, booking, units)
        else:
            await quotes.answer_airline_change(session, found["id"], "superseded")


async def _give_money_back(session: Session, booking: Row, units: list[Unit]) -> None:
    """Nothing is kept for what the airline changed: all that these cost goes back."""
    total = await cancelling.refundable(session, booking, units, AIRLINE)
    await cancelling.stored(session, booking, units, total, AIRLINE, None)
    found = await quotes.newest_cancellation_quote(session, booking["id"])
    await cancelling.carry_out(session, booking, found)


async def _answered(session: Session, booking: Row, change: Row, state: str) -> None:
    await quotes.answer_airline_change(session, change["id"], state)
    event = {
        "type": "booking.changed",
        "data": {"reason": f"airline_change_{state}", "airline_change_id": f"aic_{change['public_id'].hex}"},
    }
    await repository.step(session, booking["id"], [event], leaving=["confirmed"])


async def _open(
    session: Session, user_id: uuid.UUID, pnr: str, change_id: str, option: str
) -> tuple[Row, Row]:
    """Raises BookingNotFound, AirlineChangeNotFound, OptionNotOffered."""
    booking = await paying.locked(session, user_id, pnr)
    try:
        wanted = uuid.UUID(change_id.removeprefix("aic_"))
    except ValueError:
        raise AirlineChangeNotFound from None
    change = await quotes.airline_change(session, booking["id"], wanted)
    if change is None or change["state"] != "open":
        raise AirlineChangeNotFound("It was answered already, or there is no such change.")
    if option not in change["options"]:
        raise OptionNotOffered(f"The options are: {', '.join(change['options'])}.")
    return booking, change


async def _require_alike(session: Session, booking: Row, change: Row, flights: list[list[Row]]) -> None:
    """The free way is the same way: from there to there, within some days. Raises ChangeNotAllowed."""
    segments = await repository.active_segments(session, booking["id"])
    old = [
        _as_booked(s, change["flight_id"], change["facts"]["before"])
        for s in segments
        if s["slice_index"] == change["slice_index"]
    ]
    new = flights[0]
    same = (old[0]["origin"], old[-1]["destination"]) == (new[0]["origin"], new[-1]["destination"])
    near = abs(new[0]["departure_date"] - old[0]["departure_date"]) <= timedelta(days=_DAYS_AROUND)
    if len(flights) > 1 or not same or not near:
        raise ChangeNotAllowed(f"For nothing it is the same way, within {_DAYS_AROUND} days.")


def _as_booked(segment: Row, flight_id: int, before: Row) -> Row:
    """The segment as it was before the change of a flight."""
    if segment["id"] != flight_id or "origin" not in before:
        return segment
    times = {name: datetime.fromisoformat(before[name]) for name in ("departs_at", "arrives_at")}
    return {**segment, **times, "origin": before["origin"], "destination": before["destination"]}


def _disruption(slices: list[list[Row]], current: list[list[Row]], flight: Row, change: Row) -> Disruption:
    index = next(i for i, one in enumerate(slices) if one[0]["slice_index"] == flight["slice_index"])
    leg = next(i for i, one in enumerate(slices[index]) if one["id"] == flight["id"])
    # Who cannot reach the next flight any more is as badly off as if this one did not fly.
    missed = any(
        flight["id"] in (before["id"], after["id"]) and _is_missed(before, after)
        for before, after in pairwise(current[index])
    )
    ended = missed or change["materiality"] in ("cancelled", "withdrawn")
    kind: Disrupted = "cancelled" if ended else "schedule_change"
    departure = arrival = 0
    places: set[Changed] = set()
    if not ended:
        before, after = change["before"], change["after"]
        departure = _minutes(before["departs_at"], after["departs_at"])
        if leg == len(slices[index]) - 1:
            arrival = _minutes(before["arrives_at"], after["arrives_at"])
        if (before["origin"], before["destination"]) != (after["origin"], after["destination"]):
            places.add("other_airport")
    return Disruption(
        kind=kind,
        known_at=clock.now(),
        slice=index,
        leg=leg,
        departure_minutes=departure,
        arrival_minutes=arrival,
        changes=frozenset(places),
    )


def _is_missed(arriving: Row, leaving: Row) -> bool:
    """Whether less time is left between two flights than the rules of connections in force want."""
    least = in_force(CONNECTIONS).minimum(
        (arriving["destination"], leaving["origin"]),
        (_is_domestic(arriving), _is_domestic(leaving)),
        (arriving["arrival_terminal"], leaving["departure_terminal"]),
        (arriving["carrier"], leaving["carrier"]),
        leaving["departure_date"],
    )
    return bool(leaving["departs_at"] - arriving["arrives_at"] < timedelta(minutes=least))


def _is_domestic(flight: Row) -> bool:
    origin, destination = (directory().find(flight[end]) for end in ("origin", "destination"))
    return origin.country == destination.country


def _minutes(before: str, after: str) -> int:
    return int((datetime.fromisoformat(after) - datetime.fromisoformat(before)).total_seconds() // 60)
