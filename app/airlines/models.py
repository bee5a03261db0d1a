"""The airlines table."""

from datetime import datetime

from sqlalchemy import String, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Airline(Base):
    """One airline with an IATA designator, which may hold a digit.

    `accounting_code` is the three digits that its ticket numbers begin with. `source` is who vouches for
    the row: `packaged` with the product, a provider that listed it, or `schedule` where a flight named it.
    """

    __tablename__ = "airlines"

    iata: Mapped[str] = mapped_column(String(2), primary_key=True)
    icao: Mapped[str | None] = mapped_column(String(3))
    name: Mapped[str]
    callsign: Mapped[str | None]
    country: Mapped[str | None] = mapped_column(String(2))
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
    accounting_code: Mapped[str | None] = mapped_column(String(3))
    source: Mapped[str] = mapped_column(server_default="packaged")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
