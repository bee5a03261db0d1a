"""Production starts with nothing weak: every weak setting is named at once, in one line, and no value ever."""

from typing import Any

import pytest
from pydantic import ValidationError
from starlette.requests import Request

from app.core import config
from app.core.config import Settings
from app.core.web import problems
from tests.support.stack import run

KEYS = [f"{number}f1c8e93b7a60d25e48c1b9073fd6a5{number}" for number in range(5)]
STRONG = {
    "app_env": "production",
    "jwt_secret": KEYS[0],
    "secret_key": KEYS[1],
    "encryption_key": KEYS[2],
    "admin_metrics_token": KEYS[3],
    "stripe_secret_key": "sk_live_of_somebody",
    "stripe_webhook_secret": f"whsec_{KEYS[4]}",
    "stripe_api_base": "https://api.stripe.com",
    "aviationstack_key": "a-real-key",
    "aviationstack_base_url": "https://api.aviationstack.com/v1",
    "opensky_base_url": "https://opensky-network.org/api",
    "opensky_token_url": "https://auth.opensky-network.org/token",
    "public_url": "https://example.com",
    "mail_from": "Jetway <no-reply@example.com>",
    "fcm_service_account": "",
    "cors_origins": "https://app.example.com",
    "trusted_proxies": "10.0.0.0/8, fc00::/7",
    "database_url": "postgresql://jetway:of-its-own@db.example.com/jetway?sslmode=verify-full",
    "redis_url": "rediss://:of-its-own@cache.example.com:6379/0",
}
SECRETS = ["jwt_secret", "secret_key", "encryption_key", "admin_metrics_token", "stripe_webhook_secret"]
LISTS = ["jwt_secret", "secret_key", "encryption_key"]
WEAK = {
    "short": "canary-" + "b7a60d25e48c1b9",
    "one character": "x" * 64,
    "two characters": "ab" * 32,
    "a piece again and again": "canary-0123" * 4,
    "a placeholder": "CHANGE-ME-before-production-5e48c1b90",
    "the default": Settings.model_fields["jwt_secret"].default,
}


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **{**STRONG, **given})  # type: ignore[call-arg]


def refused(**given: Any) -> str:
    with pytest.raises(ValidationError) as error:
        settings(**given)
    return str(error.value)


def test_a_strong_configuration_is_accepted() -> None:
    """The negative control of everything below."""
    assert settings().app_env == "production"


@pytest.mark.parametrize("weakness", WEAK)
@pytest.mark.parametrize("name", SECRETS)
def test_a_weak_secret_is_refused_and_not_repeated(name: str, weakness: str) -> None:
    """Whoever reads the log of a start that failed must not learn it."""
    said = refused(**{name: WEAK[weakness]})

    assert name.upper() in said
    assert WEAK[weakness] not in said


@pytest.mark.parametrize("name", LISTS)
def test_each_secret_of_a_list_must_be_strong(name: str) -> None:
    """The former ones are honoured as well."""
    assert name.upper() in refused(**{name: f"{KEYS[0][::-1]}, {'x' * 40}"})
    assert name.upper() in refused(**{name: f"{'x' * 40}, {KEYS[0][::-1]}"})
    assert settings(**{name: f"{KEYS[0][::-1]}, {KEYS[1][::-1]}"})


@pytest.mark.parametrize("other", SECRETS)
@pytest.mark.parametrize("name", LISTS)
def test_no_secret_serves_two_purposes(name: str, other: str) -> None:
    """Or who learns one has both."""
    if name == other:
        return
    said = refused(**{name: f"{KEYS[0][::-1]},{STRONG[other]}"})

    assert name.upper() in said
    assert other.upper() in said
    assert "must differ" in said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"debug": "true"}, "DEBUG"),
        ({"log_level": "DEBUG"}, "LOG_LEVEL"),
        ({"rate_limit_enabled": "false"}, "RATE_LIMIT_ENABLED"),
        ({"cors_origins": "https://a.example,http://b.example"}, "CORS_ORIGINS"),
        ({"cors_origins": "*", "cors_allow_credentials": "true"}, "CORS_ORIGINS"),
        ({"trusted_proxies": "0.0.0.0/0"}, "TRUSTED_PROXIES"),
        ({"trusted_proxies": "10.1.2.3, ::/0"}, "TRUSTED_PROXIES"),
        ({"trusted_proxies": "0.0.0.0/1,128.0.0.0/1"}, "TRUSTED_PROXIES"),
        ({"webhook_allowed_cidrs": "10.0.0.0/8"}, "WEBHOOK_ALLOWED_CIDRS"),
        ({"database_url": "", "postgres_password": "jetway"}, "POSTGRES_PASSWORD"),
    ],
)
def test_a_door_left_open_is_refused(wrong: dict[str, str], said: str) -> None:
    """By the name of the setting that opens it."""
    assert said in refused(**wrong)


