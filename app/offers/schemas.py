"""What offers and calendars look like on the wire."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from app.flights.schemas import Stop
from app.offers.questions import Cabin


class MoneyOut(BaseModel):
    amount: str = Field(examples=["512.40"])
    currency: str = Field(examples=["USD"])


class TaxLineOut(BaseModel):
    code: str = Field(examples=["GB"])
    name: str
    amount: MoneyOut


class PassengerPriceOut(BaseModel):
    """All passengers of one type together; `tax_lines` add up to `taxes`."""

    type: Literal["adult", "child", "infant"]
    count: int
    base: MoneyOut
    taxes: MoneyOut
    tax_lines: list[TaxLineOut]


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
    codeshares: list[str] = Field(description="Other flight numbers under which this flight is sold.")
    origin: SegmentStop
    destination: SegmentStop
    departing_at: AwareDatetime
    arriving_at: AwareDatetime
    duration: str = Field(examples=["PT7H5M"])
    aircraft: str | None


class LayoverOut(BaseModel):
    """The time between two flights."""

    airport: str
    leaves_from: str = Field(description="Another airport of the city if `airport_change`.")
    duration: str
    overnight: bool
    airport_change: bool
    terminal_change: bool


class SliceOut(BaseModel):
    origin: str
    destination: str
    duration: str
    connections: int
    arrival_day_offset: int = Field(description="Calendar days between departure and arrival, both local.")
    overnight: bool = Field(description="A flight or a layover lasts past midnight.")
    booking_class: str | None = Field(examples=["K"])
    segments: list[SegmentOut]
    layovers: list[LayoverOut]


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


class RefreshedOffer(OfferOut):
    available: bool = Field(description="There are seats for all passengers of the offer.")
    price_changed: bool
    previous_total: MoneyOut


class ExchangeRateOut(BaseModel):
    """One unit of `base` is `rate` units of `currency`."""

    base: str
    currency: str
    rate: str = Field(examples=["0.92"])
    as_of: date
    source: str


class FacetOut(BaseModel):
    value: str
    count: int
    lowest_price: MoneyOut


class AirlineFacetOut(FacetOut):
    name: str


class BrandFacetOut(BaseModel):
    value: str
    count: int


class PriceRangeOut(BaseModel):
    lowest: MoneyOut
    highest: MoneyOut


class DurationRangeOut(BaseModel):
    shortest: int
    longest: int


class FacetsOut(BaseModel):
    """Counts of the answer's offers, over all pages, by what they have in common."""

    airlines: list[AirlineFacetOut]
    alliances: list[FacetOut]
    connections: list[FacetOut] = Field(description="Most connections of any slice.")
    connecting_airports: list[FacetOut]
    departure_times: list[FacetOut] = Field(description="Of the first slice, in quarters of the day.")
    fare_brands: list[BrandFacetOut]
    refundable: int
    with_bag: int
    price: PriceRangeOut | None
    duration_minutes: DurationRangeOut | None


class SearchMeta(BaseModel):
    total: int = Field(description="Offers over all pages, at most 1000.")
    source: str
    fetched_at: AwareDatetime
    stale: bool
    projected: bool = Field(
        description="Nobody has published a date of this search yet; a weekly pattern stands in."
    )
    facets: FacetsOut
    exchange_rate: ExchangeRateOut | None = Field(description="Null in the currency of the fares.")


class SearchAnswer(BaseModel):
    data: list[OfferOut]
    next_cursor: str | None
    meta: SearchMeta


class CalendarDay(BaseModel):
    departure_date: date
    return_date: date | None
    price: MoneyOut | None = Field(
        description="The lowest for all passengers; null where nothing is on sale."
    )
    airline: str | None
    connections: int | None = Field(description="Most connections of any slice.")
    projected: bool = Field(description="Worked out from the same weekday of another week.")


class CalendarMeta(BaseModel):
    source: str
    fetched_at: AwareDatetime
    stale: bool
    lowest: MoneyOut | None
    exchange_rate: ExchangeRateOut | None


class CalendarAnswer(BaseModel):
    data: list[CalendarDay]
    next_cursor: str | None
    meta: CalendarMeta
