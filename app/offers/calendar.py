"""The lowest price of each day of a month, from what is known of the timetable: never a search for each day.

Days whose departures nobody has asked a provider for are worked out from the same weekday of another week. At
most one board for each weekday is asked for, so a month of a market that nobody has searched costs seven calls.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from app.airports.service import Airport, directory
from app.core import clock, db, money
from app.core.db import Row, Session
from app.fares import service as fares
from app.fares.pricing import FareBook, Terms
from app.flights import schedule
from app.flights.schedule import Freshness
from app.offers import journeys, repository
from app.offers.markets import apart, impossible, known_currency, today_at, too_far
from app.offers.questions import CalendarQuery
from app.offers.terms import facts_of_segments, terms
from app.timetable import service as timetable
from app.timetable.codes import pack
from app.timetable.day import Day
from app.timetable.engine import Segment, Wish, itineraries_by_date
from app.timetable.places import Places

_PATTERN_WEEKS = 5
_DAY = timedelta(days=1)
_AT_ONCE = 3
_MINUTES_OF_A_DAY = 1440

Itinerary = tuple[Segment, ...]


@dataclass(slots=True)
class Priced:
    """An itinerary of a slice: at least what it costs, and once its seats were looked at, exactly that.

    `shifted` are the days by which it is moved, if another week's flights stand in.
    """

    segments: Itinerary
    bound: int
    shifted: int
    exact: int | None = None

    @property
    def price(self) -> int:
        return self.bound if self.exact is None else self.exact

    @property
    def departs(self) -> int:
        return self.segments[0].departs + self.shifted * _MINUTES_OF_A_DAY

    @property
    def arrives(self) -> int:
        return self.segments[-1].arrives + self.shifted * _MINUTES_OF_A_DAY


@dataclass(slots=True)
class Slice:
    """One direction on one day, cheapest bound first; the first `looked` were looked at.

    `thorough` is one of which all are wanted, because its cheapest does not go with the other direction's.
    """

    agreed: Terms
    options: list[Priced] = field(default_factory=list)
    looked: int = 0
    thorough: bool = False

    @property
    def is_settled(self) -> bool:
        """Nothing that was not looked at can be cheaper than what was."""
        if self.looked == len(self.options):
            return True
        known = self.known
        return bool(known) and not self.thorough and known[0].price <= self.options[self.looked].bound

    @property
    def next_looks(self) -> list[Priced]:
        return self.options[self.looked : None if self.thorough else self.looked + _AT_ONCE]

    @property
    def known(self) -> list[Priced]:
        """What can be bought, cheapest first."""
        seen = [option for option in self.options[: self.looked] if option.exact is not None]
        return sorted(seen, key=lambda option: option.price)


async def month(query: CalendarQuery) -> Row:
    """The answer of `GET /flights/calendar`.

    Raises AirportNotFound, Unprocessable, and ProviderUnavailable where nothing is known of the market.
    """
    known_currency(query.currency)
    origins, destinations = apart(query.origin, query.destination, "destination")
    there, back = _codes(origins), _codes(destinations)
    dates = _dates(query.month, today_at(origins))
    stay = timedelta(days=query.stay_days or 0)
    freshness, known = await _known(there, dates)
    outbound = _slices(query, there, back, known, [(day, day) for day in dates])
    inbound: list[Slice] = []
    if query.stay_days:
        returning, known = await _known(back, [day + stay for day in dates])
        freshness = _older(freshness, returning)
        inbound = _slices(query, back, there, known, [(day + stay, day) for day in dates])
    trips = [list(trip) for trip in zip(outbound, *([inbound] if inbound else []), strict=True)]
    async with db.transaction() as session:
        await _settle(session, query, outbound + inbound)
        hasty = [
            one for trip in trips if _cheapest(trip) is None and all(s.known for s in trip) for one in trip
        ]
        for one in hasty:
            one.thorough = True
        await _settle(session, query, hasty)
    days = [_day(query, day, _cheapest(trip) or ()) for day, trip in zip(dates, trips, strict=True)]
    return {"data": days, "next_cursor": None, "meta": _meta(query, freshness, days)}


def _older(one: Freshness, other: Freshness) -> Freshness:
    """Of both directions together."""
    return replace(min(one, other, key=lambda known: known.fetched_at), stale=one.stale or other.stale)


def _codes(airports: Iterable[Airport]) -> tuple[str, ...]:
    return tuple(airport.iata for airport in airports)


def _dates(month: str, today: date) -> list[date]:
    """The days of a month on which flights are sold. Raises Unprocessable where there are none."""
    year, number = int(month[:4]), int(month[5:])
    first = date(year, number, 1)
    days = [first + timedelta(days=n) for n in range(calendar.monthrange(year, number)[1])]
    if days[-1] < today:
        raise impossible("month", "date_in_the_past", "The month has passed at the origin")
    on_sale = [day for day in days if day >= today and not too_far(day, today)]
    if not on_sale:
        raise impossible("month", "date_too_far", "Flights of this month are not sold yet")
    return on_sale


async def _known(airports: tuple[str, ...], dates: list[date]) -> tuple[Freshness, "Known"]:
    """The timetable of these dates, after asking for a board of each weekday of which none is known."""
    known = Known(airports, await _read(dates[0] - _DAY, dates[-1] + 2 * _DAY))
    if any(known.pattern(day) != day for day in dates):
        reach = timedelta(weeks=_PATTERN_WEEKS)
        known = Known(airports, await _read(dates[0] - reach, dates[-1] + reach))
    unknown = {day.weekday(): day for day in reversed(dates) if known.pattern(day) is None}
    asked = sorted(unknown.values()) or [known.pattern(dates[0]) or dates[0]]
    freshness = await schedule.ensure([(airport, day) for day in asked for airport in airports])
    if unknown:
        known = Known(airports, await _read(min(known.days), max(known.days)))
    return freshness, known


async def _read(first: date, last: date) -> list[Day]:
    return await timetable.days([first + timedelta(days=n) for n in range((last - first).days + 1)])


class Known:
    """Days of the timetable, and which of them tell of departures from the airports."""

    def __init__(self, airports: tuple[str, ...], days: Sequence[Day]) -> None:
        self.days = {day.day: day for day in days}
        self._flown = {day.day for day in days if any(_leaves(day, airport) for airport in airports)}

    def pattern(self, day: date) -> date | None:
        """The day itself if its departures are known, else the nearest one of the same weekday."""
        near = (day + timedelta(weeks=n) * sign for n in range(_PATTERN_WEEKS + 1) for sign in (1, -1))
        return next((candidate for candidate in near if candidate in self._flown), None)

    def around(self, day: date) -> list[Day]:
        """The days on which an itinerary with one connection may go on."""
        wanted = (day + timedelta(days=n) for n in range(-1, 3))
        return [self.days[one] for one in wanted if one in self.days]


def _leaves(day: Day, airport: str) -> bool:
    routes = day.routes_from(pack(airport))
    return bool(routes.stop > routes.start)


def _slices(
    query: CalendarQuery,
    origins: tuple[str, ...],
    destinations: tuple[str, ...],
    known: Known,
    when: Sequence[tuple[date, date]],
) -> list[Slice]:
    """One direction: the day on which it leaves, and the day of departure to which it belongs."""
    book, issued_on = fares.book(), clock.now().date()
    stay = timedelta(days=query.stay_days or 0)
    patterns = {leaves: known.pattern(leaves) for leaves, _ in when}
    found = _itineraries(query, origins, destinations, known, {day for day in patterns.values() if day})
    slices = []
    for leaves, departure in when:
        ends = [(origins[0], destinations[0], departure)]
        if query.stay_days:
            ends.append((destinations[0], origins[0], departure + stay))
        agreed = terms(ends, query.cabin, query.counts, query.currency, issued_on)
        pattern = patterns[leaves]
        options = _bounded(query, book, agreed, found[pattern], (leaves - pattern).days) if pattern else []
        slices.append(Slice(agreed, options))
    return slices


def _itineraries(
    query: CalendarQuery,
    origins: tuple[str, ...],
    destinations: tuple[str, ...],
    known: Known,
    dates: set[date],
) -> dict[date, list[Itinerary]]:
    if not dates:
        return {}
    wish = Wish(
        origins=origins,
        destinations=destinations,
        day=min(dates),
        max_connections=query.max_connections,
        not_before=journeys.first_minute(),
    )
    days = {near.day: near for day in dates for near in known.around(day)}
    places = Places.of(directory())
    return itineraries_by_date(list(days.values()), wish, frozenset(dates), journeys.rules(), places)


def _bounded(
    query: CalendarQuery, book: FareBook, agreed: Terms, found: Sequence[Itinerary], shifted: int
) -> list[Priced]:
    """With what each itinerary costs in the lowest booking class, whether or not that is open."""
    cheapest, lowest = book.brands(query.cabin)[:1], book.classes(query.cabin)[-1]
    options = [
        Priced(one, book.totals(agreed, facts_of_segments(one, shifted), lowest, cheapest)[0], shifted)
        for one in found
    ]
    return sorted(options, key=lambda option: option.bound)


async def _settle(session: Session, query: CalendarQuery, slices: Sequence[Slice]) -> None:
    """Look at the seats of the cheapest itineraries, until none that was not looked at can be cheaper."""
    while open_slices := [one for one in slices if not one.is_settled]:
        looks = [(one, one.next_looks) for one in open_slices]
        ids = {segment.id for _, options in looks for option in options for segment in option.segments}
        seats = await repository.free_seats(session, sorted(ids), query.cabin)
        for one, options in looks:
            for option in options:
                option.exact = _exact(query, one.agreed, option, seats)
            one.looked += len(options)


def _exact(
    query: CalendarQuery, agreed: Terms, option: Priced, seats: dict[int, tuple[int, int]]
) -> int | None:
    """What an itinerary costs in the lowest class that is open; where another week stands in, all are open."""
    if option.shifted:
        return option.bound
    book = fares.book()
    taken = [seats[segment.id] for segment in option.segments if segment.id in seats]
    if len(taken) < len(option.segments):
        return None
    booking_class = book.lowest_class(query.cabin, query.seats, taken)
    if booking_class is None:
        return None
    facts = facts_of_segments(option.segments)
    return book.totals(agreed, facts, booking_class, book.brands(query.cabin)[:1])[0]


def _cheapest(trip: Sequence[Slice]) -> tuple[Priced, ...] | None:
    """The cheapest of what was looked at, of each direction; nobody flies back before having arrived."""
    outs, *backs = [one.known if one.thorough else one.known[:1] for one in trip]
    if not backs:
        return (outs[0],) if outs else None
    [homes] = backs
    last = max((home.departs for home in homes), default=0)
    best: tuple[Priced, ...] | None = None
    for out in outs:
        if best is not None and _total((out, homes[0])) >= _total(best):
            break  # What follows is dearer still.
        home = next((one for one in homes if one.departs > out.arrives), None) if last > out.arrives else None
        if home is not None and (best is None or _total((out, home)) < _total(best)):
            best = (out, home)
    return best


def _total(chosen: Sequence[Priced]) -> int:
    return sum(one.price for one in chosen)


def _day(query: CalendarQuery, day: date, chosen: Sequence[Priced]) -> Row:
    return {
        "departure_date": day.isoformat(),
        "return_date": (day + timedelta(days=query.stay_days)).isoformat() if query.stay_days else None,
        "price": money.wire(_total(chosen), query.currency) if chosen else None,
        "airline": chosen[0].segments[0].carrier if chosen else None,
        "connections": max(len(one.segments) - 1 for one in chosen) if chosen else None,
        "projected": any(one.shifted != 0 for one in chosen),
    }


def _meta(query: CalendarQuery, freshness: Freshness, days: Sequence[Row]) -> Row:
    prices = [day["price"] for day in days if day["price"]]
    return {
        "source": freshness.source,
        "fetched_at": clock.rfc3339(freshness.fetched_at),
        "stale": freshness.stale,
        "lowest": min(prices, key=lambda price: Decimal(price["amount"])) if prices else None,
        "exchange_rate": fares.book().stated_rate(query.currency),
    }
