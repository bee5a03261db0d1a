"""What health looks like on the wire."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Check(BaseModel):
    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "down", "unknown", "disabled"]
    latency_ms: float


class Health(BaseModel):
    status: Literal["ok", "degraded", "down"]
    version: str
    checks: dict[str, Check]
