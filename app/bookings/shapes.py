"""What bookings look like on the wire."""

from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from app.bookings.schemas import PassengerType, Status
from app.offers.questions import Cabin
from app.offers.schemas import BaggageOut, ConditionsOut, MoneyOut, PriceOut, SegmentStop, SliceOut
from app.payments.schemas import PaymentOut, RefundOut


class SeatOut(BaseModel):
    flight_id: str
    seat: str


class CouponOut(BaseModel):
    number: int
    slice: int
    flight_id: str
    status: str = Field(
        description="IATA's letter: O open, C checked in, F flown, R refunded, V void, E exchanged, …"
    )


class TicketOut(BaseModel):
    number: str = Field(examples=["0000000000001"])
    check_digit: int
    issued_at: AwareDatetime
    coupons: list[CouponOut]


class DocumentOut(BaseModel):
    type: str
    number: str = Field(description="Masked.", examples=["••••6147"])
    issuing_country: str
    nationality: str | None
    expires_on: date


class LoyaltyOut(BaseModel):
    airline: str
    number: str


class ServiceOut(BaseModel):
    code: str = Field(examples=["VGML"])
    name: str
    kind: str = Field(description="`meal`, `assistance`, `pet` or `other`.")
    segments: list[str] = Field(description="The `flight_id` of each flight it is for.")
    text: str | None


class PassengerOut(BaseModel):
    type: PassengerType
    title: str | None
    given_name: str | None
    family_name: str
    born_on: date
    gender: str | None
    infant_of: int | None
    ticket_name: str = Field(description="The name as it is printed on a ticket.", examples=["LOVELACE/ADA"])
    ticket_number: str | None = Field(description="Of the ticket that is good now, or was last.")
    tickets: list[TicketOut] = Field(description="Every ticket that was issued, the oldest first.")
    seats: list[SeatOut]
    status: Literal["active", "cancelled"]
    document: DocumentOut | None
    loyalty: list[LoyaltyOut]
    services: list[ServiceOut]


class BookedSlice(SliceOut):
    index: int = Field(
        description="Names the slice for as long as the booking lives; a change gives new ones."
    )


class ExtraOut(BaseModel):
    kind: Literal["seat", "bag"]
    passenger: int
    slice: int
    flight_id: str | None
    seat: str | None
    quantity: int
    amount: MoneyOut
    status: Literal["pending", "paid"]


class AirlineChangeOut(BaseModel):
    """A change of the airline's that the traveller may answer; silence is taken as the answer at the deadline."""

    id: str
    flight_id: str
    slice: int
    materiality: str
    before: dict[str, str]
    after: dict[str, str]
    options: list[Literal["accept", "rebook", "refund"]]
    status: Literal["open", "accepted", "rebooked", "refunded", "superseded"]
    deadline: AwareDatetime
    passenger_rights: list[dict[str, Any]] = Field(
        description="What travellers may have a right to by which rule: advice, not a promise."
    )
    created_at: AwareDatetime


class CancellationTerms(BaseModel):
    """Until when the booking can be cancelled for nothing, as agreed at purchase, and by which rule."""

    free_until: AwareDatetime | None
    free_rule: str | None
    void_until: AwareDatetime | None


class ContactOut(BaseModel):
    email: str
    phone: str | None


class ScheduleChangeOut(BaseModel):
    """A change of a flight after it was booked. `after` has a `status` where the flight will not fly."""

    flight_id: str
    materiality: str = Field(
        description="`notable`, `material`, `significant`, `cancelled`, `withdrawn` or `reinstated`."
    )
    before: dict[str, str]
    after: dict[str, str]
    at: AwareDatetime


class BookingOut(BaseModel):
    pnr: str = Field(examples=["K7QX2M"])
    status: Status
    price: PriceOut
    cabin: Cabin
    fare_brand: str
    conditions: ConditionsOut
    baggage: BaggageOut
    passengers: list[PassengerOut]
    slices: list[BookedSlice]
    contact: ContactOut
    hold_expires_at: AwareDatetime | None
    price_guaranteed_until: AwareDatetime | None
    amount_due: MoneyOut = Field(description="What paying the hold takes: the price and the extras.")
    extras: list[ExtraOut]
    cancellation: CancellationTerms
    schedule_changes: list[ScheduleChangeOut] = Field(description="Oldest first.")
    airline_changes: list[AirlineChangeOut]
    payments: list[PaymentOut]
    refunds: list[RefundOut]
    available_actions: list[str]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class RefundLine(BaseModel):
    passenger: int
    kind: Literal["fare", "tax", "seat", "bag"]
    code: str | None
    name: str | None
    paid: MoneyOut
    refund: MoneyOut
    penalty: MoneyOut


class CancellationQuoteOut(BaseModel):
    id: str
    refund: MoneyOut
    penalty: MoneyOut
    reason: str = Field(
        description="By what it is refunded: `hold`, `free_cancellation`, `void`, `fare_rules` or `airline_change`."
    )
    passengers: list[int]
    slices: list[int]
    lines: list[RefundLine]
    expires_at: AwareDatetime


class OperatorCancellationOut(CancellationQuoteOut):
    """What was cancelled, and what goes back because of it."""

    pnr: str
    status: str
    why: str


class ChangeLine(BaseModel):
    kind: Literal["new_flights", "old_flights", "old_seats", "change_fee", "not_refundable"]
    amount: MoneyOut


class ChangeQuoteOut(BaseModel):
    id: str
    reason: str
    slices: list[int]
    fare_difference: MoneyOut
    fee: MoneyOut
    amount_due: MoneyOut
    refund: MoneyOut
    lines: list[ChangeLine]
    expires_at: AwareDatetime


class TimelineStep(BaseModel):
    sequence: int
    type: str
    status: Status
    data: dict[str, Any] | None
    at: AwareDatetime


class Timeline(BaseModel):
    data: list[TimelineStep]


class BookingList(BaseModel):
    data: list[BookingOut]
    next_cursor: str | None


class MaskedPassenger(BaseModel):
    initials: str = Field(examples=["A. L."])


class MaskedSegment(BaseModel):
    flight_number: str
    operated_by: str
    origin: SegmentStop
    destination: SegmentStop
    departing_at: AwareDatetime
    arriving_at: AwareDatetime
    duration: str


class MaskedSlice(BaseModel):
    origin: str
    destination: str
    duration: str
    connections: int
    segments: list[MaskedSegment]


class MaskedBooking(BaseModel):
    """What a reference and a name show: no contact, no price, no documents, nothing that can be done."""

    pnr: str
    status: Status
    passengers: list[MaskedPassenger]
    slices: list[MaskedSlice]


class GuestLinkAsked(BaseModel):
    message: str


class GuestBooking(BaseModel):
    booking: BookingOut
    guest_token: str = Field(description="A bearer token for reading this booking.")
    expires_in: int = Field(description="Seconds until the guest token expires.")
