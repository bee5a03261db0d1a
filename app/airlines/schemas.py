"""What airlines look like on the wire."""

from pydantic import BaseModel, ConfigDict, Field


class AirlineOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    iata: str = Field(examples=["ZZ"])
    icao: str | None
    name: str
    callsign: str | None
    country: str | None = Field(description="ISO 3166-1 alpha-2.")
    active: bool


class AirlineList(BaseModel):
    data: list[AirlineOut]
    next_cursor: str | None
