"""What tickets can refuse."""

from app.core.errors import Conflict


class CouponNotAllowed(Conflict):
    """`coupons` has those that stand in the way, each with its status."""

    code = "coupon_status_conflict"
    title = "A coupon's status does not allow this"


class CheckInNotOpen(Conflict):
    code = "check_in_not_open"
    title = "Check-in has not opened yet"


class NotCheckedIn(Conflict):
    code = "not_checked_in"
    title = "Nobody is checked in yet"


class CheckInClosed(Conflict):
    code = "check_in_closed"
    title = "Check-in has closed"
