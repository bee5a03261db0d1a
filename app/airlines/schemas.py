"""What airlines look like on the wire."""

from pydantic import BaseModel, Field


class AirlineOut(BaseModel):
    iata: str = Field(examples=["BA"])
    icao: str | None
    name: str
    callsign: str | None
    country: str | None = Field(description="ISO 3166-1 alpha-2.")
    active: bool
    accounting_code: str | None = Field(description="The three digits that its ticket numbers begin with.")


class AirlineList(BaseModel):
    data: list[AirlineOut]
    next_cursor: str | None
