"""Settings that would be dangerous are refused at the start."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from app.core import env_example
from app.core.config import Settings

STRONG = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
ACCOUNT = {
    "project_id": "flights",
    "client_email": "jetway@flights.iam.gserviceaccount.com",
    "private_key": "-----BEGIN PRIVATE KEY-----canary",
    "token_uri": "https://oauth2.googleapis.com/token",
}
PRODUCTION = {
    "app_env": "production",
    "jwt_secret": STRONG,
    "secret_key": OTHER,
    "aviationstack_key": "a-real-key",
    "aviationstack_base_url": "https://api.aviationstack.com/v1",
    "opensky_base_url": "https://opensky-network.org/api",
    "opensky_token_url": "https://auth.opensky-network.org/token",
    "smtp_url": "",
    "stripe_secret_key": "sk_live_of_somebody",
    "stripe_webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "stripe_api_base": "https://api.stripe.com",
    "fcm_service_account": json.dumps(ACCOUNT),
    "fcm_base_url": "https://fcm.googleapis.com",
}


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


def test_a_complete_production_configuration_is_accepted() -> None:
    """Without this, the refusals below would prove nothing."""
    assert settings(**PRODUCTION).app_env == "production"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"jwt_secret": Settings.model_fields["jwt_secret"].default}, "JWT_SECRET"),
        ({"secret_key": Settings.model_fields["secret_key"].default}, "SECRET_KEY"),
        ({"jwt_secret": STRONG[:31]}, "JWT_SECRET"),
        ({"jwt_secret": f"{STRONG},{OTHER[:10]}"}, "JWT_SECRET"),
        ({"jwt_secret": " , "}, "JWT_SECRET"),
        ({"jwt_secret": f"{STRONG}, {OTHER}"}, "must differ"),
        ({"secret_key": OTHER[:31]}, "SECRET_KEY"),
        ({"secret_key": f"{OTHER},{OTHER[:10]}"}, "SECRET_KEY"),
        ({"encryption_key": OTHER[:31]}, "ENCRYPTION_KEY"),
        ({"encryption_key": f"{OTHER[:10]},{OTHER}"}, "ENCRYPTION_KEY"),
        ({"secret_key": " , "}, "SECRET_KEY"),
        ({"secret_key": STRONG}, "must differ"),
        ({"secret_key": f"{OTHER}, {STRONG}"}, "must differ"),
        ({"aviationstack_key": "sandbox"}, "AVIATIONSTACK_KEY"),
        ({"aviationstack_key": ""}, "AVIATIONSTACK_KEY"),
        ({"aviationstack_base_url": "http://localhost:8001"}, "AVIATIONSTACK_BASE_URL"),
        ({"aviationstack_base_url": "http://127.0.0.1:8001/v1"}, "AVIATIONSTACK_BASE_URL"),
        ({"aviationstack_base_url": "http://[::1]:8001/v1"}, "AVIATIONSTACK_BASE_URL"),
        (
            {"aviationstack_base_url": "http://api.aviationstack.com/v1"},
            "AVIATIONSTACK_BASE_URL must be https",
        ),
        ({"opensky_base_url": "http://127.0.0.1:8001/api"}, "OPENSKY_BASE_URL"),
        ({"opensky_token_url": "http://127.0.0.1:8001/auth"}, "OPENSKY_TOKEN_URL"),
        ({"opensky_token_url": "http://auth.opensky-network.org/token"}, "OPENSKY_TOKEN_URL must be https"),
        ({"webhook_allowed_cidrs": "127.0.0.1/32"}, "WEBHOOK_ALLOWED_CIDRS must be empty"),
        ({"fcm_base_url": "http://127.0.0.1:8001"}, "FCM_BASE_URL points to this machine"),
        ({"fcm_base_url": "http://fcm.googleapis.com"}, "FCM_BASE_URL must be https"),
        (
            {"fcm_service_account": json.dumps({**ACCOUNT, "token_uri": "http://127.0.0.1:8001/token"})},
            "token_uri points to this machine",
        ),
        (
            {
                "fcm_service_account": json.dumps(
                    {**ACCOUNT, "token_uri": "http://oauth2.googleapis.com/token"}
                )
            },
            "token_uri must be https",
        ),
    ],
)
def test_production_refuses(wrong: dict[str, str], complaint: str) -> None:
    """Each weakness alone is enough."""
    with pytest.raises(ValidationError, match=complaint):
        settings(**PRODUCTION | wrong)


def test_a_service_account_is_given_as_text_or_as_a_file(tmp_path: Path) -> None:
    """As Firebase's console gives it."""
    file = tmp_path / "account.json"
    file.write_text(json.dumps(ACCOUNT))

    assert settings(fcm_service_account=str(file)).fcm_account == ACCOUNT
    assert settings(fcm_service_account=f" {json.dumps(ACCOUNT)}").fcm_account == ACCOUNT


@pytest.mark.parametrize(
    "wrong",
    ["/nowhere/canary.json", "{canary", json.dumps({"private_key": ACCOUNT["private_key"]})],
)
def test_what_is_no_service_account_is_refused_without_being_quoted(wrong: str) -> None:
    """It may be half a key."""
    with pytest.raises(ValidationError, match="FCM_SERVICE_ACCOUNT") as refused:
        settings(fcm_service_account=wrong)

    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("environment", ["development", "test"])
