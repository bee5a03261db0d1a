"""Cancelling: a quote, then its confirmation. Of the whole booking, of slices, of passengers.

What is refunded follows what was agreed at purchase: everything while it can be cancelled for nothing, the fare less
the brand's fee where it may be refunded, and otherwise the taxes that are given back on an unused ticket.
"""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.bookings import agreed, ordered, paying, quotes, repository, service, travel
from app.bookings.errors import (
    BookingClosed,
    BookingNotFound,
    HoldExpired,
    NothingToCancel,
    QuoteExpired,
    QuoteNotFound,
    QuoteSuperseded,
)
from app.bookings.schemas import CancellationIn
from app.bookings.travel import Unit, unused_units
from app.core import audit, clock, db, money
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.core.metrics import BOOKINGS
from app.offers import service as offers
from app.payments import ledger
from app.payments import service as payments
from app.seats import service as seats
from app.tickets import service as tickets

_QUOTE_MINUTES = 30
AIRLINE = "airline_change"


@dataclass(slots=True)
class Sum:
    """What cancelling units gives back: lines as they are shown, and by the ledger's accounts."""

    refund: int = 0
    penalty: int = 0
    lines: list[Row] = field(default_factory=list)
    accounts: Counter[str] = field(default_factory=Counter)


async def quote(session: Session, user_id: uuid.UUID, pnr: str, data: CancellationIn) -> Row:
    """What would be refunded; nothing is cancelled yet.

    Raises BookingNotFound, BookingClosed, HoldExpired, NothingToCancel, PaymentInProgress.
    """
    booking = await paying.locked(session, user_id, pnr)
    await payments.refuse_unless_waiting(session, booking["id"])
    units = await _wanted(session, booking, data)
    reason, until = reason_for(booking)
    if await _airline_owes(session, booking, units):
        reason, until = AIRLINE, None
    if booking["status"] == "held":
        _require_live_hold(booking)
        total, until = Sum(), booking["hold_expires_at"]
    else:
        total = await refundable(session, booking, units, reason)
        leaves = min(unit.departs_at for unit in units)
        until = min(until, leaves) if until else leaves
    return await stored(session, booking, units, total, reason, until)


async def stored(
    session: Session, booking: Row, units: list[Unit], total: Sum, reason: str, until: datetime | None
) -> Row:
    """Keep a quote, which takes the place of every earlier one; it lasts no longer than its reason does."""
    expires = clock.now() + timedelta(minutes=_QUOTE_MINUTES)
    added = await quotes.add_cancellation_quote(
        session,
        {
            "booking_id": booking["id"],
            "revision": booking["revision"],
            "positions": sorted({unit.position for unit in units}),
            "slices": sorted({unit.slice_index for unit in units}),
            "reason": reason,
            "refund_minor": total.refund,
            "penalty_minor": total.penalty,
            "lines": total.lines,
            "accounts": total.accounts,
            "expires_at": min(expires, until) if until else expires,
        },
    )
    return _view(booking, added)


async def confirm(session: Session, user_id: uuid.UUID, pnr: str, quote_id: str) -> Row:
    """Cancel what was quoted: seats are free again at once, and what is owed is on its way.

    Raises BookingNotFound, QuoteNotFound, QuoteExpired, QuoteSuperseded, BookingClosed, PaymentInProgress.
    """
    booking = await paying.locked(session, user_id, pnr)
    found = await _found(session, booking, quote_id)
    await paying.give_up_waiting(session, booking)
    await carry_out(session, booking, found)
    return await service.snapshot(session, booking["pnr"])


