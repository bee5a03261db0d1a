"""What live positions look like on the wire."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from app.flights.schemas import FlightOut
from app.live import areas, numbers


def _bbox(text: str) -> str:
    areas.boxes(text)
    return text


def _flight_number(text: str) -> str:
    text = numbers.tidy(text)
    if numbers.parsed(text) is None:
        raise ValueError("A flight number is an airline's designator and up to four digits, such as BA117")
    return text


class LiveQuery(BaseModel):
    """Filters are put together; without any, the whole world is meant."""

    bbox: Annotated[str, AfterValidator(_bbox)] | None = Field(
        default=None,
        max_length=100,
        description="`west,south,east,north` in degrees; west is greater than east across the antimeridian.",
        examples=["-6,49,3,56"],
    )
    airline: str | None = Field(
        default=None,
        pattern="^([A-Za-z0-9]{2}|[A-Za-z]{3})$",
        description="IATA or ICAO designator.",
        examples=["ZZ"],
    )
    flight_number: Annotated[str, AfterValidator(_flight_number)] | None = Field(
        default=None, max_length=12, description="Such as `BA117` or `BAW117`."
    )
    on_ground: bool = Field(default=False, description="Those on the ground, too.")
    limit: int = Field(default=1000, ge=1, le=10_000, description="`meta.total` says how many there are.")


class FlightRef(BaseModel):
    id: str = Field(examples=["ZZ101-20261201-JFK"])
    flight_number: str


class LiveAircraft(BaseModel):
    icao24: str = Field(description="The aircraft's address.", examples=["401f00"])
    callsign: str | None
    latitude: float
    longitude: float
    altitude_m: float | None
    ground_speed_mps: float | None
    heading_deg: float | None
    vertical_rate_mps: float | None
    on_ground: bool
    observed_at: AwareDatetime = Field(description="When it was there, by the source's clock.")
    flight: FlightRef | None = Field(description="The flight that it is known to be on.")


class LiveMeta(BaseModel):
    source: str
    fetched_at: AwareDatetime
    stale: bool = Field(description="The source does not answer, or its credits have to last; these are old.")


class LiveListMeta(LiveMeta):
    total: int


class LiveList(BaseModel):
    data: list[LiveAircraft]
    next_cursor: None
    meta: LiveListMeta


class Position(BaseModel):
    latitude: float
    longitude: float
    altitude_m: float | None
    ground_speed_mps: float | None
    heading_deg: float | None
    observed_at: AwareDatetime
    estimated: bool = Field(description="Nobody has heard it there: it is where its times would have it.")


class TrackOut(BaseModel):
    identifier: str
    matched_by: Literal["icao24", "callsign", "schedule"] | None = Field(
        description="How the position was found; `schedule` for an estimate."
    )
    confidence: float = Field(ge=0, le=1, description="That the position is this flight's.")
    flight: FlightOut | None
    position: Position | None = Field(
        description="Null when none is known, which says nothing of the flight."
    )
    progress_percent: int | None
    track: list[tuple[AwareDatetime, float, float, float | None]] = Field(
        description="The way it has come, oldest first: time, latitude, longitude, altitude in metres."
    )
    meta: LiveMeta | None = Field(
        description="Of the positions that were looked at; null when there are none."
    )
