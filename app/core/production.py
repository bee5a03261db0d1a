"""What production refuses to start with: secrets that others know, doors left open, and outsiders that are none."""

import os
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import combinations
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.core.written import listed

if TYPE_CHECKING:
    from app.core.config import Settings

DEVELOPMENT_SECRET = "for-development-only-"  # noqa: S105  A known value, refused in production.
_PLACEHOLDERS = (DEVELOPMENT_SECRET, "changeme", "change-me", "change_me", "placeholder", "password")
_SHORTEST_SECRET = 32
# A random secret of 32 hexadecimal digits has fewer kinds of characters once in some hundred million times.
_FEWEST_KINDS = 8
# Half of all addresses is /1; the widest networks that belong to anybody are /8, and fc00::/7 to everybody.
_WIDEST_NETWORK = 7


def refuse_weak(settings: "Settings") -> None:
    """Raises ValueError, which names every weak setting and never a value."""
    found = [*_secrets(settings), *_doors(settings), *_vendors(settings), *_mail(settings)]
    if found:
        raise ValueError("; ".join(dict.fromkeys(found)))


def _secrets(settings: "Settings") -> Iterator[str]:
    """Each is long, was drawn at random, and is used for one thing."""
    kept = {
        "JWT_SECRET": settings.jwt_secrets or [""],
        "SECRET_KEY": settings.secret_keys or [""],
        "ENCRYPTION_KEY": listed(settings.encryption_key),
        "ADMIN_METRICS_TOKEN": [settings.admin_metrics_token] if settings.admin_metrics_token else [],
        "STRIPE_WEBHOOK_SECRET": [settings.stripe_webhook_secret] if settings.stripe_secret_key else [],
    }
    for name, secrets in kept.items():
        for secret in secrets:
            if len(secret) < _SHORTEST_SECRET or any(known in secret.lower() for known in _PLACEHOLDERS):
                yield f"{name} is missing, a placeholder or shorter than {_SHORTEST_SECRET} characters"
            elif _is_a_pattern(secret):
                yield f"{name} could be guessed: draw it at random, as `openssl rand -hex 32` does"
    for one, other in combinations(kept, 2):
        if set(kept[one]) & set(kept[other]) - {""}:
            yield f"{one} and {other} must differ"
    if not settings.database_url and settings.postgres_password == "jetway":  # noqa: S105
        yield "POSTGRES_PASSWORD is the default"


def _is_a_pattern(secret: str) -> bool:
    """Whether it has few kinds of characters, or is one piece three times or more."""
    return len(set(secret)) < _FEWEST_KINDS or secret in (secret * 2)[1 : len(secret) + len(secret) // 3]


def _doors(settings: "Settings") -> Iterator[str]:
    """Nobody is told more, believed more or let in more often than outsiders should be."""
    if settings.debug:
        yield "DEBUG must be off: it explains errors to whoever asks"
    if settings.log_level == "DEBUG":
        yield "LOG_LEVEL must not be DEBUG: libraries write down what they send"
    if not settings.rate_limit_enabled:
        yield "RATE_LIMIT_ENABLED must be on"
    if any(origin.startswith("http://") for origin in listed(settings.cors_origins)):
        yield "CORS_ORIGINS must be https: whoever shares a network could write such a page"
    if any(ip_network(proxy).prefixlen < _WIDEST_NETWORK for proxy in listed(settings.trusted_proxies)):
        yield "TRUSTED_PROXIES covers everybody: anybody could choose their address"
    if settings.webhook_allowed_cidrs:
        yield "WEBHOOK_ALLOWED_CIDRS must be empty: users would reach what only this machine can"
    if os.environ.get("DEMO_EMAIL") or os.environ.get("DEMO_PASSWORD"):
        yield "DEMO_EMAIL and DEMO_PASSWORD must be empty: everybody may know that account"


def _vendors(settings: "Settings") -> Iterator[str]:
    """Each is a real one, and keys travel to it in secret."""
    if not settings.aviationstack_key or settings.aviationstack_key == "sandbox":
        yield "AVIATIONSTACK_KEY is missing or the sandbox's"
    if settings.stripe_secret_key == "sk_test_sandbox":  # noqa: S105
        yield "STRIPE_SECRET_KEY is the sandbox's"
    asked = ["aviationstack_base_url", "opensky_base_url", "opensky_token_url"]
    asked += ["stripe_api_base"] if settings.stripe_secret_key else []
    asked += ["fcm_base_url"] if settings.fcm_service_account else []
    urls = {name.upper(): getattr(settings, name) for name in asked}
    if settings.fcm_service_account:
        urls["FCM_SERVICE_ACCOUNT's token_uri"] = settings.fcm_account["token_uri"]
    for name, url in urls.items():
        if on_this_machine(url):
            yield f"{name} points to this machine: the sandbox is not for production"
        elif not url.startswith("https://"):
            yield f"{name} must be https: keys travel to it"


def _mail(settings: "Settings") -> Iterator[str]:
    if settings.smtp_url and not settings.public_url.startswith("https://"):
        yield "PUBLIC_URL must be https: keys to bookings travel in links of mails"
    if settings.smtp_url and settings.mail_from.endswith(".invalid>"):
        yield "MAIL_FROM is missing"


def on_this_machine(url: str) -> bool:
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
