"""Phones, each known by its token: what they were sent, and what of it is on their screens."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.world.times import iso

KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Received:
    name: str
    at: datetime
    message: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.message["token"])

    @property
    def tag(self) -> str | None:
        """What a newer message has to carry to take this one's place."""
        tag = self.message.get("android", {}).get("notification", {}).get("tag")
        return tag if isinstance(tag, str) else None

    def line(self) -> dict[str, Any]:
        notification = self.message.get("notification", {})
        return {
            "name": self.name,
            "at": iso(self.at),
            "title": notification.get("title"),
            "body": notification.get("body"),
            "data": self.message.get("data", {}),
            "message": {name: part for name, part in self.message.items() if name != "token"},
        }


class Phones:
    """Bounded: the oldest messages go first."""

    def __init__(self) -> None:
        self._received: deque[Received] = deque(maxlen=KEPT)
        self._last = 0

    def keep(self, project: str, at: datetime, message: dict[str, Any]) -> str:
        """The message's name, as the vendor gives it."""
        self._last += 1
        name = f"projects/{project}/messages/0:{self._last}"
        self._received.appendleft(Received(name, at, message))
        return name

    def shown(self, token: str | None = None) -> list[dict[str, Any]]:
        """Each phone with all that it was sent, newest first, and with what is still to be seen."""
        tokens = dict.fromkeys(one.token for one in self._received if token in {None, one.token})
        return [self._phone(one) for one in tokens]

    def clear(self) -> None:
        self._received.clear()

    def _phone(self, token: str) -> dict[str, Any]:
        received = [one for one in self._received if one.token == token]
        newest = {one.tag or one.name: one for one in reversed(received)}
        screen = [one for one in received if newest[one.tag or one.name] is one]
        return {
            "token": token,
            "screen": [one.line() for one in screen],
            "received": [one.line() for one in received],
        }
