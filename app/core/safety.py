"""Settings of secrets, sessions and limits, and of whom the edge of the API lets in."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings

from app.core import written
from app.core.production import DEVELOPMENT_SECRET

# As many requests as nobody sends in a minute, so that the limit is on and in nobody's way.
_EVERYBODY = 100_000_000


class Safety(BaseSettings):
    app_env: Literal["development", "test", "production"] = Field(
        default="development",
        description="`production` refuses to start with weak secrets, open doors or the sandbox, and logs JSON.",
    )
    jwt_secret: str = Field(
        default=DEVELOPMENT_SECRET + "jwt-0123456789",
        description="Signs access tokens; at least 32 characters: `openssl rand -hex 32`. A comma-separated list "
        "rotates it: the last one signs, all of them are honoured.",
    )
    secret_key: str = Field(
        default=DEVELOPMENT_SECRET + "key-0123456789",
        description="Signs offers and cursors; at least 32 characters and not JWT_SECRET. A comma-separated "
        "list rotates it: the last one signs, all of them are honoured.",
    )
    encryption_key: str = Field(
        default="",
        description="Encrypts passport numbers and other secrets in the database; at least 32 characters. Empty: "
        "SECRET_KEY does. A comma-separated list rotates it: the last one encrypts, all of them and SECRET_KEY "
        "decrypt, and `python -m app rotate-encryption` brings everything to the last one.",
    )
    access_token_seconds: int = Field(
        default=900, ge=60, le=86_400, description="Life of an access token, in seconds."
    )
    refresh_token_days: int = Field(
        default=14, ge=1, description="A session ends when its refresh token is not used for so many days."
    )
    session_days: int = Field(default=90, ge=1, description="A session ends after so many days in any case.")
    refresh_grace_seconds: int = Field(
        default=10,
        ge=0,
        le=60,
        description="An app that lost the answer may send the spent refresh token once more within so many seconds and "
        "gets the same answer. 0: that ends the session at once.",
    )
    rate_limit_enabled: bool = Field(
        default=True, description="Refuse callers who ask too often. Off only for measurements."
    )
    rate_limit_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Requests a minute from one address without an access token, by all processes together. Empty: 60 "
        "in production, and elsewhere, where everybody has the same address, a hundred million.",
    )
    rate_limit_users_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Requests a minute of one account. Empty: 300 in production, a hundred million elsewhere. Agencies "
        "that book for many want more.",
    )
    rate_limit_searches_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Of these, searches whose answer the process does not have ready. Empty: 30 in production, a "
        "hundred million elsewhere.",
    )
    rate_limit_bookings_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Of these, new bookings. Empty: 10 in production, a hundred million elsewhere.",
    )
    rate_limit_webhooks_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Of these, whatever has to do with webhooks. Empty: 30 in production, a hundred million elsewhere.",
    )
    api_processes: int = Field(
        default=1,
        ge=1,
        description="How many API processes there are. While Redis is away each of them allows its part of a limit.",
    )
    live_holds_per_user: int | None = Field(
        default=None,
        ge=1,
        description="Unpaid bookings that an account may hold at once, counted in PostgreSQL. Empty: 5 in production, "
        "any number elsewhere. Agencies want more.",
    )
    failed_payments_per_hour: int | None = Field(
        default=None,
        ge=1,
        description="Payments of an account that may fail in an hour, counted in PostgreSQL: who tries card after card "
        "is not a traveller. Empty: 10 in production, any number elsewhere.",
    )
    address_limits: bool | None = Field(
        default=None,
        description="Whether sign-ups, logins, mailed links and codes are limited by the address that asks as well. "
        "Empty: in production; elsewhere everybody has the same address.",
    )
    password_queue: int | None = Field(
        default=None,
        ge=1,
        description="How many passwords may wait in a process to be hashed; who comes then gets 503. Empty: 50 in "
        "production, and elsewhere, where hundreds of travellers may sign up at once, 2000.",
    )
    trusted_proxies: Annotated[str, AfterValidator(written.proxies)] = Field(
        default="",
        description="Proxies in front of the product, as a comma-separated list of addresses and networks. Only from "
        "them is X-Forwarded-For believed; everybody else's address is the one they connect from.",
    )
    plain_hosts: str = Field(
        default="",
        description="Hosts that production may speak to without TLS, as a comma-separated list of names and addresses: "
        "PostgreSQL, Redis or a collector of traces in a network where nobody else is, as Compose's own. This machine "
        "is always among them; of all others production wants `sslmode=verify-full`, `rediss://` and https.",
    )
    forwarded_allow_ips: str = Field(
        default="",
        description="uvicorn's own setting of whose X-Forwarded-For it believes. Where it is set, what uvicorn says is "
        "believed and TRUSTED_PROXIES is not asked; better leave it empty.",
    )
    cors_origins: Annotated[str, AfterValidator(written.origins)] = Field(
        default="",
        description="Web pages that may call the API from a browser, as a comma-separated list of origins such as "
        "https://app.example.com, or * for all. Empty: none; apps on phones and servers need none.",
    )
    cors_allow_credentials: bool = Field(
        default=False,
        description="Whether these pages may send cookies and client certificates along; never with *.",
    )
    debug: bool = Field(
        default=False, description="Unexpected errors are explained to whoever asked. Refused in production."
    )
    audit_days: int = Field(
        default=400, ge=30, description="How long the audit log is kept, in days; whole months go."
    )
    event_days: int = Field(
        default=90, ge=7, description="How long events that were told to everybody are kept, in days."
    )
    admin_metrics_token: str = Field(
        default="",
        description="Bearer token with which Prometheus reads /admin/metrics, of at least 32 characters in production; "
        "empty: admins only.",
    )

    @property
    def jwt_secrets(self) -> list[str]:
        """Oldest first; the last one signs."""
        return written.listed(self.jwt_secret)

    @property
    def by_address(self) -> bool:
        """Whether what an address has done counts against whoever else comes from it."""
        return self.app_env == "production" if self.address_limits is None else self.address_limits

    @property
    def passwords_waiting(self) -> int:
        return self.password_queue or (50 if self.app_env == "production" else 2000)

    def a_minute(self, given: int | None, in_production: int) -> int:
        """A limit as it is given, or as this environment has it."""
        return given or (in_production if self.app_env == "production" else _EVERYBODY)

    @property
    def most_live_holds(self) -> int | None:
        return self.live_holds_per_user or (5 if self.app_env == "production" else None)

    @property
    def most_failed_payments(self) -> int | None:
        return self.failed_payments_per_hour or (10 if self.app_env == "production" else None)

    @model_validator(mode="after")
    def _cookies_are_not_for_everybody(self) -> Self:
        if self.cors_allow_credentials and "*" in written.listed(self.cors_origins):
            raise ValueError("CORS_ALLOW_CREDENTIALS needs CORS_ORIGINS that are named, not *")
        return self