def test_elsewhere_the_defaults_and_the_sandbox_are_fine(environment: str) -> None:
    """A fresh checkout runs without a single setting."""
    chosen = settings(
        app_env=environment, aviationstack_key="sandbox", aviationstack_base_url="http://localhost"
    )

    assert chosen.jwt_secret != chosen.secret_key


def test_an_unknown_environment_is_refused() -> None:
    """`prod` must not silently mean development."""
    with pytest.raises(ValidationError, match="app_env"):
        settings(app_env="prod")


@pytest.mark.parametrize("schedule", ["5,soon", "-1", "5,,7", "nan", "inf"])
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    """Deliveries would be tried again at once, or never."""
    with pytest.raises(ValidationError, match="WEBHOOK_RETRY_SCHEDULE must be seconds"):
        settings(webhook_retry_schedule=schedule)


@pytest.mark.parametrize("cidrs", ["10.0.0.1/8", "localhost", "10.0.0.0/33", "10.0.0.0/8;::1"])
def test_what_is_no_network_is_refused(cidrs: str) -> None:
    """A list that is read in another way than it was meant opens a door."""
    with pytest.raises(ValidationError, match="WEBHOOK_ALLOWED_CIDRS must be networks"):
        settings(webhook_allowed_cidrs=cidrs)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"])
def test_every_usual_spelling_of_the_databases_address_works(scheme: str) -> None:
    """The driver is our business, not the operator's."""
    url = settings(database_url=f"{scheme}://ada:pw@db:5433/jetway").sqlalchemy_url

    assert url == "postgresql+asyncpg://ada:pw@db:5433/jetway"


@pytest.mark.parametrize("url", ["mysql://db/jetway", "jetway", "sqlite:///jetway.db"])
def test_another_database_is_refused(url: str) -> None:
    """With a message that names the setting."""
    with pytest.raises(ValidationError, match="database_url"):
        settings(database_url=url)


def test_the_databases_address_can_come_in_pieces() -> None:
    """Whatever characters a generated password has."""
    pieces = {"postgres_host": "db", "postgres_port": 5433, "postgres_user": "ada", "postgres_db": "flights"}

    url = make_url(settings(database_url="", postgres_password="p@ss/w:o%rd?#", **pieces).sqlalchemy_url)

    assert (url.host, url.port, url.username, url.database) == ("db", 5433, "ada", "flights")
    assert url.password == "p@ss/w:o%rd?#"


def test_a_whole_address_wins_over_pieces() -> None:
    """DATABASE_URL is what a platform sets."""
    url = settings(database_url="postgresql://h/one", postgres_db="other").sqlalchemy_url

    assert url.endswith("//h/one")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass `NAME=` for what nobody has set."""
    monkeypatch.setenv("HOLD_MINUTES", "")
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("POSTGRES_HOST", "db")

    assert settings().hold_minutes == 30
    assert "@db:" in settings().sqlalchemy_url


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001/v1"),
        ("http://127.0.0.1:8001/", "http://127.0.0.1:8001/v1"),
        ("https://api.aviationstack.com/v1/", "https://api.aviationstack.com/v1"),
        ("https://proxy.example/as/v1", "https://proxy.example/as/v1"),
    ],
)
def test_the_providers_address_gets_its_version_path(given: str, used: str) -> None:
    """Only where it has no path of its own."""
    assert settings(aviationstack_base_url=given).aviationstack_base_url == used


def test_the_last_of_several_secret_keys_signs() -> None:
    """Oldest first, without the spaces people put around commas."""
    assert settings(secret_key=f" {STRONG} , {OTHER},").secret_keys == [STRONG, OTHER]


def test_the_example_explains_every_setting_and_gives_no_secret() -> None:
    """It is generated, so that it cannot fall behind."""
    lines = env_example.text().splitlines()
    for name, field in Settings.model_fields.items():
        (place,) = (i for i, line in enumerate(lines) if line.lstrip("#").startswith(f"{name.upper()}="))
        assert lines[place - 1] == f"# {field.description}"
    for secret in ("JWT_SECRET=", "SECRET_KEY="):
        assert secret in {line.removeprefix("#") for line in lines}
    assert not any(
        Settings.model_fields[name].default in "\n".join(lines) for name in ("jwt_secret", "secret_key")
    )


@pytest.mark.parametrize(
    ("setting", "refused", "taken"),
    [
        ("database_url", "mysql://somewhere/jetway", "postgresql://somewhere/jetway"),
        ("database_replica_url", "somewhere", "postgres://somewhere/jetway?sslmode=require"),
        ("otel_exporter_otlp_endpoint", "localhost:4318", "http://localhost:4318"),
        ("otel_exporter_otlp_endpoint", "http://", "https://collector.example.com"),
    ],
)
def test_addresses_of_another_kind_are_refused_before_anything_starts(
    setting: str, refused: str, taken: str
) -> None:
    """Otherwise a process would start, and tell of it in a traceback or never."""
    with pytest.raises(ValidationError, match="it must"):
        settings(**{setting: refused})

    assert getattr(settings(**{setting: taken}), setting) == taken
