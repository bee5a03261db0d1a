"""What bookings ask of offers: read one, take its seats, give them back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from app.aircraft import service as aircraft
from app.core import db, money
from app.core.config import settings
from app.core.db import Row, Session
from app.core.metrics import SOLD_OUT
from app.fares.products import Brand
from app.fares.quotes import Quote
from app.offers import answers, itinerary, repository, token
from app.offers.errors import FlightNotOnSale, PriceChanged, SoldOut
from app.offers.token import Offer


class Reservation:
    """The seats of an offer, taken until `expires_at`, with the flights and the price they were taken for."""

    def __init__(self, flights: list[list[Row]], quote: Quote, brand: Brand) -> None:
        self.flights = flights
        self.quote = quote
        self.brand = brand
        self.expires_at: datetime = flights[0][0]["claim_expires_at"]


async def reserve(session: Session, offer: Offer) -> Reservation:
    """Take an offer's seats in the caller's transaction, all of them or none.

    Raises FlightNotOnSale, PriceChanged and SoldOut, after which the transaction must not be committed.
    """
    claimed = await _claim(session, offer)
    flights = _flights_on_sale(offer, claimed)
    quote, brand = _still_priced(offer, flights)
    db.after_commit(session, lambda: answers.seats_moved(_markets(flights)))
    return Reservation(flights, quote, brand)


async def release(session: Session, claim_ids: list[int], flights: list[Row]) -> None:
    """Give seats back; giving back twice is giving back once."""
    await repository.release(session, claim_ids=claim_ids)
    db.after_commit(session, lambda: answers.seats_moved(_markets([flights])))


def _flights_on_sale(offer: Offer, known: dict[int, Row]) -> list[list[Row]]:
    """The offer's flights, slice by slice. Raises FlightNotOnSale."""
    if not all(flight_id in known and itinerary.on_sale(known[flight_id]) for flight_id in offer.flight_ids):
        raise FlightNotOnSale("A flight of this offer was cancelled or is about to leave.")
    return _in_slices(offer, known)


def _still_priced(offer: Offer, flights: list[list[Row]]) -> tuple[Quote, Brand]:
    """The offer's price by the fares in force: kept where it is the same or lower, else the customer is asked."""
    priced = itinerary.quoted(flights, offer)
    if priced is None:
        raise FlightNotOnSale("The fare of this offer is no longer sold.")
    quote, brand = priced
    if quote.total > offer.total:
        renewed = replace(offer, expires_at=token.expiry())
        raise PriceChanged(
            offer=itinerary.offered(renewed, flights, quote, brand),
            old_total=money.wire(offer.total, offer.currency),
            new_total=money.wire(quote.total, offer.currency),
        )
    return quote, brand


async def refreshed(session: Session, offer_id: str) -> Row:
    """An offer as it is now: the seats that are left, and what it costs by the fares in force.

    It lasts no longer than before. Raises OfferNotFound, OfferExpired and FlightNotOnSale.
    """
    offer, flights, (quote, brand) = await _read(session, offer_id)
    return itinerary.offered(offer, flights, quote, brand) | {
        "available": itinerary.seats_left(flights) >= offer.seats,
        "price_changed": quote.total != offer.total,
        "previous_total": money.wire(offer.total, offer.currency),
    }


async def secure(session: Session, segments: list[Row], cabin: str, seats: int) -> dict[int, int] | None:
    """Sell the seats that segments hold, all or none; None if a flight has too few left or is on sale no more.

    Where holds ran out and others were given the seats, new ones are taken: the new claims by the old ones.
    """
    claim_ids = [segment["claim_id"] for segment in segments]
    gone = set(await repository.lost(session, claim_ids))
    renewed: dict[int, int] = {}
    async with session.begin_nested() as savepoint:
        if gone:
            by_flight = {s["id"]: s["claim_id"] for s in segments if s["claim_id"] in gone}
            claims = await _claims(session, sorted(by_flight), cabin, seats)
            if len(claims) < len(by_flight) or not all(itinerary.on_sale(flight) for flight in claims):
                await savepoint.rollback()
                return None
            renewed = {by_flight[flight["id"]]: flight["claim_id"] for flight in claims}
        await repository.secure(session, [renewed.get(claim, claim) for claim in claim_ids])
    if renewed:
        db.after_commit(session, lambda: answers.seats_moved(_markets([segments])))
    return renewed


@dataclass(frozen=True, slots=True)
class Priced:
    """An offer's flights, slice by slice, and what they cost by the fares in force."""

    flights: list[list[Row]]
    quote: Quote