@pytest.mark.parametrize(
    "url",
    [
        *(
            f"postgresql://db.example.com/jetway{said}"
            for said in ("", "?sslmode=require", "?sslmode=prefer")
        ),
        "postgresql://db.example.com/jetway?sslmode=verify-full&ssl=disable",
        "postgresql://localhost/jetway?host=db.example.com",
        "postgresql://localhost,db.example.com/jetway",
    ],
)
@pytest.mark.parametrize("name", ["database_url", "database_replica_url"])
def test_a_database_that_proves_nothing_is_refused(name: str, url: str) -> None:
    """Whoever is on the way could read passengers' names, or answer in its place; `require` believes anybody."""
    assert f"{name.upper()} must say sslmode=verify-full" in refused(**{name: url})
    assert settings(**{name: url, "plain_hosts": "x, DB.example.com"})


@pytest.mark.parametrize(
    "url",
    [
        "redis://:of-its-own@cache.example.com:6379/0",
        "rediss://cache.example.com/0?ssl_cert_reqs=none",
        "rediss://cache.example.com/0?ssl_check_hostname=false",
    ],
)
def test_a_cache_that_proves_nothing_is_refused(url: str) -> None:
    """It has tasks and answers in it."""
    assert "REDIS_URL must be rediss://" in refused(redis_url=url)
    assert settings(redis_url=url, plain_hosts="cache.example.com")


def test_traces_do_not_cross_a_network_in_the_clear() -> None:
    """They tell what is asked when, and how long it takes."""
    collector = {"otel_exporter_otlp_endpoint": "http://collector:4318"}

    assert "OTEL_EXPORTER_OTLP_ENDPOINT must be https" in refused(**collector)
    assert settings(**collector, plain_hosts="collector")
    assert settings(otel_exporter_otlp_endpoint="https://collector:4318")


def test_an_address_in_pieces_has_no_word_for_tls() -> None:
    """So it is for this machine, or for hosts that are named."""
    pieces = {"database_url": "", "postgres_host": "postgres", "postgres_password": "of/its:own"}

    assert "DATABASE_URL must say sslmode=verify-full" in refused(**pieces)
    assert settings(**pieces, plain_hosts="postgres,redis")


@pytest.mark.parametrize(
    "database", ["localhost:5432/jetway", "127.0.0.1/x", "[::1]/x", "/x?host=/run/postgresql"]
)
@pytest.mark.parametrize("cache", ["redis://localhost:6379/0", "unix:///run/redis.sock"])
def test_on_this_machine_nobody_is_between(database: str, cache: str) -> None:
    assert settings(database_url=f"postgresql://{database}", redis_url=cache)


@pytest.mark.parametrize("name", ["DEMO_EMAIL", "DEMO_PASSWORD"])
def test_there_is_no_demo_account_in_production(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Its password stands in a guide."""
    monkeypatch.setenv(name, "canary@example.com")

    assert name in refused()
    assert "canary" not in refused()


def test_everything_weak_is_named_at_once() -> None:
    """An operator mends it in one go."""
    said = refused(jwt_secret="x", secret_key="y", debug="true", aviationstack_key="", public_url="")

    assert all(name in said for name in ("JWT_SECRET", "SECRET_KEY", "DEBUG", "AVIATIONSTACK_KEY"))


def test_every_page_with_credentials_is_refused_everywhere() -> None:
    """Any page in any browser could act as whoever is signed in."""
    assert "CORS_ORIGINS" in refused(app_env="development", cors_origins="*", cors_allow_credentials="true")
    assert settings(app_env="development", cors_origins="*").cors_origins == "*"


@pytest.mark.parametrize(
    "process",
    [
        ("uvicorn", "app.main:app", "--port", "1"),
        ("celery", "-A", "app.worker", "worker"),
        ("app", "prepare"),
    ],
    ids=lambda command: command[0],
)
def test_a_process_refuses_in_one_line_and_ends(process: tuple[str, ...]) -> None:
    """No traceback, no value, and an exit code that a supervisor understands."""
    weak = {"APP_ENV": "production", "JWT_SECRET": "canary-31337", "DEBUG": "true"}
    done = run("-m", *process, **weak)

    [line] = done.stderr.strip().splitlines()
    assert done.returncode == 1
    assert line.startswith("Jetway does not start: JWT_SECRET is missing")
    assert "DEBUG must be off" in line
    assert "canary" not in done.stdout + done.stderr


def test_what_is_weak_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same line for several weaknesses together."""
    for name, value in {**STRONG, "jwt_secret": "canary-31337", "debug": "true"}.items():
        monkeypatch.setenv(name.upper(), value)

    with pytest.raises(SystemExit) as ended:
        config.settings.__wrapped__()

    line = str(ended.value.code)
    assert "\n" not in line
    assert ("JWT_SECRET" in line, "DEBUG must be off" in line, "canary" in line) == (True, True, False)


@pytest.mark.parametrize("debug", [True, False])
async def test_an_unexpected_error_is_explained_to_developers_only(
    monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    """With DEBUG, which production refuses, its kind and message; else no more than that it was logged."""
    monkeypatch.setattr(config.settings(), "debug", debug)

    answer = await problems.answered(Request({"type": "http"}), RuntimeError("canary-31337"))

    assert answer.status_code == 500
    assert (b"RuntimeError: canary-31337" in answer.body) == debug
