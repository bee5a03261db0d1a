"""What payments look like on the wire."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from app.offers.schemas import MoneyOut

PaymentStatus = Literal["processing", "requires_action", "authorised", "captured", "failed", "cancelled"]


class CardOut(BaseModel):
    brand: str | None = Field(examples=["visa"])
    last4: str | None = Field(examples=["4242"])


class NextActionOut(BaseModel):
    """How the traveller proves who they are: by the processor's SDK with the secret, or in a browser at the URL."""

    client_secret: str | None
    url: str | None


class PaymentOut(BaseModel):
    id: str = Field(examples=["pay_0c9f5a5d7b114a349d6e3f0c6a1e6f0b"])
    purpose: Literal["purchase", "change", "extras"]
    status: PaymentStatus = Field(
        description="`processing` and `authorised`: not known yet, and found out without you. `captured`: paid."
    )
    amount: MoneyOut
    refunded: MoneyOut
    card: CardOut | None
    failure: str | None = Field(description="Why it failed, in the processor's or our own word.")
    next_action: NextActionOut | None
    created_at: AwareDatetime
    captured_at: AwareDatetime | None


class RefundOut(BaseModel):
    id: str
    payment_id: str
    status: Literal["pending", "succeeded", "failed"]
    amount: MoneyOut
    reason: str
    due_on: date = Field(description="The last day on which it may be on its way, by the rule in `due_rule`.")
    due_rule: str | None
    created_at: AwareDatetime
    succeeded_at: AwareDatetime | None


class DifferenceOut(BaseModel):
    kind: str = Field(
        description="`missing_here`, `missing_there`, `amount_differs` or `currency_differs`, of a charge or a refund."
    )
    what: Literal["charge", "refund"]
    reference: str
    ours: MoneyOut | None
    theirs: MoneyOut | None


class ReconciliationOut(BaseModel):
    day: date
    charges: int = Field(description="How many the processor has.")
    refunds: int
    differences: list[DifferenceOut]
    checked_at: AwareDatetime


class ReconciliationList(BaseModel):
    data: list[ReconciliationOut]
    next_cursor: str | None
