"""What exports and erasures look like on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from app.auth.schemas import Code, Password
from app.core.shapes import Strict


class ExportIn(Strict):
    password: Password


class ErasureIn(Strict):
    """`code` is that of the second factor, where the account has one."""

    password: Password
    code: Code | None = None


class Export(BaseModel):
    """Everything that is known about a person, by what it is about. More sections may come."""

    model_config = ConfigDict(extra="allow")

    exported_at: str
    account: dict[str, Any]
    sessions: list[dict[str, Any]]
    bookings: list[dict[str, Any]]
    devices: list[dict[str, Any]]
    mails: list[dict[str, Any]]
    webhook_subscriptions: list[dict[str, Any]]
    audit: list[dict[str, Any]]
