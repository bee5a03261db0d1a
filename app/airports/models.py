"""The airports table: reference data, kept in every process's memory after start."""

from datetime import datetime

from sqlalchemy import String, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Airport(Base):
    """One airport with an IATA code; `city_code` is the metropolitan area's, or its own where there is none.

    `source` is who vouches for the row: `packaged` with the product, or a provider.
    """

    __tablename__ = "airports"

    iata: Mapped[str] = mapped_column(String(3), primary_key=True)
    icao: Mapped[str | None] = mapped_column(String(4))
    name: Mapped[str]
    city: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    latitude: Mapped[float]
    longitude: Mapped[float]
    elevation_m: Mapped[int | None]
    time_zone: Mapped[str]
    city_code: Mapped[str] = mapped_column(String(3), index=True)
    source: Mapped[str] = mapped_column(server_default="packaged")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
