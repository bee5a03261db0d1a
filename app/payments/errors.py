"""What payments can refuse."""

from app.core.errors import AppError, BadRequest, Conflict, NotFound, TooManyRequests, Unprocessable


class PaymentDeclined(AppError):
    status = 402
    code = "payment_declined"
    title = "The card was declined"


class PaymentNotOffered(Unprocessable):
    code = "payment_not_offered"
    title = "This installation takes no payments; leave `payment` out to hold the seats"


class PaymentInProgress(Conflict):
    code = "payment_in_progress"
    title = "A payment of this booking is under way"
    retryable = True


class AlreadyPaid(Conflict):
    code = "already_paid"
    title = "The booking is paid"


class TooManyAttempts(Conflict):
    code = "too_many_attempts"
    title = "Too many payments of this booking have failed"


class TooManyFailedPayments(TooManyRequests):
    code = "too_many_failed_payments"
    title = "Too many of your payments have failed"


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    title = "The booking has no such payment"


class SignatureInvalid(BadRequest):
    code = "signature_invalid"
    title = "The message is not signed by the card processor"
