"""What the airlines can refuse."""

from app.core.errors import NotFound


class AirlineNotFound(NotFound):
    code = "airline_not_found"
    title = "No airline has this designator"
