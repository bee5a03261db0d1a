"""Users, their sessions and keys, what is mailed to them to be sent back, and what is no longer honoured."""

import uuid
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

_A_HASH = "octet_length({}) = 32"


class User(Base):
    """An account. `email` is kept in lower case, so that one address is one account.

    An erased account keeps its id, because bookings and the audit log name it, and nothing that says whose it was.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'admin')", name="known_role"),
        CheckConstraint("email = lower(email)", name="email_in_lower_case"),
        CheckConstraint("locale IN ('en', 'de', 'es', 'fr')", name="known_locale"),
        CheckConstraint("totp_confirmed_at IS NULL OR totp_secret IS NOT NULL", name="totp_has_a_secret"),
        CheckConstraint(
            "erased_at IS NULL OR (email = 'erased-' || id || '@erased.invalid' AND full_name = ''"
            " AND password_hash = '' AND totp_secret IS NULL)",
            name="erased_without_identity",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    password_hash: Mapped[str]
    password_changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    role: Mapped[str] = mapped_column(default="user", server_default="user")
    email_verified: Mapped[bool] = mapped_column(default=False, server_default="false")
    locale: Mapped[str] = mapped_column(String(2), default="en", server_default="en")
    # Sealed; it counts once a code made with it was sent back, and each step's code counts once.
    totp_secret: Mapped[str | None]
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    suspended_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UserSession(Base):
    """What begins with a login and ends with a logout: the family of refresh tokens, and `sid` of access tokens.

    `network` is the address without its last part, `second_factor_at` when a code beside the password was right.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revoked_reason IS NULL)", name="revoked_for_a_reason"),
        Index("ix_sessions_user_id_live", "user_id", postgresql_where=text("revoked_at IS NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str | None] = mapped_column(String(200))
    network: Mapped[str | None] = mapped_column(String(64))
    second_factor_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(20))


class RefreshToken(Base):
    """One refresh token, as a SHA-256 hash. A session has one that is neither spent nor revoked, or none.

    For ten seconds a spent one keeps its child, sealed with a key that only the spent token itself gives.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        CheckConstraint(_A_HASH.format("token_hash"), name="is_a_hash"),
        Index(
            "uq_refresh_tokens_live",
            "session_id",
            unique=True,
            postgresql_where=text("rotated_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    parent_id: Mapped[int | None] = mapped_column(BigInteger)
    child_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key with which a server speaks for an account, as a SHA-256 hash; `shown` is how its owner tells it apart."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint(_A_HASH.format("key_hash"), name="is_a_hash"),
        CheckConstraint("mode IN ('test', 'live')", name="known_mode"),
        CheckConstraint("cardinality(scopes) > 0", name="has_scopes"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    mode: Mapped[str] = mapped_column(String(4))
    shown: Mapped[str] = mapped_column(String(20))
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Revocation(Base):
    """A session or an API key that is honoured no more; every API process reads on from the last one it knows."""

    __tablename__ = "revocations"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Challenge(Base):
    """Something mailed to an address to be sent back once: a link's token or a code, of which the hash is kept.

    The token follows from `nonce` and the secret key, so that whoever reads the table has none. A challenge without
    a user is what an address that nobody has gets instead, and is never mailed. It is void once the password has
    changed.
    """

    __tablename__ = "challenges"
    __table_args__ = (
        CheckConstraint(
            "purpose IN ('verify_email', 'reset_password', 'change_email', 'login_code')",
            name="known_purpose",
        ),
        CheckConstraint(_A_HASH.format("token_hash"), name="is_a_hash"),
        Index("ix_challenges_user_id_purpose", "user_id", "purpose"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str | None]
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    password_changed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of the codes that stand in for a lost authenticator, as a hash; each is good once."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None]


class Erasure(Base):
    """Who was erased, so that it can be done again after an old copy of the database was restored."""

    __tablename__ = "erasures"

    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
