"""What is known of each vendor: what was spent, how it answers, what the plan allows."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class ProviderBudget(Base):
    """Calls or credits spent in one period; a row for each, so that past periods stay to be read.

    Nothing calls a vendor but after a conditional update of this row, so the count is exact whatever
    processes there are and whenever they die: a call may be counted that was not made, never the reverse.
    """

    __tablename__ = "provider_budgets"
    __table_args__ = (
        CheckConstraint("background_spent >= 0 AND background_spent <= spent", name="background_is_a_part"),
    )

    provider: Mapped[str] = mapped_column(primary_key=True)
    budget: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    spent: Mapped[int] = mapped_column(server_default="0")
    background_spent: Mapped[int] = mapped_column(server_default="0")


class ProviderEndpoint(Base):
    """One endpoint's rate window, breaker and learned capabilities, shared by all processes.

    `first_date` and `last_date` are the window in which the vendor said on `window_seen_on` that it
    publishes schedules; the window moves on with the days.
    """

    __tablename__ = "provider_endpoints"

    provider: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(primary_key=True)
    next_call_at: Mapped[datetime | None]
    spacing_seconds: Mapped[float] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    paused_until: Mapped[datetime | None]
    pause_reason: Mapped[str | None]
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]
    last_failure: Mapped[str | None]
    first_date: Mapped[date | None]
    last_date: Mapped[date | None]
    window_seen_on: Mapped[date | None]
