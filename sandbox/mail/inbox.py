"""The mails that arrived, newest first, as a reader's program would take them apart."""

from __future__ import annotations

import base64
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from typing import Any, cast

from sandbox.world.times import iso

KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Mail:
    """One message and the envelope it came in."""

    id: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return BytesParser(policy=SMTP).parsebytes(self.raw)

    def line(self) -> dict[str, Any]:
        """What a list shows of it."""
        message = self.message
        return {
            "id": self.id,
            "at": iso(self.at),
            "from": self.sender,
            "to": list(self.recipients),
            "subject": str(message["Subject"] or ""),
            "message_id": str(message["Message-ID"] or ""),
        }

    def whole(self) -> dict[str, Any]:
        """Headers, both bodies, and what is attached, as base64."""
        message = self.message
        attached = [
            {
                "name": part.get_filename(),
                "media_type": part.get_content_type(),
                "content": base64.b64encode(cast(bytes, part.get_payload(decode=True) or b"")).decode(),
            }
            for part in message.iter_attachments()
        ]
        headers = [[name, str(value)] for name, value in message.items()]
        bodies = {"text": self._body("plain"), "html": self._body("html")}
        return {**self.line(), "headers": headers, **bodies, "attachments": attached}

    def _body(self, kind: str) -> str | None:
        part = self.message.get_body((kind,))
        return None if part is None else str(part.get_content())


class Inbox:
    """Bounded: the oldest mails go first."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=KEPT)
        self._last = 0

    def keep(self, at: datetime, sender: str, recipients: list[str], raw: bytes) -> None:
        self._last += 1
        self._mails.appendleft(Mail(self._last, at, sender, tuple(recipients), raw))

    def to(self, recipient: str | None = None) -> list[Mail]:
        """Those for one address, or all."""
        wanted = recipient and recipient.casefold()
        return [mail for mail in self._mails if not wanted or wanted in map(str.casefold, mail.recipients)]

    def one(self, number: int) -> Mail:
        """Raises LookupError."""
        for mail in self._mails:
            if mail.id == number:
                return mail
        raise LookupError(f"mail {number}")

    def clear(self) -> None:
        self._mails.clear()
