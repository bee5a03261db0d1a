"""What the airports can refuse."""

from app.core.errors import NotFound


class AirportNotFound(NotFound):
    code = "airport_not_found"
    title = "No airport or city has this IATA code"
