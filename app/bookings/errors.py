"""What bookings can refuse."""

from app.core.errors import NotFound, Unprocessable


class BookingNotFound(NotFound):
    code = "booking_not_found"
    title = "You have no booking with this reference"


class PassengersMismatch(Unprocessable):
    code = "passengers_mismatch"
    title = "The passengers are not those the offer was made for"


class InfantWithoutAdult(Unprocessable):
    code = "infant_without_adult"
    title = "Each infant travels on the lap of an adult of its own"


class DuplicatePassenger(Unprocessable):
    code = "duplicate_passenger"
    title = "The same passenger is named twice"


class InvalidName(Unprocessable):
    code = "invalid_name"
    title = "A name cannot be printed on a ticket"


class PaymentNotOffered(Unprocessable):
    code = "payment_not_offered"
    title = "This installation takes no payments; leave `payment` out to hold the seats"
