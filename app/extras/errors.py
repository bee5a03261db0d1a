"""What extras can refuse."""

from app.core.errors import Conflict, Unprocessable


class ExtrasNotSold(Conflict):
    code = "extras_not_sold"
    title = "Seats and bags are not sold in this currency"


class BagNotAllowed(Unprocessable):
    code = "bag_not_allowed"
    title = "This piece of baggage is not carried"
