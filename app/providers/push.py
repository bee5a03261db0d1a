"""The push service as a port: one message to one installation of the app."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.providers.base import ProviderError


@dataclass(frozen=True, slots=True)
class PushMessage:
    """What a screen shows, and what the app is told with it.

    `subject` names what the message is about: a newer one takes the place of an older one of the same subject, on its
    way as well as on the screen. After `until` it is worth nothing.
    """

    title: str
    body: str
    subject: str
    until: datetime
    data: dict[str, str] = field(default_factory=dict)


class PushRefused(ProviderError):
    """This message will never be taken."""


class DeviceGone(ProviderError):
    """The token is nobody's any more: the app was removed, or has another one."""


class PushDelayed(ProviderError):
    """This message was not taken, or nobody said so; the next one may be."""


class PushUnreachable(ProviderError):
    """No message would fare better now, nor before `retry_after_seconds` are over."""


class Pushes(Protocol):
    """Whoever brings messages to phones."""

    async def send(self, token: str, message: PushMessage) -> None:
        """Raises PushRefused, DeviceGone, PushDelayed, PushUnreachable."""
        ...
