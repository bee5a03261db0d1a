"""Seats for people who choose none: together where that is possible, children beside an adult, standard ones first."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from app.extras.book import STANDARD
from app.seats.errors import SeatNotAllowed
from app.seats.plans import Cabin, Seat
from app.seats.sitting import Traveller, Wanted, refusal

Pairs = list[tuple[Traveller, Seat]]


def choose(
    cabin: Cabin,
    travellers: Sequence[Traveller],
    taken: set[str],
    infants_in: set[str],
    companions: Mapping[str, Traveller],
) -> list[Wanted]:
    """A seat for each traveller. `companions` are those who travel with them and sit already, by their seats.

    Raises SeatNotAllowed where the free seats are not for these travellers.
    """
    free = [seat for seat in cabin.seats if seat.designator not in taken]
    adults = [
        seat
        for seat in cabin.seats
        if seat.designator in companions and companions[seat.designator].type == "adult"
    ]
    together = [pairs for pairs in _groups(free, travellers) if _allowed(pairs, infants_in)]
    if together:
        chosen = min(together, key=lambda pairs: _discomfort(pairs, adults))
    else:
        chosen = _one_by_one(free, travellers, infants_in)
    return [
        Wanted(
            position=one.position,
            type=one.type,
            carries_infant=one.carries_infant,
            needs_assistance=one.needs_assistance,
            seat=seat.designator,
        )
        for one, seat in chosen
    ]


def _groups(free: Sequence[Seat], travellers: Sequence[Traveller]) -> Iterator[Pairs]:
    """Every stretch of free seats that is long enough, with the travellers on it in two orders."""
    children = [one for one in travellers if one.type == "child"]
    adults = [one for one in travellers if one.type != "child"]
    for order in (_alternating(children, adults), _alternating(adults, children)):
        for start in range(len(free) - len(order) + 1):
            yield list(zip(order, free[start:], strict=False))


def _alternating(some: Sequence[Traveller], others: Sequence[Traveller]) -> list[Traveller]:
    return [one for one in chain.from_iterable(zip_longest(some, others)) if one is not None]


def _allowed(pairs: Pairs, infants_in: set[str]) -> bool:
    blocks = set(infants_in)
    for one, seat in pairs:
        if refusal(seat, seat.cabin, one, blocks):
            return False
        if one.carries_infant:
            blocks.add(seat.block)
    return True


def _discomfort(pairs: Pairs, adults: Sequence[Seat]) -> tuple[int, ...]:
    """Less is better: children without an adult beside them, rows, the seats between, seats that are sold for more."""
    seats = [seat for _, seat in pairs]
    guardians = [*adults, *(seat for one, seat in pairs if one.type == "adult")]
    alone = sum(
        one.type == "child" and not any(seat.is_beside(adult) for adult in guardians) for one, seat in pairs
    )
    dearer = sum(seat.kind != STANDARD for seat in seats)
    near = min((abs(seats[0].row - adult.row) for adult in adults), default=0)
    rows = len({seat.row for seat in seats})
    return alone, near, rows, seats[-1].place - seats[0].place, dearer, seats[0].place


def _one_by_one(free: Sequence[Seat], travellers: Sequence[Traveller], infants_in: set[str]) -> Pairs:
    """Where no stretch will do: first those who have the least choice, so that everybody finds a seat if all can."""
    left, blocks, chosen = list(free), set(infants_in), Pairs()
    for one in sorted(travellers, key=lambda one: (not one.carries_infant, one.may_sit_at_exits)):
        seat = min(
            (seat for seat in left if not refusal(seat, seat.cabin, one, blocks)),
            key=lambda seat: (seat.kind != STANDARD, seat.place),
            default=None,
        )
        if seat is None:
            raise SeatNotAllowed(
                "No seat is left that is for everybody; the desk at the airport can move others."
            )
        left.remove(seat)
        blocks |= {seat.block} if one.carries_infant else set()
        chosen.append((one, seat))
    return chosen