async def on_sale(session: Session, offer: Offer) -> Priced:
    """Price an offer without taking its seats. Raises FlightNotOnSale, SoldOut."""
    flights = _flights_on_sale(offer, await repository.flights(session, offer.flight_ids, offer.cabin))
    if itinerary.seats_left(flights) < offer.seats:
        raise SoldOut("A flight of this offer has too few seats left.")
    priced = itinerary.quoted(flights, offer)
    if priced is None:
        raise FlightNotOnSale("The fare of this offer is no longer sold.")
    return Priced(flights, priced[0])


async def requoted(session: Session, offer: Offer) -> Quote | None:
    """What an offer's seats cost by the fares in force; None if they are no longer sold."""
    priced = itinerary.quoted(
        _in_slices(offer, await repository.flights(session, offer.flight_ids, offer.cabin)), offer
    )
    return priced[0] if priced else None


def _in_slices(offer: Offer, known: dict[int, Row]) -> list[list[Row]]:
    return [[known[flight_id] for flight_id in one] for one in offer.slices]


async def lock(session: Session, flight_ids: Sequence[int], cabin: str) -> None:
    """Let nobody else sell or give back seats of these flights; in the order in which everybody locks them.

    For who moves seats of several flights in more than one step, and would otherwise lock them in an order of its own.
    """
    await repository.lock(session, sorted(set(flight_ids)), cabin)


async def prolong(session: Session, claim_ids: list[int], until: datetime) -> None:
    """Hold seats for longer."""
    await repository.prolong(session, claim_ids, until)


async def give_back(session: Session, seats: dict[int, int], flights: list[Row]) -> None:
    """Give back so many seats of each claim, of which at least one stays."""
    await repository.give_back(session, list(seats), list(seats.values()))
    db.after_commit(session, lambda: answers.seats_moved(_markets([flights])))


async def on_offer(session: Session, offer_id: str) -> tuple[Offer, list[list[Row]], Brand]:
    """An offer with its flights, slice by slice, and its brand by the fares in force.

    Raises OfferNotFound, OfferExpired and FlightNotOnSale.
    """
    offer, flights, (_, brand) = await _read(session, offer_id)
    return offer, flights, brand


async def _read(session: Session, offer_id: str) -> tuple[Offer, list[list[Row]], tuple[Quote, Brand]]:
    offer = token.read(offer_id)
    flights = _flights_on_sale(offer, await repository.flights(session, offer.flight_ids, offer.cabin))
    priced = itinerary.quoted(flights, offer)
    if priced is None:
        raise FlightNotOnSale("The fare of this offer is no longer sold.")
    return offer, flights, priced


async def _claim(session: Session, offer: Offer) -> dict[int, Row]:
    """The offer's flights by id, each with the claim that was made. Raises SoldOut, FlightNotOnSale."""
    ids = sorted(set(offer.flight_ids))
    claims = await _claims(session, ids, offer.cabin, offer.seats)
    if len(claims) < len(ids):
        _flights_on_sale(offer, await repository.flights(session, ids, offer.cabin))
        SOLD_OUT.inc()
        raise SoldOut("A flight of this offer has too few seats left.")
    return {flight["id"]: flight for flight in claims}


async def _claims(session: Session, ids: list[int], cabin: str, seats: int) -> list[Row]:
    """Claims on all of these flights; on fewer if one is full, and then the caller must roll back."""
    hold = settings().hold_minutes
    if len(ids) > 1:
        await repository.mark(session)
    claims = await repository.claim(session, ids, cabin, seats, hold)
    if len(claims) < len(ids):
        # Some flight was full. Holds that ran out on these flights are given back here and now, because no
        # sweeper, worker or Redis may be alive to do it; then there is one more try.
        if len(ids) > 1:
            await repository.back_to_mark(session)
            await repository.lock(session, ids, cabin)
        freed = await repository.release(session, flight_ids=ids, cabin=cabin)
        claims = await repository.claim(session, ids, cabin, seats, hold) if freed else []
    return claims


def _markets(flights: list[list[Row]]) -> list[tuple[str, str, date]]:
    """The markets of which these flights are a part: each flight's own, and that of each slice."""
    flown = [(f["origin"], f["destination"], f["departure_date"]) for one in flights for f in one]
    return flown + [
        (one[0]["origin"], one[-1]["destination"], one[0]["departure_date"]) for one in flights if one
    ]


async def describe_aircraft() -> None:
    """Let every aircraft type that we know have seats, where operators have not said which."""
    layouts = [(kind.icao, cabin, seats) for kind in aircraft.every() for cabin, seats in kind.seats.items()]
    types, cabins, seats = (list(column) for column in zip(*layouts, strict=True))
    async with db.transaction() as session:
        await repository.describe_types(session, types, cabins, seats)
