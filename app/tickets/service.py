"""Issuing tickets, and what becomes of their coupons.

Every function works in the caller's transaction, holds the coupons that it looks at, and changes all that it
was asked to change or, where it refuses, nothing.
"""

from datetime import datetime
from itertools import groupby, product

from app.core.config import settings
from app.core.db import Row, Session
from app.tickets import coupons as moves
from app.tickets import repository
from app.tickets.check_in import check_in_window
from app.tickets.coupons import COUPONS_A_TICKET, Move
from app.tickets.errors import CheckInClosed, CheckInNotOpen, CouponNotAllowed
from app.tickets.numbers import check_digit, numbers


async def issue(
    session: Session,
    booking_id: int,
    names: dict[int, str],
    segments: list[Row],
    replaces: dict[int, str] | None = None,
) -> dict[int, list[str]]:
    """Give each passenger a ticket for these segments, or several in conjunction; returns the numbers of each.

    `names` are ticket names by the passengers' positions, infants included; a segment has `slice_index`,
    `segment_index` and `flight_id`; `replaces` has the tickets that were exchanged, as `exchange` returns them.
    Numbers are locked until the transaction ends, so this belongs near its end.
    """
    journey = sorted(segments, key=lambda segment: (segment["slice_index"], segment["segment_index"]))
    parts = [journey[i : i + COUPONS_A_TICKET] for i in range(0, len(journey), COUPONS_A_TICKET)]
    code, count = settings().ticket_accounting_code, len(names) * len(parts)
    fresh = iter(numbers(code, await repository.take_serials(session, code, count), count))
    issued = {position: [next(fresh) for _ in parts] for position in sorted(names)}
    tickets = [
        {
            "number": number,
            "booking_id": booking_id,
            "position": position,
            "conjunction_of": None if number == of_one[0] else of_one[0],
            "exchanged_for": (replaces or {}).get(position),
            "ticket_name": names[position],
        }
        for position, of_one in issued.items()
        for number in of_one
    ]
    coupons = [
        {
            "ticket_number": number,
            "number": place,
            "booking_id": booking_id,
            "position": position,
            **{name: segment[name] for name in ("slice_index", "segment_index", "flight_id")},
        }
        for position, of_one in issued.items()
        for number, part in zip(of_one, parts, strict=True)
        for place, segment in enumerate(part, 1)
    ]
    await repository.add(session, tickets, coupons)
    return issued


async def of_bookings(session: Session, booking_ids: list[int]) -> dict[int, list[Row]]:
    """The tickets of each booking with their coupons, by passenger, the oldest first."""
    found: dict[int, list[Row]] = {booking_id: [] for booking_id in booking_ids}
    for _, one in groupby(await repository.of_bookings(session, booking_ids), lambda row: row["number"]):
        coupons = list(one)
        found[coupons[0]["booking_id"]].append(_ticket(coupons))
    return found


def can_check_in(flight: Row, now: datetime) -> bool:
    """Whether check-in for the flight is open."""
    try:
        check_in_window(flight, now)
    except (CheckInNotOpen, CheckInClosed):
        return False
    return True


async def kept(session: Session, booking_id: int) -> dict[tuple[int, int], bool]:
    """What a booking's passengers have and did not give back, as passenger and slice; true while none of it is used."""
    found: dict[tuple[int, int], bool] = {}
    for row in await repository.of_bookings(session, [booking_id]):
        if row["status"] not in moves.GIVEN_BACK:
            key = (row["position"], row["slice_index"])
            found[key] = found.get(key, True) and row["status"] in moves.UNUSED
    return found


async def give_back(session: Session, booking_id: int, wanted: set[tuple[int, int]], *, unsold: bool) -> None:
    """Take coupons out of use for money, by passenger and slice; who is checked in is off-loaded first.

    With `unsold` the sale is made never to have been, where that is possible of all of the booking. Raises
    CouponNotAllowed.
    """
    found = await repository.lock(session, booking_id)
    live = [coupon for coupon in found if coupon["status"] not in moves.GIVEN_BACK]
    mine = [coupon for coupon in live if (coupon["position"], coupon["slice_index"]) in wanted]
    if unsold and len(mine) == len(found) and not _not_in(moves.VOID, mine):
        await void(session, booking_id)
        return
    await _moved(session, moves.REFUND, await _offloaded(session, mine))


