"""What crews enter as their callsign, which is not always the flight number behind the airline's designator."""

from __future__ import annotations

from sandbox.chance import one_in
from sandbox.world.services import Flight

# These airlines fly under letters and digits that nobody can work out from the flight number, as many do
# whose flights have numbers that sound alike on the radio.
ALPHANUMERIC = frozenset({"K0", "U0"})
FORGOTTEN = 90
# No I and no O, which are read as digits. The factor shares no divisor with the number of callsigns, so
# that two flight numbers never get the same one.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = 99
FACTOR = 7919


def callsign(flight: Flight) -> str:
    """What the aircraft sends; empty when the crew forgot to enter it."""
    service = flight.service
    if service.callsign is not None:
        return service.callsign
    # A flight made to order has no odd habits, so that a test gets what it ordered.
    if service.line.only is None and one_in(FORGOTTEN, "callsign", flight.key):
        return ""
    if service.airline.iata in ALPHANUMERIC:
        return service.airline.icao + _unlike(service.number)
    return by_number(flight)


def by_number(flight: Flight) -> str:
    """What anybody would expect."""
    return flight.service.airline.icao + flight.service.number


def derivable(flight: Flight) -> bool:
    """Whether the callsign follows from the flight number."""
    return callsign(flight) == by_number(flight)


def _unlike(number: str) -> str:
    """One or two digits and two letters: `1KQ`, `42XB`."""
    place = int(number.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) * FACTOR % (DIGITS * len(LETTERS) ** 2)
    digits, letters = divmod(place, len(LETTERS) ** 2)
    first, second = divmod(letters, len(LETTERS))
    return f"{digits + 1}{LETTERS[first]}{LETTERS[second]}"