async def by_operator(session: Session, operator: uuid.UUID, pnr: str, why: str) -> Row:
    """Cancel what is left of a booking in its traveller's place, by the same rules and with the same refund.

    Raises BookingNotFound, BookingClosed, HoldExpired, NothingToCancel, PaymentInProgress, CouponNotAllowed.
    """
    wanted = service.reference(pnr)
    traveller = await repository.owner(session, wanted) if wanted else None
    if wanted is None or traveller is None:
        raise BookingNotFound("There is no booking with this reference.")
    quoted = await quote(session, traveller, wanted, CancellationIn())
    await audit.record(
        session,
        "booking.cancelled_for_traveller",
        by="admin",
        actor=operator,
        subject=f"booking:{wanted}",
        why=why,
        **{name: quoted[name] for name in ("refund", "penalty", "reason")},
    )
    booking = await confirm(session, traveller, wanted, quoted["id"])
    return {**quoted, "pnr": wanted, "status": booking["status"], "why": why}


async def carry_out(session: Session, booking: Row, found: Row) -> None:
    """Make a quote true, whoever asks for it: a traveller, or the airline that cancelled the flight."""
    await quotes.confirm_cancellation(session, found["id"])
    if booking["status"] == "held":
        await _let_go(session, booking)
        return
    left = await unused_units(session, booking)
    units = [u for u in left if u.position in found["positions"] and u.slice_index in found["slices"]]
    await give_up(session, booking, units, found["reason"])
    refunds = []
    if found["refund_minor"] or found["penalty_minor"]:
        refunds = await payments.owe(
            session,
            booking["id"],
            found["refund_minor"],
            reason=found["reason"],
            reference=f"cnl_{found['public_id'].hex}",
            given_back=found["accounts"],
            due=agreed.refund_due(await repository.segments_of(session, [booking["id"]])),
        )
    await _tell(session, booking, found, refunds)


async def give_up(session: Session, booking: Row, units: list[Unit], reason: str) -> None:
    """Let units go: coupons, seats of the map, places on the flights, and extras."""
    every = await travel.units(session, booking)
    gone = {(unit.position, unit.slice_index) for unit in units}
    segments = await repository.active_segments(session, booking["id"])
    positions = {position for position, _ in gone}
    await offers.lock(session, [segment["id"] for segment in segments], booking["cabin"])
    await tickets.give_back(session, booking["id"], gone, unsold=reason == "void")
    whole: list[Row] = []
    partly: dict[int, int] = {}
    for segment in segments:
        of_slice = [unit for unit in every if unit.slice_index == segment["slice_index"]]
        leaving = [unit for unit in of_slice if (unit.position, unit.slice_index) in gone]
        if not leaving:
            continue
        seated = sum(unit.type != "infant" for unit in leaving)
        if all(unit.type == "infant" or unit in leaving for unit in of_slice):
            whole.append(segment)
        elif seated:
            partly[segment["claim_id"]] = seated
        await seats.release(session, [segment["claim_id"]], [unit.position for unit in leaving])
    await offers.release(session, [segment["claim_id"] for segment in whole], whole)
    if partly:
        await offers.give_back(session, partly, [s for s in segments if s["claim_id"] in partly])
    await quotes.remove_slices(
        session, booking["id"], sorted({s["slice_index"] for s in whole}), "cancellation"
    )
    await quotes.close_airline_changes(session, booking["id"], [s["slice_index"] for s in whole], "refunded")
    staying = {unit.position for unit in every if (unit.position, unit.slice_index) not in gone}
    await quotes.cancel_passengers(session, booking["id"], sorted(positions - staying))
    await ordered.cancel_extras(session, booking["id"], sorted(gone))
    await repository.renew_trips(session, booking["id"])


