"""What flights look like on the wire."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field


class Stop(BaseModel):
    iata: str = Field(examples=["JFK"])
    name: str
    city: str
    time_zone: str = Field(examples=["America/New_York"])


class AirlineRef(BaseModel):
    iata: str
    icao: str | None
    name: str


class DepartureOut(BaseModel):
    airport: Stop
    terminal: str | None
    gate: str | None
    scheduled_at: AwareDatetime
    estimated_at: AwareDatetime | None
    actual_at: AwareDatetime | None
    delay_minutes: int | None


class ArrivalOut(DepartureOut):
    baggage_belt: str | None


class AircraftOut(BaseModel):
    type: str | None
    registration: str | None
    icao24: str | None


class FlightOut(BaseModel):
    id: str = Field(examples=["ZZ101-20261201-JFK"])
    flight_number: str
    airline: AirlineRef
    status: Literal["scheduled", "delayed", "departed", "landed", "cancelled", "diverted", "unknown"]
    departure: DepartureOut
    arrival: ArrivalOut
    aircraft: AircraftOut | None
    codeshares: list[str]
    source: str
    projected: bool = Field(description="Nobody has published this date yet; other weeks' pattern stands in.")
    observed_at: AwareDatetime
    stale: bool


class FollowedFlight(FlightOut):
    followed_at: AwareDatetime


class FollowedList(BaseModel):
    data: list[FollowedFlight]
    next_cursor: str | None
