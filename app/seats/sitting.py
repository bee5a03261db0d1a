"""Who may sit where: nobody at an exit who could not open it, and no two lap infants to one spare oxygen mask."""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

from app.seats.errors import SeatNotAllowed, SeatNotFound, SeatTaken
from app.seats.plans import Plan, Seat

AT_EXITS = ("adults_only", "no_lap_infant", "no_assistance")
NO_LAP_INFANT = "no_lap_infant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveller:
    """A passenger on one flight; `position` is the index in the booking, `type` `adult`, `child` or `infant`."""

    position: int
    type: str
    carries_infant: bool = False
    needs_assistance: bool = False

    @property
    def may_sit_at_exits(self) -> bool:
        return self.type == "adult" and not self.carries_infant and not self.needs_assistance


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Traveller):
    """A traveller and the seat that was chosen for them."""

    seat: str


def seats(plan: Plan, cabin: str, wanted: Sequence[Wanted]) -> list[Seat]:
    """The seats that are wanted. Raises SeatNotFound, SeatNotAllowed, and SeatTaken where two want the same."""
    found = [_found(plan, one.seat) for one in wanted]
    blocks: set[str] = set()
    for seat, one in zip(found, wanted, strict=True):
        if reason := refusal(seat, cabin, one, blocks):
            raise SeatNotAllowed(f"Seat {seat.designator}: {reason}")
        if one.carries_infant:
            blocks.add(seat.block)
    counted = Counter(seat.designator for seat in found)
    if twice := [seat for seat, count in counted.items() if count > 1]:
        raise SeatTaken("Two passengers want the same seat.", seats=twice)
    if len({one.position for one in wanted}) < len(wanted):
        raise SeatNotAllowed("A passenger has one seat on a flight.")
    return found


def refusal(seat: Seat, cabin: str, traveller: Traveller, infants_in: Container[str]) -> str:
    """Why this traveller may not have a seat; empty where they may.

    `infants_in` holds the blocks in which somebody carries an infant.
    """
    if traveller.type == "infant":
        return "infants travel on a lap."
    if seat.cabin != cabin:
        return f"it is not in {cabin}."
    if seat.is_at_exit and not traveller.may_sit_at_exits:
        return "exit rows are for adults who carry no infant and need no assistance."
    if traveller.carries_infant and seat.block in infants_in:
        return "there is an infant in this block already, and one spare oxygen mask."
    return ""


def restrictions(seat: Seat, infants_in: Container[str]) -> list[str]:
    """What a seat map says of whom a seat is not for."""
    if seat.is_at_exit:
        return list(AT_EXITS)
    return [NO_LAP_INFANT] if seat.block in infants_in else []


def _found(plan: Plan, designator: str) -> Seat:
    seat = plan.seats.get(designator.upper())
    if seat is None:
        raise SeatNotFound("The aircraft of this flight has no such seat.")
    return seat
