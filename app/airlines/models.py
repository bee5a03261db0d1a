"""The airlines table."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Airline(Base):
    """One airline with an IATA designator, which may hold a digit."""

    __tablename__ = "airlines"

    iata: Mapped[str] = mapped_column(String(2), primary_key=True)
    icao: Mapped[str | None] = mapped_column(String(3))
    name: Mapped[str]
    callsign: Mapped[str | None]
    country: Mapped[str | None] = mapped_column(String(2))
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
