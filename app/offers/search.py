"""Flight search: itineraries on sale, priced in every brand, put in order, one page signed as offers.

Search writes nothing but what a provider had to be asked for.
"""

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal

from app.core import clock, db, money
from app.core.db import Row, Session
from app.fares import service as fares
from app.fares.pricing import FareBook, Terms
from app.fares.products import Brand
from app.flights import schedule
from app.flights.schedule import Freshness
from app.offers import facets, itinerary, journeys, listing, ranking, repository, token
from app.offers.journeys import Itinerary
from app.offers.listing import Listed, Listing
from app.offers.markets import Market
from app.offers.questions import Question
from app.offers.ranking import Option, Ranked
from app.offers.terms import facts_of_segments, terms
from app.offers.token import Offer


async def search(question: Question, markets: list[Market]) -> Row:
    """The answer of a flight search. Raises ProviderUnavailable, and Unprocessable for a foreign cursor."""
    place = listing.place_of(question)
    known = await listing.kept(question, place) if place else None
    name, start = (place.name, place.start) if place else ("", 0)
    if known is None:
        known = await _listed(question, markets)
        start = listing.start_of(place, known) if place else 0
        if start + question.limit < len(known.offers):
            name = await listing.keep(question, known)
    end = start + question.limit
    async with db.transaction() as session:
        offers = await _signed(session, question, known, known.offers[start:end])
    return {
        "data": offers,
        "next_cursor": listing.cursor_after(known, name, end) if end < len(known.offers) else None,
        "meta": known.meta,
    }


async def _listed(question: Question, markets: list[Market]) -> Listing:
    """Everything that answers the question, in the order that it asks for."""
    boards = [(origin, market.day) for market in markets for origin in market.origins]
    freshness = await schedule.ensure(list(dict.fromkeys(boards)))
    found = await asyncio.gather(*(journeys.find(market, question) for market in markets))
    book, issued_on = fares.book(), clock.now().date()
    brands = [brand for brand in book.brands(question.cabin) if _fits(brand, question)]
    async with db.transaction() as session:
        seats = await repository.free_seats(session, _flight_ids(found), question.cabin)
    ends = [(market.origins[0], market.destinations[0], market.day) for market in markets]
    agreed = terms(ends, question.cabin, question.counts, question.currency, issued_on)
    slices = [_options(one, seats, question.seats, book, agreed, brands) for one in found]
    ranked = ranking.ranked(slices, question.sort, _minor(question)) if brands else []
    return Listing(
        _meta(question, freshness, ranked, brands, book),
        issued_on,
        token.expiry(),
        [
            Listed(
                tuple(tuple(segment.id for segment in option.segments) for option in one.options),
                "".join(option.booking_class for option in one.options),
                brands[one.brand].name,
                one.total,
            )
            for one in ranked
        ],
    )


def _fits(brand: Brand, question: Question) -> bool:
    return (brand.refund_fee is not None or not question.refundable) and (
        brand.checked > 0 or not question.with_bag
    )


def _flight_ids(found: Iterable[list[Itinerary]]) -> list[int]:
    return sorted({segment.id for one in found for segments in one for segment in segments})


def _options(
    found: Sequence[Itinerary],
    seats: dict[int, tuple[int, int]],
    wanted: int,
    book: FareBook,
    agreed: Terms,
    brands: Sequence[Brand],
) -> list[Option]:
    """The itineraries of which every flight has the seats, in the lowest booking class that is open on all."""
    options = []
    for segments in found:
        taken = [seats.get(segment.id) for segment in segments]
        if None in taken:
            continue
        booking_class = book.lowest_class(agreed.cabin, wanted, [one for one in taken if one])
        if booking_class is None:
            continue
        facts = facts_of_segments(segments)
        prices = book.totals(agreed, facts, booking_class, brands)
        options.append(Option(segments, booking_class, prices))
    return options


def _minor(question: Question) -> int | None:
    if question.max_price is None:
        return None
    return int(Decimal(question.max_price).scaleb(money.exponent(question.currency)))


def _meta(
    question: Question,
    freshness: Freshness,
    ranked: Sequence[Ranked],
    brands: Sequence[Brand],
    book: FareBook,
) -> Row:
    return {
        "total": len(ranked),
        "source": freshness.source,
        "fetched_at": clock.rfc3339(freshness.fetched_at),
        "stale": freshness.stale,
        "projected": freshness.projected,
        "facets": facets.of(ranked, brands, journeys.rules(), question.currency),
        "exchange_rate": book.stated_rate(question.currency),
    }


async def _signed(session: Session, question: Question, known: Listing, page: Sequence[Listed]) -> list[Row]:
    """A page's offers as they are shown; what was taken off sale since they were listed is left out."""
    ids = sorted({flight for one in page for flights in one.slices for flight in flights})
    flights = await repository.flights(session, ids, question.cabin)
    on_sale = {flight for flight, row in flights.items() if itinerary.on_sale(row)}
    offers = [
        _offer(question, known, one, [[flights[flight] for flight in ids] for ids in one.slices])
        for one in page
        if all(on_sale.issuperset(ids) for ids in one.slices)
    ]
    return [offer for offer in offers if offer is not None]


def _offer(question: Question, known: Listing, one: Listed, flights: list[list[Row]]) -> Row | None:
    """None if its brand or booking class was taken out of the fares since it was listed."""
    offer = Offer(
        slices=one.slices,
        classes=one.classes,
        cabin=question.cabin,
        brand=one.brand,
        counts=question.counts,
        total=one.total,
        currency=question.currency,
        fares_version=fares.book().version,
        issued_on=known.issued_on,
        expires_at=known.expires_at,
    )
    priced = itinerary.quoted(flights, offer)
    return itinerary.offered(offer, flights, *priced) if priced else None
