"""Rules that operators edit: every version that was ever in force."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class RuleBook(Base):
    """One version of one kind of rules. Rows are only added: a trigger refuses changes and removals.

    The highest version of a kind is in force. `published_by` is an account's id, `console`, or
    `packaged` for what came with the product; `checksum` is the SHA-256 of the tables.
    """

    __tablename__ = "rule_books"

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    tables: Mapped[dict[str, Any]] = mapped_column(JSONB)
    checksum: Mapped[str] = mapped_column(String(64))
    published_by: Mapped[str]
    note: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())