async def take_out(
    session: Session, booking_id: int, positions: set[int], slices: set[int]
) -> dict[int, str]:
    """`exchange` for passengers who may be checked in, and are off-loaded first."""
    await _offloaded(session, await repository.lock(session, booking_id, sorted(positions), sorted(slices)))
    return await exchange(session, booking_id, positions, slices)


async def _offloaded(session: Session, coupons: list[Row]) -> list[Row]:
    checked_in = [coupon for coupon in coupons if coupon["status"] == moves.CHECK_IN.after]
    moved = {_key(coupon): coupon for coupon in await _moved(session, moves.OFFLOAD, checked_in)}
    return [moved.get(_key(coupon), coupon) for coupon in coupons]


async def void(session: Session, booking_id: int) -> list[Row]:
    """Let a sale not have been: every coupon of the booking, while all of them are open. Raises CouponNotAllowed."""
    found = await repository.lock(session, booking_id)
    if not found:
        raise CouponNotAllowed("Nothing was issued that could be voided.", coupons=[])
    return await _moved(session, moves.VOID, found)


async def refund(session: Session, booking_id: int, positions: set[int], slices: set[int]) -> list[Row]:
    """Raises CouponNotAllowed; who is checked in must be off-loaded first."""
    return await _of_slices(session, moves.REFUND, booking_id, positions, slices)


async def exchange(
    session: Session, booking_id: int, positions: set[int], slices: set[int]
) -> dict[int, str]:
    """Take coupons out of use for others to be issued; returns the ticket of each passenger that `issue` replaces.

    Of several tickets of one passenger that is the newest. Raises CouponNotAllowed.
    """
    exchanged = await _of_slices(session, moves.EXCHANGE, booking_id, positions, slices)
    exchanged.sort(key=lambda coupon: (coupon["issued_at"], coupon["set_number"]))
    return {coupon["position"]: coupon["set_number"] for coupon in exchanged}


async def suspend(session: Session, booking_id: int, positions: set[int], slices: set[int]) -> list[Row]:
    """Let nobody travel for the time being, as while a payment is disputed. Raises CouponNotAllowed."""
    return await _of_slices(session, moves.SUSPEND, booking_id, positions, slices)


async def reopen(session: Session, booking_id: int, positions: set[int], slices: set[int]) -> list[Row]:
    """Let suspended coupons, and those of a flight that the airline changed, be good again. Raises CouponNotAllowed."""
    return await _of_slices(session, moves.REOPEN, booking_id, positions, slices)


async def check_in(session: Session, booking_id: int, positions: set[int], flight_id: int) -> list[Row]:
    """Check passengers in; each gets the flight's next sequence number, for good. Raises CouponNotAllowed.

    Who is checked in already stays so.
    """
    found = await _for_flight(session, booking_id, positions, flight_id)
    waiting = [coupon for coupon in found if coupon["status"] != moves.CHECK_IN.after]
    _check(moves.CHECK_IN, waiting)
    new = [coupon for coupon in waiting if coupon["check_in_sequence"] is None]
    if new:
        last = await repository.take_sequences(session, flight_id, len(new))
        for sequence, coupon in enumerate(new, last - len(new) + 1):
            coupon["check_in_sequence"] = sequence
    moved = {_key(coupon): coupon for coupon in await _moved(session, moves.CHECK_IN, waiting)}
    return [moved.get(_key(coupon), coupon) for coupon in found]


async def offload(session: Session, booking_id: int, positions: set[int], flight_id: int) -> list[Row]:
    """Undo a check-in; the sequence number stays with the coupon. Raises CouponNotAllowed."""
    found = await _for_flight(session, booking_id, positions, flight_id)
    return await _moved(session, moves.OFFLOAD, found)


