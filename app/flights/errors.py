"""What flights can refuse."""

from app.core.errors import Conflict, NotFound, Unavailable


class FlightNotFound(NotFound):
    code = "flight_not_found"
    title = "No such flight"


class ProviderUnavailable(Unavailable):
    code = "provider_unavailable"
    title = "The flight data provider does not answer and nothing is known yet"


class FlightOver(Conflict):
    code = "flight_over"
    title = "The flight is over or will not be flown; there will be no news of it"


class TooManyFollowed(Conflict):
    code = "too_many_followed"
    title = "You follow as many flights as anybody can"
