"""Who sits where: showing it, choosing a seat, being given one, and giving it up.

Nobody commits here. Who seats people on several flights goes through them in the order of departure, as seats are
sold, so that no two of them wait for each other.
"""

from collections.abc import Mapping, Sequence

from app.core import money
from app.core.db import Row, Session
from app.extras import service as extras
from app.fares.products import Brand
from app.seats import choosing, plans, repository, sitting, views
from app.seats.errors import SeatNotAllowed, SeatTaken
from app.seats.plans import Plan, Seat
from app.seats.sitting import Traveller, Wanted


async def maps(session: Session, flights: list[Row], cabin: str, brand: Brand, currency: str) -> list[Row]:
    """The booked cabin of each flight, seat by seat, with what is free and what it costs. Raises ExtrasNotSold."""
    known = await _plans(session, {flight["id"]: flight["aircraft_type"] for flight in flights})
    taken = await repository.taken(session, list(known))
    shown = []
    for flight in flights:
        prices = extras.seat_prices(flight, cabin, brand, currency)
        sitters = [row for row in taken if row["flight_id"] == flight["id"]]
        shown.append(
            views.seat_map(
                flight,
                known[flight["id"]].cabins.get(cabin),
                {row["seat"] for row in sitters},
                _infants_in(sitters),
                {kind: money.wire(minor, currency) for kind, minor in prices.items()},
            )
        )
    return shown


async def find(
    session: Session, flight_id: int, aircraft_type: str | None, cabin: str, wanted: Sequence[Wanted]
) -> list[Seat]:
    """The seats that are wanted, if they can be had now; nothing is taken.

    Raises SeatNotFound, SeatNotAllowed, SeatTaken.
    """
    plan = (await _plans(session, {flight_id: aircraft_type}))[flight_id]
    seats = sitting.seats(plan, cabin, wanted)
    _refuse_taken(seats, wanted, await repository.taken(session, [flight_id]))
    return seats


async def assign(
    session: Session, claim: Row, aircraft_type: str | None, wanted: Sequence[Wanted]
) -> list[Row]:
    """Give passengers of a claim the seats that they chose, all of them or none; they leave those that they had.

    `claim` has `claim_id`, `flight_id` and `cabin`. Raises SeatNotFound, SeatNotAllowed, SeatTaken, after which
    everything is as it was and the transaction can go on.
    """
    plan = (await _plans(session, {claim["flight_id"]: aircraft_type}))[claim["flight_id"]]
    seats = sitting.seats(plan, claim["cabin"], wanted)
    await repository.lock(session, [claim["claim_id"]])
    return await _take(session, claim, seats, wanted)


async def assign_automatically(
    session: Session, claim: Row, aircraft_type: str | None, travellers: Sequence[Traveller]
) -> list[Row]:
    """Give a seat to those who have none: together where possible, children beside an adult, standard ones first.

    Whoever else seats people in this cabin waits until the transaction ends, so what is free here stays free, and
    people who check in at once are seated one after the other. A flight without a plan seats nobody. Raises
    SeatNotAllowed where no free seat will do.
    """
    flight_id = claim["flight_id"]
    plan = (await _plans(session, {flight_id: aircraft_type}))[flight_id]
    await repository.lock(session, [claim["claim_id"]])
    taken = await repository.taken(session, [flight_id])
    seated = {row["position"]: row["seat"] for row in taken if row["claim_id"] == claim["claim_id"]}
    waiting = [one for one in travellers if one.type != "infant" and one.position not in seated]
    cabin = plan.cabins.get(claim["cabin"])
    if not waiting or cabin is None:
        return []
    companions = {seated[one.position]: one for one in travellers if one.position in seated}
    wanted = choosing.choose(cabin, waiting, {row["seat"] for row in taken}, _infants_in(taken), companions)
    return await _take(session, claim, [plan.seats[one.seat] for one in wanted], wanted)


async def release(session: Session, claim_ids: list[int], positions: list[int] | None = None) -> None:
    """Give up the seats of claims, or of these of their passengers; giving up twice is giving up once."""
    await repository.lock(session, claim_ids)
    await repository.release(session, claim_ids, positions)


async def move(session: Session, renewed: dict[int, int]) -> None:
    """Let seats that were chosen by old claims belong to the new ones, those that nobody has taken meanwhile."""
    await repository.move(session, renewed)


async def of_claims(session: Session, claim_ids: list[int]) -> list[Row]:
    """Who of these claims sits where: `claim_id`, `flight_id`, `position`, `seat`, `assigned_at`."""
    return await repository.of_claims(session, claim_ids)


async def _take(session: Session, claim: Row, seats: Sequence[Seat], wanted: Sequence[Wanted]) -> list[Row]:
    """The index that lets nobody have another's seat decides; the savepoint gives back what went before."""
    positions = [one.position for one in wanted]
    blocks = [seat.block if one.carries_infant else None for seat, one in zip(seats, wanted, strict=True)]
    async with session.begin_nested() as savepoint:
        taken = await repository.take(session, claim, positions, [seat.designator for seat in seats], blocks)
        if len(taken) < len(seats):
            await savepoint.rollback()
    if len(taken) == len(seats):
        return sorted(taken, key=lambda row: int(row["position"]))
    sitters = await repository.taken(session, [claim["flight_id"]])
    others = [
        row for row in sitters if row["claim_id"] != claim["claim_id"] or row["position"] not in positions
    ]
    _refuse_taken(seats, wanted, others)
    raise SeatNotAllowed("These passengers have no claim on a seat of this flight any more.")


def _refuse_taken(seats: Sequence[Seat], wanted: Sequence[Wanted], sitters: Sequence[Row]) -> None:
    """Raises SeatTaken where others have a seat, SeatNotAllowed where others' infants are too near."""
    had = {row["seat"] for row in sitters}
    lost = [seat.designator for seat in seats if seat.designator in had]
    if lost:
        raise SeatTaken(f"Taken: {', '.join(lost)}.", seats=lost)
    for seat, one in zip(seats, wanted, strict=True):
        if reason := sitting.refusal(seat, seat.cabin, one, _infants_in(sitters)):
            raise SeatNotAllowed(f"Seat {seat.designator}: {reason}")


def _infants_in(sitters: Sequence[Row]) -> set[str]:
    return {row["infant_block"] for row in sitters if row["infant_block"]}


async def _plans(session: Session, types: Mapping[int, str | None]) -> dict[int, Plan]:
    """The plan of each flight, given by its id and its aircraft type."""
    found = await repository.capacities(session, list(types), list(types.values()))
    return {
        flight_id: plans.plan(
            aircraft_type,
            tuple((row["cabin"], row["capacity"]) for row in found if row["flight_id"] == flight_id),
        )
        for flight_id, aircraft_type in types.items()
    }
