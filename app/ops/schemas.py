"""What health and the audit log look like on the wire."""

from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Check(BaseModel):
    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "down", "unknown", "disabled"]
    latency_ms: float


class Health(BaseModel):
    status: Literal["ok", "degraded", "down"]
    version: str
    checks: dict[str, Check]


class Budget(BaseModel):
    """Calls (AviationStack) or credits (OpenSky) of one period, in UTC."""

    budget: str
    period: Literal["day", "month"]
    period_start: AwareDatetime
    period_end: AwareDatetime
    limit: int
    spent: int
    left: int
    background_limit: int = Field(description="The most that work may spend which no user is waiting for.")
    background_spent: int


class Endpoint(BaseModel):
    endpoint: str = Field(description="`*` is the whole provider.")
    state: Literal["open", "paused"]
    reason: str | None
    paused_until: AwareDatetime | None
    failures_in_a_row: int
    seconds_between_calls: float
    last_success_at: AwareDatetime | None
    last_failure_at: AwareDatetime | None
    last_failure: str | None
    first_date: date | None = Field(
        description="The first date the provider publishes, where it has said so."
    )
    last_date: date | None


class Provider(BaseModel):
    provider: str
    enabled: bool
    budgets: list[Budget]
    endpoints: list[Endpoint]


class Providers(BaseModel):
    data: list[Provider]


class Actor(BaseModel):
    kind: str = Field(description="`user`, `admin`, `api_key`, `guest`, `operator`, `system` or `nobody`.")
    id: str | None


class AuditEntry(BaseModel):
    id: str
    at: AwareDatetime
    action: str = Field(examples=["payment.succeeded"])
    actor: Actor
    subject: str | None = Field(examples=["booking:K7QX2M"])
    network: str | None = Field(description="Where it came from: the address without its last part.")
    request_id: str | None
    data: dict[str, Any]


class AuditLog(BaseModel):
    data: list[AuditEntry]
    next_cursor: str | None