async def board(session: Session, booking_id: int, positions: set[int], flight_id: int) -> list[Row]:
    """Raises CouponNotAllowed, for who has boarded already too: somebody else may have their pass."""
    found = await _for_flight(session, booking_id, positions, flight_id)
    return await _moved(session, moves.BOARD, found)


async def fly(session: Session, flight_ids: list[int]) -> list[Row]:
    """These flights have left with all who were checked in or had boarded; returns the coupons that were used."""
    return await _on_flights(session, moves.FLY, flight_ids)


async def disrupt(session: Session, flight_ids: list[int]) -> list[Row]:
    """The airline has changed or cancelled these flights; returns the unused coupons that this touches."""
    return await _on_flights(session, moves.DISRUPT, flight_ids)


async def reinstate(session: Session, flight_ids: list[int]) -> list[Row]:
    """These flights fly after all; returns the coupons that are good again."""
    return await _on_flights(session, moves.REINSTATE, flight_ids)


async def _of_slices(
    session: Session, move: Move, booking_id: int, positions: set[int], slices: set[int]
) -> list[Row]:
    found = await repository.lock(session, booking_id, sorted(positions), sorted(slices))
    current = _current(found, "slice_index", positions, slices)
    return await _moved(session, move, current)


async def _for_flight(session: Session, booking_id: int, positions: set[int], flight_id: int) -> list[Row]:
    found = await repository.lock(session, booking_id, sorted(positions), flight_id=flight_id)
    return _current(found, "flight_id", positions, {flight_id})


async def _on_flights(session: Session, move: Move, flight_ids: list[int]) -> list[Row]:
    return await _moved(session, move, await repository.lock_on_flights(session, flight_ids, move.before))


def _current(found: list[Row], of: str, positions: set[int], values: set[int]) -> list[Row]:
    """Those that no exchange has replaced; every passenger has one for everything. Raises CouponNotAllowed."""
    current = [coupon for coupon in found if coupon["status"] != moves.EXCHANGE.after]
    if not set(product(positions, values)) <= {(coupon["position"], coupon[of]) for coupon in current}:
        raise CouponNotAllowed("A passenger has no coupon there.", coupons=[])
    return current


async def _moved(session: Session, move: Move, coupons: list[Row]) -> list[Row]:
    """The coupons as they are after the move. Raises CouponNotAllowed."""
    _check(move, coupons)
    changed = await repository.move(session, coupons, move.after) if coupons else []
    now = {_key(coupon): coupon for coupon in changed}
    return [coupon | now[_key(coupon)] for coupon in coupons]


def _check(move: Move, coupons: list[Row]) -> None:
    """Raises CouponNotAllowed."""
    if against := _not_in(move, coupons):
        wanted = " or ".join(move.before)
        raise CouponNotAllowed(
            f"Only a coupon with status {wanted} can be {move.done}.", coupons=_named(against)
        )


def _not_in(move: Move, coupons: list[Row]) -> list[Row]:
    return [coupon for coupon in coupons if coupon["status"] not in move.before]


def _key(coupon: Row) -> tuple[str, int]:
    return coupon["ticket_number"], coupon["number"]


def _named(coupons: list[Row]) -> list[Row]:
    return [{name: coupon[name] for name in ("ticket_number", "number", "status")} for coupon in coupons]


def _ticket(coupons: list[Row]) -> Row:
    first = coupons[0]
    about = ("number", "kind", "position", "ticket_name", "conjunction_of", "exchanged_for", "issued_at")
    coupon = ("slice_index", "segment_index", "flight_id", "status", "check_in_sequence", "changed_at")
    return {
        **{name: first[name] for name in about},
        "check_digit": check_digit(first["number"]),
        "coupons": [
            {"number": one["coupon_number"], **{name: one[name] for name in coupon}} for one in coupons
        ],
    }