async def refundable(session: Session, booking: Row, units: list[Unit], reason: str) -> Sum:
    """What is given back for units, line by line, for this reason."""
    total = Sum()
    fee = _fee(booking)
    for position in sorted({unit.position for unit in units}):
        mine = [unit for unit in units if unit.position == position]
        base = sum(unit.base for unit in mine)
        for unit in mine:
            total.accounts[ledger.FARES] += unit.base
        kept = 0 if reason != "fare_rules" else base if fee is None else min(fee, base)
        _line(total, booking, position, "fare", base, base - kept)
        for unit in mine:
            for code, name, amount, given_back in unit.taxes:
                total.accounts[ledger.taxes(code)] += amount
                whole = reason != "fare_rules" or given_back or fee is not None
                _line(total, booking, position, "tax", amount, amount if whole else 0, code, name)
    for extra in await ordered.paid_extras(
        session, booking["id"], [(u.position, u.slice_index) for u in units]
    ):
        total.accounts[ledger.EXTRAS] += extra["amount_minor"]
        back = extra["amount_minor"] if reason != "fare_rules" else 0
        _line(total, booking, extra["position"], extra["kind"], extra["amount_minor"], back)
    return total


def reason_for(booking: Row) -> tuple[str, datetime | None]:
    """By what a booking may be cancelled now, the best for the traveller first, and until when that holds."""
    if booking["status"] == "held":
        return "hold", None
    for reason, name in (("free_cancellation", "free_until"), ("void", "void_until")):
        until = booking["terms"].get(name)
        instant = datetime.fromisoformat(until) if until else None
        if instant and clock.now() < instant and not booking["terms"].get("changed"):
            return reason, instant
    return "fare_rules", None


async def _airline_owes(session: Session, booking: Row, units: list[Unit]) -> bool:
    """Whether all of these can be given back for a change of the airline's: a changed slice, and what comes after."""
    changes = await quotes.airline_changes_of(session, [booking["id"]])
    changed = {c["slice_index"] for c in changes if c["state"] == "open" and "refund" in c["options"]}
    since = [u.departs_at for u in await travel.units(session, booking) if u.slice_index in changed]
    return bool(since) and min(unit.departs_at for unit in units) >= min(since)


def _fee(booking: Row) -> int | None:
    """What the brand keeps of each passenger's fare; None where the fare is not refundable."""
    refund = booking["conditions"]["refund"]
    return money.minor(refund["fee"]) if refund["allowed"] else None


def _line(
    total: Sum, booking: Row, position: int, kind: str, paid: int, back: int, code: str = "", name: str = ""
) -> None:
    if not paid:
        return
    total.refund += back
    total.penalty += paid - back
    currency = booking["currency"]
    total.lines.append(
        {
            "passenger": position,
            "kind": kind,
            "code": code or None,
            "name": name or None,
            "paid": money.wire(paid, currency),
            "refund": money.wire(back, currency),
            "penalty": money.wire(paid - back, currency),
        }
    )


async def _wanted(session: Session, booking: Row, data: CancellationIn) -> list[Unit]:
    """The units that are named, of those that are left; infants leave with the adult who carries them.

    Raises NothingToCancel, BookingClosed.
    """
    if booking["status"] not in ("held", "confirmed"):
        raise BookingClosed(f"The booking is {booking['status']}.")
    named = data.passengers is not None or data.slices is not None
    if booking["status"] == "held" and named:
        raise BookingClosed("A hold is cancelled as a whole; book anew for fewer people or flights.")
    units = await unused_units(session, booking)
    wanted = [
        unit
        for unit in units
        if (data.passengers is None or {unit.position, unit.carrier} & set(data.passengers))
        and (data.slices is None or unit.slice_index in data.slices)
        and (booking["status"] == "held" or unit.departs_at > clock.now())
    ]
    _require_known(data, {unit.position for unit in units}, {unit.slice_index for unit in units})
    if not wanted:
        raise NothingToCancel("Every flight of this has left or is cancelled already.")
    _require_no_infant_alone(units, wanted)
    return wanted


def _require_known(data: CancellationIn, positions: Iterable[int], slices: Iterable[int]) -> None:
    for name, values, known in (("passengers", data.passengers, positions), ("slices", data.slices, slices)):
        for index, value in enumerate(values or []):
            if value not in known:
                problem = FieldProblem(
                    f"/{name}/{index}", "nothing_to_cancel", "Not one that is left in the booking."
                )
                raise NothingToCancel(errors=[problem])


