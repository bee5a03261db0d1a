"""What a booking asks for and what it looks like."""

from datetime import date
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    field_validator,
)

from app.core.text import line
from app.offers.questions import Cabin
from app.offers.schemas import BaggageOut, ConditionsOut, PriceOut, SegmentStop, SliceOut

PassengerType = Literal["adult", "child", "infant"]
Status = Literal["held", "confirmed", "cancelled", "expired", "completed"]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True), AfterValidator(line)
]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PassengerIn(Strict):
    type: PassengerType
    title: Literal["mr", "ms", "mrs", "miss", "mx", "dr"] | None = None
    given_name: Name = Field(description="As in the passport, in any script.", examples=["Ada"])
    family_name: Name = Field(description="As in the passport, in any script.", examples=["Lovelace"])
    born_on: date = Field(examples=["1990-12-10"])
    gender: Literal["f", "m", "x"] | None = None
    infant_of: Annotated[int, Field(ge=0, le=17)] | None = Field(
        default=None, description="For an infant: the index of the adult who carries it."
    )


class Contact(Strict):
    email: Annotated[EmailStr, Field(max_length=254, examples=["ada@example.com"])]
    phone: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{5,14}$")] | None = Field(
        default=None, description="E.164.", examples=["+441632960000"]
    )


class PaymentIn(Strict):
    payment_method: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class BookingIn(Strict):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "offer_id": "the id of an offer from a search",
                    "passengers": [
                        {
                            "type": "adult",
                            "given_name": "Ada",
                            "family_name": "Lovelace",
                            "born_on": "1990-12-10",
                        }
                    ],
                    "contact": {"email": "ada@example.com", "phone": "+441632960000"},
                }
            ]
        }
    )

    offer_id: Annotated[str, Field(max_length=512, description="`id` of an offer from a search.")]
    passengers: Annotated[list[PassengerIn], Field(min_length=1, max_length=18)]
    contact: Contact
    payment: PaymentIn | None = None


class PassengerOut(BaseModel):
    type: PassengerType
    title: str | None
    given_name: str
    family_name: str
    born_on: date
    gender: str | None
    infant_of: int | None
    ticket_name: str = Field(description="The name as it is printed on a ticket.")
    ticket_number: str | None


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
    slices: list[SliceOut]
    contact: ContactOut
    hold_expires_at: AwareDatetime | None
    schedule_changes: list[ScheduleChangeOut] = Field(description="Oldest first.")
    payments: list[dict[str, object]]
    available_actions: list[str]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class BookingList(BaseModel):
    data: list[BookingOut]
    next_cursor: str | None


class GuestLookup(Strict):
    pnr: Annotated[
        str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True, to_upper=True)
    ] = Field(examples=["K7QX2M"])
    family_name: Name = Field(
        description="Of any of the travellers; case and accents do not matter.", examples=["Lovelace"]
    )

    @field_validator("pnr")
    @classmethod
    def _printable(cls, pnr: str) -> str:
        return line(pnr)


class GuestToken(Strict):
    token: Annotated[str, Field(max_length=100, description="From the link, behind `#token=`.")]


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
