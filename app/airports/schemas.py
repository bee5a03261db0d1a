"""What airports look like on the wire."""

from pydantic import BaseModel, Field


class AirportOut(BaseModel):
    iata: str = Field(examples=["JFK"])
    icao: str | None
    name: str
    city: str
    country: str = Field(description="ISO 3166-1 alpha-2.")
    latitude: float
    longitude: float
    elevation_m: int | None
    time_zone: str = Field(description="IANA time zone.", examples=["America/New_York"])
    city_code: str = Field(description="IATA code of the metropolitan area, such as NYC.")


class AirportList(BaseModel):
    data: list[AirportOut]
    next_cursor: str | None
