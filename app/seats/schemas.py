"""What seat maps and extras look like on the wire."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.core.shapes import Strict
from app.offers.questions import Cabin
from app.offers.schemas import MoneyOut

Index = Annotated[int, Field(strict=True, ge=0, le=17)]


class SeatElement(BaseModel):
    type: Literal["seat"]
    designator: str = Field(examples=["12A"])
    available: bool
    kind: str = Field(description="`standard`, `front` or `legroom`; the price follows from it.")
    characteristics: list[str] = Field(
        description="`window`, `aisle`, `middle`, `exit_row`, `bulkhead`, `bassinet`, `near_lavatory`."
    )
    price: MoneyOut | None = Field(description="Null where it is not available.")
    restrictions: list[str] = Field(
        description="Who may not sit there: `adults_only`, `no_lap_infant`, `no_assistance`."
    )


class OtherElement(BaseModel):
    type: Literal["empty", "lavatory", "galley", "exit_row", "bassinet"]


# Told apart by their type: a map has hundreds.
Element = Annotated[SeatElement | OtherElement, Field(discriminator="type")]


class SectionOut(BaseModel):
    """What is between two aisles, from left to right."""

    elements: list[Element]


class RowOut(BaseModel):
    number: int | None = Field(description="Null where there are no seats.")
    exit_row: bool
    sections: list[SectionOut]


class WingsOut(BaseModel):
    first_row_index: int
    last_row_index: int


class CabinOut(BaseModel):
    cabin: Cabin
    deck: int = Field(description="0 is the main deck, 1 the upper one.")
    aisles: int
    wings: WingsOut | None
    rows: list[RowOut]


class SeatMapOut(BaseModel):
    flight_id: str
    aircraft: str | None
    cabins: list[CabinOut] = Field(description="The cabin of the offer; empty where seats cannot be chosen.")


class SeatMapsOut(BaseModel):
    data: list[SeatMapOut]
    next_cursor: None


class BagOut(BaseModel):
    piece: int = Field(description="Counted with the pieces that the fare includes.")
    max_kg: int
    included: bool
    price: MoneyOut


class SeatKindOut(BaseModel):
    kind: str
    price: MoneyOut


class FlightSeatsOut(BaseModel):
    flight_id: str
    kinds: list[SeatKindOut]


class SliceExtrasOut(BaseModel):
    slice: int
    bags: list[BagOut]
    seats: list[FlightSeatsOut]


class PassengerExtrasOut(BaseModel):
    """Adults come first, then children, then infants, who have neither a seat nor a bag."""

    passenger: int
    type: str
    slices: list[SliceExtrasOut]


class ExtrasMeta(BaseModel):
    most_bags: int = Field(description="Pieces that a passenger checks in on a slice.")
    heaviest_kg: int


class ExtrasOut(BaseModel):
    data: list[PassengerExtrasOut]
    next_cursor: None
    meta: ExtrasMeta


class SeatChoice(Strict):
    passenger: Index
    flight_id: Annotated[str, Field(max_length=32)]
    seat: Annotated[str, Field(max_length=4, examples=["12A"])]


class BagChoice(Strict):
    """So many pieces more than the fare includes."""

    passenger: Index
    slice: Annotated[int, Field(ge=0, le=5)]
    quantity: Annotated[int, Field(ge=1, le=9)] = 1
    kg: Annotated[int, Field(ge=1, le=99)] | None = Field(
        default=None, description="Of each; null: the usual weight."
    )


class Choice(Strict):
    """Passengers by their index: adults, then children, then infants, whom the first adults carry."""

    seats: Annotated[list[SeatChoice], Field(max_length=108)] = Field(default=[])
    bags: Annotated[list[BagChoice], Field(max_length=108)] = Field(default=[])
    assistance: Annotated[list[Index], Field(max_length=18)] = Field(
        default=[], description="Passengers who need assistance; they never pay for a seat."
    )


class ChosenLineOut(BaseModel):
    type: Literal["seat", "bag"]
    passenger: int
    flight_id: str | None
    seat: str | None
    slice: int | None
    piece: int | None
    price: MoneyOut


class ChosenOut(BaseModel):
    lines: list[ChosenLineOut]
    total: MoneyOut
