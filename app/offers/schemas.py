"""What a search asks and what offers look like on the wire."""

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.flights.schemas import Stop

Cabin = Literal["economy", "premium_economy", "business", "first"]
Place = Annotated[str, StringConstraints(pattern="^[A-Za-z]{3}$", to_upper=True)]


class SearchQuery(BaseModel):
    """A flight search; the same question is always the same value, however it was written."""

    origin: Place = Field(description="IATA code of an airport or a city.", examples=["JFK"])
    destination: Place = Field(description="IATA code of an airport or a city.", examples=["LHR"])
    departure_date: date = Field(description="Local date at the origin.")
    return_date: date | None = Field(
        default=None, description="Local date at the destination; makes it a return trip."
    )
    adults: int = Field(default=1, ge=1, le=9, description="12 years and older.")
    children: int = Field(default=0, ge=0, le=8, description="2 to 11 years.")
    infants: int = Field(default=0, ge=0, le=9, description="Under 2, on an adult's lap.")
    cabin: Cabin = "economy"
    max_connections: int = Field(default=1, ge=0, le=2, description="Direct flights are offered at present.")
    airlines: Annotated[
        str | None, StringConstraints(pattern="^[A-Za-z0-9]{2}(,[A-Za-z0-9]{2}){0,19}$", to_upper=True)
    ] = Field(
        default=None,
        description="Only these airlines, as a comma-separated list of IATA designators.",
        examples=["ZZ"],
    )
    max_price: Annotated[str | None, StringConstraints(pattern=r"^\d{1,9}(\.\d{1,3})?$")] = Field(
        default=None,
        description="The most that all passengers together may cost, in the answer's currency.",
        examples=["1500"],
    )
    departure_after: time | None = Field(
        default=None, description="`HH:MM`, local time of the first departure."
    )
    departure_before: time | None = Field(
        default=None, description="`HH:MM`, local time of the first departure."
    )
    sort: Literal["best", "price", "duration", "departure"] = Field(
        default="best",
        description="`best`: the price as a multiple of the cheapest, plus half the duration as a multiple of the "
        "shortest, plus a tenth for leaving between 22:00 and 06:00; the smallest first.",
    )
    currency: Annotated[str, StringConstraints(pattern="^[A-Za-z]{3}$", to_upper=True)] = Field(
        default="USD", description="ISO 4217."
    )
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=200)

    @field_validator(
        "destination", "return_date", "children", "infants", "departure_after", "departure_before"
    )
    @classmethod
    def _possible(cls, value: Any, info: ValidationInfo) -> Any:
        """Each parameter against those before it, so that the refusal names the one to change."""
        name, known = info.field_name, info.data
        if name == "destination" and value == known.get("origin"):
            raise PydanticCustomError("same_place", "Origin and destination are the same")
        if name == "return_date" and value and value < known.get("departure_date", value):
            raise PydanticCustomError("return_before_departure", "return_date is before departure_date")
        if name == "children" and value + known.get("adults", 0) > 9:
            raise PydanticCustomError("too_many_passengers", "At most nine passengers with a seat")
        if name == "infants" and value > known.get("adults", value):
            raise PydanticCustomError("infant_without_adult", "Each infant needs an adult's lap")
        if isinstance(value, time) and value.tzinfo:
            raise PydanticCustomError("local_time", "Local time, without an offset")
        return value

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.adults, self.children, self.infants

    @property
    def seats(self) -> int:
        return self.adults + self.children


class MoneyOut(BaseModel):
    amount: str = Field(examples=["512.40"])
    currency: str = Field(examples=["USD"])


class PassengerPriceOut(BaseModel):
    type: Literal["adult", "child", "infant"]
    count: int
    base: MoneyOut
    taxes: MoneyOut


class PriceOut(BaseModel):
    total: MoneyOut
    base: MoneyOut
    taxes: MoneyOut
    passengers: list[PassengerPriceOut]


class ConditionOut(BaseModel):
    allowed: bool
    fee: MoneyOut | None


class ConditionsOut(BaseModel):
    change: ConditionOut
    refund: ConditionOut


class BaggageOut(BaseModel):
    carry_on: int
    checked: int


class SegmentStop(Stop):
    terminal: str | None


class SegmentOut(BaseModel):
    flight_id: str
    flight_number: str
    marketing_carrier: str
    operating_carrier: str
    operated_by: str
    origin: SegmentStop
    destination: SegmentStop
    departing_at: AwareDatetime
    arriving_at: AwareDatetime
    duration: str = Field(examples=["PT7H5M"])
    aircraft: str | None


class SliceOut(BaseModel):
    origin: str
    destination: str
    duration: str
    connections: int
    arrival_day_offset: int = Field(description="Calendar days between departure and arrival, both local.")
    segments: list[SegmentOut]


class OfferOut(BaseModel):
    id: str = Field(description="Give this to `POST /bookings`.")
    expires_at: AwareDatetime
    price: PriceOut
    cabin: Cabin
    fare_brand: str
    conditions: ConditionsOut
    baggage: BaggageOut
    seats_left: int
    slices: list[SliceOut]


class SearchMeta(BaseModel):
    total: int
    source: str
    fetched_at: AwareDatetime
    stale: bool
    projected: bool = Field(
        description="Nobody has published a date of this search yet; a weekly pattern stands in."
    )


class SearchAnswer(BaseModel):
    data: list[OfferOut]
    next_cursor: str | None
    meta: SearchMeta
