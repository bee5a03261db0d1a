"""What notifications can refuse."""

from app.core.errors import Conflict, NotFound, Unprocessable


class DeviceNotFound(NotFound):
    code = "device_not_found"
    title = "You have no such device"


class TooManyDevices(Conflict):
    code = "too_many_devices"
    title = "Your account has as many devices as it can; remove one first"


class NotificationRequired(Unprocessable):
    code = "notification_required"
    title = "These mails are part of the contract and cannot be switched off"


class UnsubscribeLinkInvalid(NotFound):
    code = "unsubscribe_link_invalid"
    title = "This link is not one of ours"
