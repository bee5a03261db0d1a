"""What privacy can refuse."""

from app.core.errors import Conflict


class OpenTrips(Conflict):
    code = "open_trips"
    title = "Trips, payments or refunds are still open"
