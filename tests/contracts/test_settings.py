"""Settings: each explained, each in `.env.example`, and weak ones refused in production."""

import re
import subprocess

import pytest

from app.core.config import Settings
from tests.support.stack import ROOT, run

STRONG = {
    "APP_ENV": "production",
    "JWT_SECRET": "j" * 16 + "0123456789abcdef",
    "SECRET_KEY": "s" * 16 + "0123456789abcdef",
    "AVIATIONSTACK_KEY": "a-real-key",
    "AVIATIONSTACK_BASE_URL": "https://api.aviationstack.com/v1",
    "OPENSKY_BASE_URL": "https://opensky-network.org/api",
    "OPENSKY_TOKEN_URL": "https://auth.opensky-network.org/token",
    "STRIPE_SECRET_KEY": "sk_live_of_somebody",
    "STRIPE_API_BASE": "https://api.stripe.com",
    "STRIPE_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "PUBLIC_URL": "https://example.com",
    "MAIL_FROM": "Jetway <no-reply@example.com>",
    "FCM_SERVICE_ACCOUNT": "",
}


@pytest.fixture(scope="module")
def example() -> str:
    done = run("-m", "app", "env-example")
    assert done.returncode == 0, done.stderr
    return done.stdout


def started(**environment: str) -> subprocess.CompletedProcess[str]:
    """The product, imported in such an environment."""
    return run("-c", "import app.main", **environment)


def test_the_example_is_what_the_command_prints(example: str) -> None:
    """A setting cannot be added without its line in `.env.example`."""
    assert (ROOT / ".env.example").read_text().rstrip() == example.rstrip()


def test_every_setting_is_explained(example: str) -> None:
    """In a sentence, above its default."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert re.match(r"\S.*\.$", field.description, re.DOTALL), name
        assert f"# {field.description}\n#{name.upper()}=" in example


def test_a_copied_example_starts_with_the_defaults(example: str) -> None:
    """Uncommented as it stands, it changes nothing; empty values count as not set."""
    lines = re.findall(r"^#([A-Z_]+)=(.*)$", example, re.MULTILINE)
    copied = {name.lower(): value for name, value in lines if value}

    assert len(lines) == len(Settings.model_fields)
    bare = {name: field.default for name, field in Settings.model_fields.items()}
    read = Settings(_env_file=None, **copied)  # type: ignore[arg-type,call-arg]
    assert {name: getattr(read, name) for name in copied} == {name: bare[name] for name in copied}


def test_no_secret_is_in_the_example(example: str) -> None:
    """Nobody shall run with one that the world can read."""
    assert "#JWT_SECRET=\n" in example
    assert "#SECRET_KEY=\n" in example
    assert "for-development-only" not in example


def test_production_starts_with_strong_secrets() -> None:
    """The negative control of the refusals below."""
    done = started(**STRONG)

    assert done.returncode == 0, done.stderr[-500:]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"JWT_SECRET": ""}, "JWT_SECRET"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": STRONG["JWT_SECRET"]}, "must differ"),
        ({"AVIATIONSTACK_KEY": "sandbox"}, "AVIATIONSTACK_KEY"),
        ({"AVIATIONSTACK_BASE_URL": "http://localhost:8200/v1"}, "not for production"),
        ({"SMTP_URL": "smtp://mail.example.com", "PUBLIC_URL": "http://example.com"}, "PUBLIC_URL"),
        ({"SMTP_URL": "smtp://mail.example.com", "MAIL_FROM": "Jetway <x@jetway.invalid>"}, "MAIL_FROM"),
        ({"SMTP_URL": "http://mail.example.com"}, "SMTP_URL"),
        ({"STRIPE_SECRET_KEY": "sk_test_sandbox"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:8001"}, "not for production"),
        ({"MAIL_FROM": "Jetway <a@example.com>\r\nBcc: b@example.com"}, "MAIL_FROM"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_production_refuses_what_is_weak(changes: dict[str, str], said: str) -> None:
    """At the start, with a sentence that names the setting and not its value."""
    with pytest.raises(ValueError, match=said) as refused:
        Settings(_env_file=None, **{name.lower(): value for name, value in {**STRONG, **changes}.items()})  # type: ignore[arg-type,call-arg]

    assert refused.type.__name__ == "ValidationError"
