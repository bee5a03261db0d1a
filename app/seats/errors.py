"""What choosing a seat can refuse."""

from app.core.errors import Conflict, Unprocessable


class SeatTaken(Conflict):
    """Carries `seats`, those that cannot be had."""

    code = "seat_taken"
    title = "Somebody else has this seat"


class SeatNotFound(Unprocessable):
    code = "seat_not_found"
    title = "The aircraft has no such seat"


class SeatNotAllowed(Unprocessable):
    code = "seat_not_allowed"
    title = "This traveller may not have this seat"
