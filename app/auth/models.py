"""Users, their refresh tokens, and failed logins."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, String, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class User(Base):
    """An account. `email` is kept in lower case, so that one address is one account."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'admin')", name="known_role"),
        CheckConstraint("email = lower(email)", name="email_in_lower_case"),
        CheckConstraint("locale IN ('en', 'de', 'es', 'fr')", name="known_locale"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(default="user", server_default="user")
    email_verified: Mapped[bool] = mapped_column(default=False, server_default="false")
    locale: Mapped[str] = mapped_column(String(2), default="en", server_default="en")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RefreshToken(Base):
    """One refresh token, as a SHA-256 hash. Tokens that descend from one login share a family."""

    __tablename__ = "refresh_tokens"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    family_id: Mapped[uuid.UUID] = mapped_column(index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LoginFailure(Base):
    """A failed login, kept in the database so that emptying Redis lifts no limit."""

    __tablename__ = "login_failures"
    __table_args__ = (Index("ix_login_failures_recent", "email", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    email: Mapped[str]
    client: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
