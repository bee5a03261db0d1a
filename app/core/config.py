"""Every setting: its default, its unit and why it exists.

Read once from the environment, from `.env`, which the environment overrides, and from files in SECRETS_DIR, which both
override. `.env.example` is generated from this class, so a setting cannot exist without its explanation.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from app.core import production, service_account, written
from app.core.operating import Operating
from app.core.safety import Safety


class Settings(Safety, Operating):
    # A refusal that quoted its input would quote keys.
    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: Annotated[str, AfterValidator(written.a_database)] = Field(
        default="",
        description="PostgreSQL, as `postgresql://user:password@host:port/name`. "
        "Left empty, it is put together from the POSTGRES_* settings.",
    )
    postgres_host: str = Field(default="localhost", description="Used when DATABASE_URL is empty.")
    postgres_port: int = Field(default=5432, description="Used when DATABASE_URL is empty.")
    postgres_user: str = Field(default="jetway", description="Used when DATABASE_URL is empty.")
    postgres_password: str = Field(default="jetway", description="Used when DATABASE_URL is empty.")
    postgres_db: str = Field(default="jetway", description="Used when DATABASE_URL is empty.")
    database_pool_size: int = Field(
        default=8, ge=1, le=100, description="Connections a process keeps; one PostgreSQL core wants 4 to 8."
    )
    database_pooler: Literal["", "transaction"] = Field(
        default="",
        description="`transaction` where DATABASE_URL is of a pooler that lends a connection for one transaction, such "
        "as PgBouncer: nothing is prepared ahead then, which costs each statement a round trip. Empty: PostgreSQL "
        "itself, or a pooler that lends for as long as a process keeps it.",
    )
    database_replica_url: Annotated[str, AfterValidator(written.a_database)] = Field(
        default="",
        description="A streaming replica of it, written like DATABASE_URL, for reads that may be a moment old. Empty, "
        "or while it is away or too far behind: the primary answers them.",
    )
    redis_url: str = Field(
        default="redis://localhost:6379/0",
        description="Cache and Celery's broker. It holds nothing that may not be lost.",
    )

    aviationstack_key: str = Field(default="", description="Access key for flights, airports and airlines.")
    aviationstack_base_url: Annotated[str, AfterValidator(written.with_version_path)] = Field(
        default="https://api.aviationstack.com/v1", description="Where AviationStack answers."
    )
    aviationstack_page_size: int = Field(
        default=100,
        ge=1,
        le=1000,
        description="Rows a call asks for: 100, or 1000 from the Professional plan up.",
    )
    aviationstack_timeout_seconds: float = Field(
        default=8.0, gt=0, description="Everything one call may take, reading included."
    )
    aviationstack_calls_per_month: int = Field(
        default=10_000,
        ge=0,
        description="No more calls than this in a month, whatever the vendor would sell on top: 100 on the Free "
        "plan, 10000 on Basic, 50000 on Professional.",
    )
    aviationstack_billing_day: int = Field(
        default=1, ge=1, le=28, description="Day of the month on which the vendor starts to count again."
    )
    aviationstack_background_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="The part of the calls that may go to keeping schedules fresh and watching booked flights; "
        "the rest is for people who search.",
    )
    aviationstack_board_seconds: float | None = Field(
        default=None,
        ge=0,
        description="Seconds between two calls for an airport's future departures: the vendor allows one in 10 on "
        "paid plans and one in 60 on the Free plan. Empty: 10, or 0 where the vendor is the sandbox on this machine.",
    )

    opensky_enabled: bool = Field(
        default=True,
        description="Live aircraft positions. OpenSky's free use is for research and non-commercial purposes: ask "
        "them for a licence before you earn money with it.",
    )
    opensky_user: str = Field(
        default="", description="OpenSky's OAuth2 client id. Empty: anonymous, with a tenth of the credits."
    )
    opensky_pass: str = Field(default="", description="OpenSky's OAuth2 client secret.")
    opensky_base_url: str = Field(
        default="https://opensky-network.org/api", description="Where OpenSky answers."
    )
    opensky_token_url: str = Field(
        default="https://auth.opensky-network.org/auth/realms/opensky-network/protocol/openid-connect/token",
        description="Where OpenSky gives out tokens.",
    )
    opensky_timeout_seconds: float = Field(
        default=8.0, gt=0, description="Everything one call may take, reading included."
    )
    opensky_credits_per_day: int | None = Field(
        default=None,
        ge=0,
        description="Credits a day of each of OpenSky's three buckets. Empty: 400 for anonymous callers, 4000 for "
        "an account; 8000 for one that feeds data.",
    )

    stripe_secret_key: str = Field(
        default="",
        description="Stripe's secret key. Empty: no payments are taken, and seats can only be held.",
    )
    stripe_api_base: str = Field(default="https://api.stripe.com", description="Where Stripe answers.")
    stripe_webhook_secret: str = Field(
        default="",
        description="Signs Stripe's messages to /payments/stripe/events; Stripe shows it as `whsec_…`.",
    )
    payment_timeout_seconds: float = Field(
        default=15.0, gt=0, le=60, description="Everything one call to Stripe may take."
    )
    payment_return_url: str = Field(
        default="",
        description="Where a browser goes after 3-D Secure. Empty: apps use Stripe's SDK with `client_secret`.",
    )
    payment_grace_minutes: float = Field(
        default=15,
        gt=0,
        description="A hold is prolonged once, so that a payment begun now has this long, in minutes.",
    )
    price_guarantee_minutes: float | None = Field(
        default=None,
        gt=0,
        description="How long a hold's price stands, in minutes; seats may be held longer. Empty: as long as those.",
    )

    public_url: Annotated[str, AfterValidator(written.without_last_slash)] = Field(
        default="http://localhost:8000",
        description="Where travellers meet the product; links in mails begin with it.",
    )
    smtp_url: Annotated[str, AfterValidator(written.a_mail_server)] = Field(
        default="",
        description="The server that takes our mail: `smtp://user:password@host:587`, which is told to turn on TLS, or "
        "`smtps://user:password@host:465`. Empty: no mail is sent, and what is written waits.",
    )
    mail_from: Annotated[str, AfterValidator(written.a_sender)] = Field(
        default="Jetway <no-reply@jetway.invalid>",
        description="The sender of mails, as `Name <address>`; the server has to accept it.",
    )

    webhook_allowed_cidrs: Annotated[str, AfterValidator(written.networks)] = Field(
        default="",
        description="Networks beside public ones in which webhooks are delivered, over http as well, as a "
        "comma-separated list of CIDRs. This machine is always among them, except in production, which refuses to "
        "start with this set.",
    )
    webhook_retry_schedule: Annotated[str, AfterValidator(written.a_schedule)] = Field(
        default="5,300,1800,7200,18000,36000,50400,72000,86400",
        description="Seconds between the attempts to deliver a webhook, one number for each attempt after the first.",
    )
    webhook_retry_jitter: float = Field(
        default=0.1, ge=0, le=1, description="Each of these grows by up to this part of itself, at random."
    )
    webhook_concurrency: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Webhooks in flight to one subscription from one process; 1 while its receiver fails.",
    )
    webhook_disable_hours: float = Field(
        default=120, gt=0, description="A receiver that has failed for so many hours is not called any more."
    )
    webhook_retention_days: int = Field(
        default=30,
        ge=4,
        description="How long deliveries can be looked at and replayed; whole months are dropped.",
    )
    webhook_subscriptions_per_user: int = Field(
        default=20, ge=1, description="Webhook subscriptions of one account."
    )
    fcm_service_account: Annotated[str, AfterValidator(written.a_service_account)] = Field(
        default="",
        description="The key of a Google service account that may send by Firebase Cloud Messaging: the JSON file that "
        "Firebase's console gives, or its path. Empty: nothing is pushed.",
    )
    fcm_base_url: Annotated[str, AfterValidator(written.without_last_slash)] = Field(
        default="https://fcm.googleapis.com", description="Where FCM takes messages."
    )

    offer_minutes: int = Field(default=30, ge=1, description="How long an offer can be booked, in minutes.")
    hold_minutes: float = Field(
        default=30, gt=0, description="How long unpaid seats are held, in minutes, by the database's clock."
    )
    sales_close_minutes: int = Field(
        default=60, ge=0, description="Sales close this many minutes before departure."
    )
    ticket_accounting_code: str = Field(
        default="000",
        pattern="^[0-9]{3}$",
        description="The three digits that ticket numbers begin with. 000 is no airline's: put your own accounting "
        "code, which IATA assigns. Numbers count up for each code.",
    )
    check_in_opens_hours: int = Field(
        default=24, ge=6, le=168, description="Check-in opens this many hours before departure."
    )
    check_in_closes_minutes: int = Field(
        default=60, ge=0, le=300, description="Check-in closes this many minutes before departure."
    )
    boarding_minutes: int = Field(
        default=40, ge=0, le=180, description="Boarding begins this many minutes before departure."
    )
    schedule_fresh_hours: float = Field(
        default=24, gt=0, description="Age at which a future day's schedule is fetched again, in hours."
    )
    schedule_fresh_minutes_today: float = Field(
        default=15, gt=0, description="Age at which today's schedule is fetched again, in minutes."
    )
    flight_watch_minutes: float = Field(
        default=10,
        gt=0,
        description="How often a booked flight is looked at in the two hours before departure, in minutes; three "
        "times that from six hours before, twelve times that from a day before: some 35 calls a flight.",
    )
    timetable_dir: str = Field(
        default="",
        description="Where the processes of a host keep the flights of each day for searches, some 3.5 MB for "
        "100,000 flights. Empty: a folder of their own where the system keeps temporary files.",
    )
    search_cache_seconds: int = Field(
        default=60, ge=0, description="How long Redis keeps a search's answer, in seconds."
    )
    hot_cache_seconds: float = Field(
        default=2, ge=0, description="How long a process repeats a search's answer unasked, in seconds."
    )

    @property
    def webhook_allowed_networks(self) -> list[str]:
        """Where webhooks are delivered although it is not public, as CIDRs."""
        if self.app_env == "production":
            return []
        return ["127.0.0.0/8", "::1/128", *written.listed(self.webhook_allowed_cidrs)]

    @property
    def fcm_account(self) -> dict[str, str]:
        """The service account's key: `project_id`, `client_email`, `private_key`, `token_uri`."""
        return service_account.read(self.fcm_service_account)

    @property
    def board_seconds(self) -> float:
        """Seconds between two calls for an airport's future departures."""
        if self.aviationstack_board_seconds is not None:
            return self.aviationstack_board_seconds
        return 0.0 if production.on_this_machine(self.aviationstack_base_url) else 10.0

    @property
    def opensky_credits(self) -> int:
        """Credits a day of each bucket."""
        if self.opensky_credits_per_day is not None:
            return self.opensky_credits_per_day
        return 4000 if self.opensky_user else 400

    @property
    def webhook_retry_seconds(self) -> list[float]:
        return [float(step) for step in self.webhook_retry_schedule.split(",")]

    @property
    def smtp_must_be_encrypted(self) -> bool:
        """Mails and the password are not sent across a network in the clear."""
        return self.app_env == "production" and not production.on_this_machine(self.smtp_url)

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address with the driver SQLAlchemy shall use."""
        url = self.database_url or (
            f"postgresql://{quote(self.postgres_user)}:{quote(self.postgres_password)}"
            f"@{self.postgres_host}:{self.postgres_port}/{self.postgres_db}"
        )
        return written.for_sqlalchemy(url)

    @property
    def sqlalchemy_replica_url(self) -> str:
        """The replica's, or nothing."""
        url = self.database_replica_url
        return written.for_sqlalchemy(url) if url else ""

    @property
    def secret_keys(self) -> list[str]:
        """Oldest first, as itsdangerous wants them: the last one signs."""
        return written.listed(self.secret_key)

    @property
    def encryption_keys(self) -> list[str]:
        """Oldest first: the last one encrypts. SECRET_KEY did before there was another, so it stays among them."""
        return [*self.secret_keys, *written.listed(self.encryption_key)]

    @model_validator(mode="after")
    def _refuse_weak(self) -> "Settings":
        if self.app_env == "production":
            production.draw_what_is_not_needed(self)
            production.refuse_weak(self)
        return self


@lru_cache
def settings() -> Settings:
    """The process's settings, read on first use; wrong ones end it with a line that tells the operator which."""
    folder = os.environ.get("SECRETS_DIR", "")
    try:
        # One that is not there is refused as what is wrong with SECRETS_DIR.
        return Settings(_secrets_dir=folder if folder and Path(folder).is_dir() else None)
    except ValidationError as error:
        wrong = "; ".join(_told(one["loc"], one["msg"]) for one in error.errors(include_input=False))
        raise SystemExit(f"Jetway does not start: {wrong}.") from None


def _told(place: tuple[int | str, ...], message: str) -> str:
    """What is wrong with a setting, or with several together, which the message names itself."""
    message = message.removeprefix("Value error, ")
    return ": ".join([*(str(part).upper() for part in place), message])
