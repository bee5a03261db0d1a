"""The card processor as a port: authorise, look, capture, cancel, refund.

Every call carries a name of ours that is the same for each repetition, so that repeating a call whose answer was
lost never charges twice.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from app.providers.base import ProviderError

# What the processor says of a payment.
State = Literal["requires_action", "processing", "authorised", "captured", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class Charge:
    """A payment as the processor has it. Amounts are minor units by ISO 4217, whatever the processor counts in.

    `secret` and `action_url` are for the traveller's own device, to prove who they are.
    """

    intent: str
    state: State
    amount: int
    currency: str
    brand: str | None = None
    last4: str | None = None
    fee: int | None = None
    fee_currency: str | None = None
    secret: str | None = None
    action_url: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Repayment:
    """A refund as the processor has it."""

    reference: str
    state: Literal["pending", "succeeded", "failed"]
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A payment that was begun at the processor under a name, with the words that were to describe it."""

    name: str | None
    description: str
    charge: Charge
    refunded: int


@dataclass(frozen=True, slots=True)
class BookLine:
    """A line of the processor's own books; `intent` and `refund` say what it is about, `name` is ours for a refund."""

    kind: Literal["charge", "refund", "other"]
    reference: str
    intent: str | None
    refund: str | None
    amount: int
    fee: int
    currency: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A verified message of the processor's."""

    id: str
    type: str
    object_id: str
    intent: str | None
    refund: str | None
    payment: str | None


class CardUnreachable(ProviderError):
    """Nobody knows whether the processor acted: ask again under the same name."""


class CardRefused(ProviderError):
    """The processor will not do this, now or later; nothing has happened."""


class BadSignature(Exception):
    """A message that the processor did not sign, or too long ago."""


class Cards(Protocol):
    """Each call raises CardUnreachable, or CardRefused where it is wrong in itself."""

    async def authorise(
        self,
        name: str,
        *,
        amount: int,
        currency: str,
        method: str,
        description: str,
        return_url: str | None,
        first_asked_at: datetime,
    ) -> Charge: ...

    async def look(self, intent: str) -> Charge: ...

    async def capture(self, name: str, intent: str) -> Charge: ...

    async def cancel(self, name: str, intent: str) -> Charge: ...

    async def refund(
        self, name: str, intent: str, *, amount: int, currency: str, reference: str | None
    ) -> Repayment: ...

    def books(self, start: datetime, end: datetime) -> AsyncIterator[BookLine]: ...

    def made(self, since: datetime) -> AsyncIterator[Made]: ...

    def message(self, body: bytes, signature: str) -> Message:
        """Raises BadSignature."""
        ...
