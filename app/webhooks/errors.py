"""What webhooks refuse."""

from app.core.errors import Conflict, NotFound, Unprocessable


class SubscriptionNotFound(NotFound):
    code = "subscription_not_found"
    title = "No such subscription of yours"


class DeliveryNotFound(NotFound):
    code = "delivery_not_found"
    title = "No such delivery of yours"


class TooManySubscriptions(Conflict):
    code = "too_many_subscriptions"
    title = "An account may have no more subscriptions"


class TooManySecrets(Conflict):
    code = "too_many_secrets"
    title = "Former secrets of this subscription still sign"


class SubscriptionNotActive(Conflict):
    code = "subscription_not_active"
    title = "Nothing is sent to this subscription at the moment"


class DeliveryInProgress(Conflict):
    code = "delivery_in_progress"
    title = "This delivery is being sent now"
    retryable = True


class URLNotAllowed(Unprocessable):
    code = "url_not_allowed"
    title = "Webhooks are not sent to this URL"
