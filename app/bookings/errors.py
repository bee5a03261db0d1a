"""What bookings can refuse."""

from app.core.errors import Conflict, NotFound, TooManyRequests, Unprocessable


class BookingNotFound(NotFound):
    code = "booking_not_found"
    title = "There is no booking with this reference for you"


class TooManyHolds(TooManyRequests):
    code = "too_many_holds"
    title = "You hold as many unpaid bookings as you may"


class PassengersMismatch(Unprocessable):
    code = "passengers_mismatch"
    title = "The passengers are not those the offer was made for"


class InfantWithoutAdult(Unprocessable):
    code = "infant_without_adult"
    title = "Each infant travels on the lap of an adult of its own"


class TooManyPassengers(Unprocessable):
    code = "too_many_passengers"
    title = "A booking is for nine passengers with a seat at most"


class TooManyInfants(Unprocessable):
    code = "too_many_infants"
    title = "There are more infants than adults to carry them"


class InfantTurnsTwo(Unprocessable):
    code = "infant_turns_two"
    title = "An infant that turns two during the trip travels as a child"


class UnaccompaniedMinor(Unprocessable):
    code = "unaccompanied_minor"
    title = "Children travel with an adult"


class DuplicatePassenger(Unprocessable):
    code = "duplicate_passenger"
    title = "The same passenger is named twice"


class InvalidName(Unprocessable):
    code = "invalid_name"
    title = "A name cannot be printed on a ticket"


class HoldExpired(Conflict):
    code = "hold_expired"
    title = "The hold has run out"


class BookingClosed(Conflict):
    code = "booking_closed"
    title = "The booking's state does not allow this"


class QuoteNotFound(NotFound):
    code = "quote_not_found"
    title = "The booking has no such quote"


class QuoteExpired(Conflict):
    code = "quote_expired"
    title = "The quote has run out; ask for another"


class QuoteSuperseded(Conflict):
    code = "quote_superseded"
    title = "A newer quote or a change has taken this quote's place"


class NothingToCancel(Unprocessable):
    code = "nothing_to_cancel"
    title = "There is nothing of this left to cancel"


class NotInBooking(Unprocessable):
    code = "not_in_booking"
    title = "The booking has no such passenger or flight"


class ChangeNotAllowed(Conflict):
    code = "change_not_allowed"
    title = "The fare or the state of the trip does not allow this change"


class PaymentRequired(Unprocessable):
    code = "payment_required"
    title = "Something is to be paid; send a payment method"


class AirlineChangeNotFound(NotFound):
    code = "airline_change_not_found"
    title = "The booking has no such change that waits for an answer"


class OptionNotOffered(Conflict):
    code = "option_not_offered"
    title = "This answer is not among the options"


class GuestLinkNotFound(NotFound):
    code = "guest_link_not_found"
    title = "The link has been used, has expired or never was"


class DuplicateTrip(Conflict):
    code = "duplicate_trip"
    title = "You have booked this passenger on this flight already"


class DocumentExpires(Unprocessable):
    code = "document_expires"
    title = "A travel document expires before the trip ends"


class InvalidService(Unprocessable):
    code = "invalid_service"
    title = "A special service cannot be asked for like this"


class UnknownEvent(Unprocessable):
    code = "unknown_event"
    title = "No stream of this booking can go on from that event"


class TooManyEventStreams(TooManyRequests):
    code = "too_many_event_streams"
    title = "As many streams of bookings are open as may be"
