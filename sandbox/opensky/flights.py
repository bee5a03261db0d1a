"""`/flights`: who flew, and from where to where as far as can be guessed from what was heard."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import cache

from sandbox.chance import one_in
from sandbox.faults import Answer
from sandbox.opensky.credits import history_cost
from sandbox.opensky.looks import look
from sandbox.opensky.wire import Call, Json, Refusal, json_answer, moment, nothing_found, required, second
from sandbox.world.airspace import Leg
from sandbox.world.geography import Airport, airports

EVERYTHING, OF_ONE = timedelta(hours=2), timedelta(days=2)
UNGUESSED = 25


def everything(call: Call) -> Answer:
    """The answer to `/flights/all`: flights that are over and were under way in the interval."""
    begin, end = _interval(call, EVERYTHING)
    call.pay("flights", history_cost(moment(begin), moment(end), call.now))
    legs = call.airspace.between(moment(begin), moment(end))
    return _answer(
        leg for leg in legs if leg.move.arrival <= call.now and _first(leg) <= end and _last(leg) >= begin
    )


def of_aircraft(call: Call) -> Answer:
    """The answer to `/flights/aircraft`: flights that began and ended in the interval."""
    address = required(call.params, "icao24")
    begin, end = _interval(call, OF_ONE)
    call.pay("flights", history_cost(moment(begin), moment(end), call.now))
    legs = call.airspace.between(
        moment(begin), moment(end), lambda flight: flight.aircraft.icao24.lower() == address
    )
    return _answer(
        leg for leg in legs if _first(leg) >= begin and _last(leg) <= end and _known(leg, call.now)
    )


def arrivals(call: Call) -> Answer:
    """The answer to `/flights/arrival`, diverted flights at the airport where they landed."""
    begin, end, place = _at_airport(call)
    legs = (leg for leg in call.airspace.between(moment(begin), moment(end)) if leg.goal is place)
    return _answer(
        leg
        for leg in legs
        if begin <= _last(leg) <= end and _known(leg, call.now) and _guessed(leg, leg.goal)
    )


def departures(call: Call) -> Answer:
    """The answer to `/flights/departure`."""
    begin, end, place = _at_airport(call)
    legs = call.airspace.between(moment(begin), moment(end), lambda flight: flight.service.origin is place)
    return _answer(
        leg
        for leg in legs
        if begin <= _first(leg) <= end and _known(leg, call.now) and _guessed(leg, leg.flight.service.origin)
    )


def _at_airport(call: Call) -> tuple[int, int, Airport | None]:
    code = required(call.params, "airport")
    begin, end = _interval(call, OF_ONE)
    # The vendor keeps flights by the day, and looks into two days at most.
    if moment(end).date() - moment(begin).date() > timedelta(days=1):
        raise Refusal(400, "The interval must not touch more than two days (UTC)")
    call.pay("flights", history_cost(moment(begin), moment(end), call.now))
    return begin, end, _by_icao().get(code.upper())


def _interval(call: Call, longest: timedelta) -> tuple[int, int]:
    begin, end = second(call.params, "begin"), second(call.params, "end")
    if end < begin:
        raise Refusal(400, "begin must lie before end")
    if end - begin > longest.total_seconds():
        raise Refusal(400, f"The interval must not be longer than {longest.total_seconds() / 3600:.0f} hours")
    return begin, end


def _first(leg: Leg) -> int:
    """Nobody hears an aircraft before it has left the ground for a moment."""
    return int(leg.move.departure.timestamp()) + zlib.crc32(leg.flight.key.encode()) % 90


def _last(leg: Leg) -> int:
    return int(leg.move.arrival.timestamp()) - zlib.crc32(leg.flight.key.encode()) % 70


def _known(leg: Leg, now: datetime) -> bool:
    """A program that runs at night puts flights together: those of today are not known yet."""
    return leg.move.arrival < datetime.combine(now.date(), time(), UTC)


def _answer(legs: Iterable[Leg]) -> Answer:
    found: list[Json] = [_flight(leg) for leg in legs]
    return json_answer(found) if found else nothing_found()


def _flight(leg: Leg) -> Json:
    seen, origin, goal = look(leg.flight), leg.flight.service.origin, leg.goal
    began, ended = _guessed(leg, origin), _guessed(leg, goal)
    luck = zlib.crc32(leg.flight.key.encode())
    return {
        "icao24": seen.address,
        "firstSeen": _first(leg),
        "estDepartureAirport": began,
        "lastSeen": _last(leg),
        "estArrivalAirport": ended,
        "callsign": seen.callsign,
        "estDepartureAirportHorizDistance": 300 + luck % 4000 if began else None,
        "estDepartureAirportVertDistance": luck % 300 if began else None,
        "estArrivalAirportHorizDistance": 200 + luck % 6000 if ended else None,
        "estArrivalAirportVertDistance": luck % 500 if ended else None,
        "departureAirportCandidatesCount": 1 + luck % 4 if began else 0,
        "arrivalAirportCandidatesCount": 1 + luck % 6 if ended else 0,
    }


def _guessed(leg: Leg, place: Airport) -> str | None:
    """The airport's ICAO code; nobody knows where a flight went that was last heard high up."""
    ordered = leg.flight.service.line.only is not None
    if not ordered and one_in(UNGUESSED, "guess", leg.flight.key, place.iata):
        return None
    return place.icao or None


@cache
def _by_icao() -> dict[str, Airport]:
    return {place.icao: place for place in airports().values() if place.icao}
