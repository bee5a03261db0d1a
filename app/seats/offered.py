"""What the travellers of an offer may choose besides the fare, and what their choice costs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from app.core import money
from app.core.db import Row, Session
from app.core.errors import FieldProblem, Unprocessable
from app.extras import service as extras
from app.extras.book import SEAT_KINDS
from app.extras.errors import BagNotAllowed
from app.fares.products import PASSENGER_TYPES, Brand
from app.flights.service import public_id
from app.offers import service as offers
from app.offers.token import Offer
from app.seats import service
from app.seats.errors import SeatNotFound
from app.seats.schemas import BagChoice, Choice
from app.seats.sitting import Traveller, Wanted


async def seat_maps(session: Session, offer_id: str) -> Row:
    """Raises OfferNotFound, OfferExpired, FlightNotOnSale, ExtrasNotSold."""
    offer, flights, brand = await offers.on_offer(session, offer_id)
    flown = list(chain.from_iterable(flights))
    return {
        "data": await service.maps(session, flown, offer.cabin, brand, offer.currency),
        "next_cursor": None,
    }


async def for_sale(session: Session, offer_id: str) -> Row:
    """Seats and bags by passenger and slice. Raises OfferNotFound, OfferExpired, FlightNotOnSale, ExtrasNotSold."""
    offer, flights, brand = await offers.on_offer(session, offer_id)
    slices = [
        {
            "slice": index,
            "bags": _bags(one, offer, brand),
            "seats": [_seats(flight, offer, brand) for flight in one],
        }
        for index, one in enumerate(flights)
    ]
    return {
        "data": [
            {"passenger": one.position, "type": one.type, "slices": slices if one.type != "infant" else []}
            for one in travellers(offer)
        ],
        "next_cursor": None,
        "meta": {"most_bags": extras.book().most_bags, "heaviest_kg": extras.book().heaviest_kg},
    }


async def priced(session: Session, offer_id: str, choice: Choice) -> Row:
    """What a choice costs; nothing is taken.

    Raises OfferNotFound, OfferExpired, FlightNotOnSale, ExtrasNotSold, SeatNotFound, SeatNotAllowed, SeatTaken,
    BagNotAllowed, Unprocessable.
    """
    offer, flights, brand = await offers.on_offer(session, offer_id)
    people = travellers(offer, choice.assistance)
    _refuse_strangers(choice, len(people))
    lines = await _seat_lines(session, offer, flights, brand, people, choice)
    lines += _bag_lines(offer, flights, brand, people, choice.bags)
    total = sum(minor for _, minor in lines)
    return {
        "lines": [line | {"price": money.wire(minor, offer.currency)} for line, minor in lines],
        "total": money.wire(total, offer.currency),
    }


def travellers(offer: Offer, assistance: Sequence[int] = ()) -> list[Traveller]:
    """The offer's passengers: adults, then children, then infants, whom the first adults carry."""
    types = [kind for kind, count in zip(PASSENGER_TYPES, offer.counts, strict=True) for _ in range(count)]
    infants = offer.counts[2]
    return [
        Traveller(
            position=position,
            type=kind,
            carries_infant=position < infants and kind == "adult",
            needs_assistance=position in assistance,
        )
        for position, kind in enumerate(types)
    ]


def _refuse_strangers(choice: Choice, travellers: int) -> None:
    named = [
        *((f"/seats/{index}/passenger", one.passenger) for index, one in enumerate(choice.seats)),
        *((f"/bags/{index}/passenger", one.passenger) for index, one in enumerate(choice.bags)),
        *((f"/assistance/{index}", passenger) for index, passenger in enumerate(choice.assistance)),
    ]
    message = f"The offer has {travellers} passengers, counted from 0."
    problems = [FieldProblem(at, "no_such_passenger", message) for at, who in named if who >= travellers]
    if problems:
        raise Unprocessable(message, errors=problems)


async def _seat_lines(
    session: Session,
    offer: Offer,
    flights: list[list[Row]],
    brand: Brand,
    people: Sequence[Traveller],
    choice: Choice,
) -> list[tuple[Row, int]]:
    known = {public_id(flight): flight for flight in chain.from_iterable(flights)}
    if not {one.flight_id for one in choice.seats} <= known.keys():
        raise SeatNotFound("A seat is chosen on a flight that is not of this offer.")
    lines = []
    for flight_id, flight in known.items():
        wanted = [
            _wanted(people[one.passenger], one.seat) for one in choice.seats if one.flight_id == flight_id
        ]
        if not wanted:
            continue
        seats = await service.find(session, flight["id"], flight["aircraft_type"], offer.cabin, wanted)
        for seat, one in zip(seats, wanted, strict=True):
            minor = extras.seat_price(
                flight, offer.cabin, seat.kind, brand, offer.currency, assistance=one.needs_assistance
            )
            lines.append((_line("seat", one.position, flight_id=flight_id, seat=seat.designator), minor))
    return lines


def _wanted(one: Traveller, seat: str) -> Wanted:
    return Wanted(
        position=one.position,
        type=one.type,
        carries_infant=one.carries_infant,
        needs_assistance=one.needs_assistance,
        seat=seat,
    )


def _bag_lines(
    offer: Offer,
    flights: list[list[Row]],
    brand: Brand,
    people: Sequence[Traveller],
    bags: Sequence[BagChoice],
) -> list[tuple[Row, int]]:
    lines: list[tuple[Row, int]] = []
    had: dict[tuple[int, int], int] = defaultdict(lambda: brand.checked)
    for one in _each(bags):
        if one.slice >= len(flights) or people[one.passenger].type == "infant":
            raise BagNotAllowed("Bags are for passengers with a seat, on a slice of the offer.")
        had[one.passenger, one.slice] += 1
        piece = had[one.passenger, one.slice]
        minor = extras.bag_price(flights[one.slice], offer.cabin, piece, brand, offer.currency, one.kg)
        lines.append((_line("bag", one.passenger, slice=one.slice, piece=piece), minor))
    return lines


def _each(bags: Sequence[BagChoice]) -> Iterator[BagChoice]:
    return (one for one in bags for _ in range(one.quantity))


def _line(kind: str, passenger: int, **about: object) -> Row:
    return {
        "type": kind,
        "passenger": passenger,
        "flight_id": None,
        "seat": None,
        "slice": None,
        "piece": None,
    } | about


def _bags(flights: list[Row], offer: Offer, brand: Brand) -> list[Row]:
    return [
        {
            "piece": bag.piece,
            "max_kg": bag.max_kg,
            "included": bag.included,
            "price": money.wire(bag.amount, offer.currency),
        }
        for bag in extras.bags(flights, offer.cabin, brand, offer.currency)
    ]


def _seats(flight: Row, offer: Offer, brand: Brand) -> Row:
    prices = extras.seat_prices(flight, offer.cabin, brand, offer.currency)
    return {
        "flight_id": public_id(flight),
        "kinds": [{"kind": kind, "price": money.wire(prices[kind], offer.currency)} for kind in SEAT_KINDS],
    }
