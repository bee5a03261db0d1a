"""What jobs look like on the wire."""

from typing import Any

from pydantic import BaseModel, Field

from app.jobs.models import STATUSES


class JobAccepted(BaseModel):
    """Work that was asked for; `GET /admin/jobs/{id}` tells how it goes."""

    id: str
    status: str = Field(examples=["queued"])


class Progress(BaseModel):
    done: int
    total: int | None = Field(description="As far as it is known; it may still grow.")


class JobOut(JobAccepted):
    kind: str = Field(examples=["airports.sync"])
    status: str = Field(description="One of " + ", ".join(f"`{status}`" for status in STATUSES) + ".")
    progress: Progress
    result: dict[str, Any] | None
    error: str | None = Field(description="Why it failed, or why it waits: a stable code.")
    created_at: str
    started_at: str | None
    finished_at: str | None
    next_attempt_at: str | None = Field(description="A job that waits goes on then.")


class JobList(BaseModel):
    data: list[JobOut]
    next_cursor: str | None


class Refusal(BaseModel):
    """A line of the input, or a record of the provider's, that was not used."""

    line: int
    code: str = Field(examples=["moved_too_far"])
    message: str


class RefusalList(BaseModel):
    data: list[Refusal]
    next_cursor: str | None
