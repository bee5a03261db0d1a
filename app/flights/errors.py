"""What flights can refuse."""

from app.core.errors import NotFound, Unavailable


class FlightNotFound(NotFound):
    code = "flight_not_found"
    title = "No such flight"


class ProviderUnavailable(Unavailable):
    code = "provider_unavailable"
    title = "The flight data provider does not answer and nothing is known yet"
