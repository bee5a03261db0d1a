"""What tells the timetable's files that they are old."""

from datetime import date

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class TimetableChange(Base):
    """Flights of a local date were added, moved, cancelled or withdrawn.

    A trigger on `flights` writes it, in the transaction that changes them, so nobody can forget to. Rows are
    only added, so writers never wait for each other; how many a date has and the last of them are its version.
    """

    __tablename__ = "timetable_changes"
    __table_args__ = (Index("ix_timetable_changes_of_day", "day", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    day: Mapped[date]