def _require_no_infant_alone(units: list[Unit], leaving: list[Unit]) -> None:
    """Children and infants are not left without an adult."""
    gone = {(unit.position, unit.slice_index) for unit in leaving}
    staying = [unit for unit in units if (unit.position, unit.slice_index) not in gone]
    for slice_index in {unit.slice_index for unit in staying}:
        here = [unit for unit in staying if unit.slice_index == slice_index]
        adults = {unit.position for unit in here if unit.type == "adult"}
        alone = any(unit.type == "infant" and unit.carrier not in adults for unit in here)
        had_adult = any(u.type == "adult" and u.slice_index == slice_index for u in units)
        if alone or (had_adult and not adults):
            problem = FieldProblem(
                "/passengers", "child_left_alone", "Who stays needs an adult to travel with."
            )
            raise NothingToCancel("Children and infants do not stay without their adult.", errors=[problem])


async def _found(session: Session, booking: Row, quote_id: str) -> Row:
    """Raises QuoteNotFound, QuoteSuperseded, QuoteExpired, BookingClosed."""
    try:
        wanted = uuid.UUID(quote_id.removeprefix("cnl_"))
    except ValueError:
        raise QuoteNotFound from None
    found = await quotes.cancellation_quote(session, booking["id"], wanted)
    if found is None:
        raise QuoteNotFound
    if found["confirmed_at"] is not None or booking["status"] not in ("held", "confirmed"):
        raise BookingClosed("This was cancelled already.")
    if not found["newest"] or found["revision"] != booking["revision"]:
        raise QuoteSuperseded
    if found["run_out"]:
        raise QuoteExpired
    return found


def _require_live_hold(booking: Row) -> None:
    if booking["due"]:
        raise HoldExpired("The hold has run out; nothing is left to cancel.")


async def _let_go(session: Session, booking: Row) -> None:
    segments = await repository.active_segments(session, booking["id"])
    await offers.release(session, [segment["claim_id"] for segment in segments], segments)
    await ordered.cancel_extras(session, booking["id"], None)
    cancelled = {"type": "booking.cancelled", "data": {"refund": money.wire(0, booking["currency"])}}
    await repository.step(session, booking["id"], [cancelled], leaving=["held"], to="cancelled", revised=True)
    db.count(session, BOOKINGS.labels("cancelled"))


async def _tell(session: Session, booking: Row, found: Row, refunds: list[Row]) -> None:
    currency = booking["currency"]
    facts = {
        "reason": found["reason"],
        "refund": money.wire(found["refund_minor"], currency),
        "penalty": money.wire(found["penalty_minor"], currency),
        "passengers": found["positions"],
        "slices": found["slices"],
        "refund_due_on": str(refunds[0]["due_on"]) if refunds else None,
    }
    if await travel.units(session, booking):
        event = {"type": "booking.changed", "data": {**facts, "reason": "partly_cancelled"}}
        await repository.step(session, booking["id"], [event], leaving=["confirmed"], revised=True)
        await travel.price_what_is_left(session, booking)
        return
    event = {"type": "booking.cancelled", "data": facts}
    await repository.step(
        session, booking["id"], [event], leaving=["confirmed"], to="cancelled", revised=True
    )
    db.count(session, BOOKINGS.labels("cancelled"))


def _view(booking: Row, added: Row) -> Row:
    return {
        "id": f"cnl_{added['public_id'].hex}",
        "refund": money.wire(added["refund_minor"], booking["currency"]),
        "penalty": money.wire(added["penalty_minor"], booking["currency"]),
        "reason": added["reason"],
        "passengers": added["positions"],
        "slices": added["slices"],
        "lines": added["lines"],
        "expires_at": clock.rfc3339(added["expires_at"]),
    }
