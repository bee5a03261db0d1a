"""What production refuses to start with: secrets that others know, and outsides that are none."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.core.written import listed

if TYPE_CHECKING:
    from app.core.config import Settings

DEVELOPMENT_SECRET = "for-development-only-"  # noqa: S105  A known value, refused in production.
_SHORTEST_SECRET = 32


def refuse_weak(settings: "Settings") -> None:
    """Raises ValueError, which names the setting and never its value."""
    for name, secrets in (
        ("JWT_SECRET", settings.jwt_secrets or [""]),
        ("SECRET_KEY", settings.secret_keys or [""]),
        ("ENCRYPTION_KEY", listed(settings.encryption_key)),
    ):
        for secret in secrets:
            if len(secret) < _SHORTEST_SECRET or DEVELOPMENT_SECRET in secret:
                raise ValueError(f"{name} is the default or shorter than {_SHORTEST_SECRET} characters")
    if set(settings.jwt_secrets) & set(settings.secret_keys):
        raise ValueError("JWT_SECRET and SECRET_KEY must differ")
    if not settings.aviationstack_key or settings.aviationstack_key == "sandbox":
        raise ValueError("AVIATIONSTACK_KEY is missing or the sandbox's")
    asked = ["aviationstack_base_url", "opensky_base_url", "opensky_token_url"]
    asked += ["stripe_api_base"] if settings.stripe_secret_key else []
    asked += ["fcm_base_url"] if settings.fcm_service_account else []
    urls = {name.upper(): getattr(settings, name) for name in asked}
    if settings.fcm_service_account:
        urls["FCM_SERVICE_ACCOUNT's token_uri"] = settings.fcm_account["token_uri"]
    for name, url in urls.items():
        if on_this_machine(url):
            raise ValueError(f"{name} points to this machine: the sandbox is not for production")
        if not url.startswith("https://"):
            raise ValueError(f"{name} must be https: keys travel to it")
    if settings.smtp_url and not (settings.public_url.startswith("https://")):
        raise ValueError("PUBLIC_URL must be https: keys to bookings travel in links of mails")
    if settings.smtp_url and settings.mail_from.endswith(".invalid>"):
        raise ValueError("MAIL_FROM is missing")
    if settings.stripe_secret_key and (
        not settings.stripe_webhook_secret or settings.stripe_secret_key == "sk_test_sandbox"  # noqa: S105
    ):
        raise ValueError("STRIPE_WEBHOOK_SECRET is missing, or STRIPE_SECRET_KEY is the sandbox's")
    if settings.webhook_allowed_cidrs:
        raise ValueError("WEBHOOK_ALLOWED_CIDRS must be empty: users would reach what only this machine can")


def on_this_machine(url: str) -> bool:
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
