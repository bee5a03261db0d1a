"""What boarding passes look like on the wire."""

from pydantic import AwareDatetime, BaseModel, Field

from app.bookings.schemas import PassengerType
from app.offers.questions import Cabin
from app.offers.schemas import SegmentStop


class AztecOut(BaseModel):
    png: str = Field(description="A `data:` URL, eight pixels to a module, with a white margin.")
    svg: str


class BoardingPassOut(BaseModel):
    pnr: str = Field(examples=["K7QX2M"])
    passenger: int = Field(description="The index in the booking's `passengers`.")
    name: str
    ticket_name: str = Field(examples=["LOVELACE/ADA"])
    type: PassengerType
    slice: int
    flight_id: str
    flight_number: str
    operated_by: str
    origin: SegmentStop
    destination: SegmentStop
    departing_at: AwareDatetime
    arriving_at: AwareDatetime
    boarding_at: AwareDatetime
    gate: str | None
    terminal: str | None
    seat: str | None = Field(description="Null for an infant on a lap, and where seats are free to choose.")
    sequence: int = Field(description="The flight's check-in number.")
    cabin: Cabin
    ticket_number: str
    coupon: int
    status: str = Field(description="The coupon's: C checked in, L boarded, F flown.")
    issued_at: AwareDatetime
    bcbp: str = Field(
        description="The barcode's text, IATA Resolution 792: this flight, then those it connects to."
    )
    aztec: AztecOut


class BoardingPassList(BaseModel):
    data: list[BoardingPassOut]
    next_cursor: None
