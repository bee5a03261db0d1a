"""What production refuses to start with: secrets that others know, doors left open, and outsiders that are none."""

import os
import secrets
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import combinations
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import make_url

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
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
# `require` encrypts and believes whoever answers. `verify-ca` is for authorities that sign for one server alone, as
# some hosters' do; for both a file of authorities has to be named.
_PROVED = ("verify-full", "verify-ca")
_OF_THE_API = ("jwt_secret", "stripe_webhook_secret")
# What a process does nothing with; these sign and call nobody.
_NOT_NEEDED = {
    "worker": _OF_THE_API,
    "beat": (*_OF_THE_API, "secret_key", "aviationstack_key"),
    "migration": (*_OF_THE_API, "secret_key", "aviationstack_key"),
}


def draw_what_is_not_needed(settings: "Settings") -> None:
    """What a process is not told nobody else knows either: whatever it signed by mistake would be worth nothing."""
    for name in _NOT_NEEDED.get(settings.process, ()):
        if name not in settings.model_fields_set:
            setattr(settings, name, secrets.token_hex(_SHORTEST_SECRET))


def refuse_weak(settings: "Settings") -> None:
    """Raises ValueError, which names every weak setting and never a value."""
    found = [*_secrets(settings), *_doors(settings), *_vendors(settings), *_mail(settings), *_inner(settings)]
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
    for name, listed_secrets in kept.items():
        for secret in listed_secrets:
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


def _inner(settings: "Settings") -> Iterator[str]:
    """What is ours is spoken to so that nobody between can read or answer, or in a network that the operator names."""
    plain = {*_THIS_MACHINE, *listed(settings.plain_hosts.lower())}
    databases = {
        "DATABASE_URL": settings.sqlalchemy_url,
        "DATABASE_REPLICA_URL": settings.sqlalchemy_replica_url,
    }
    for name, url in databases.items():
        if url and not _database_proves_itself(url) and not _database_hosts(url) <= plain:
            yield f"{name} must say sslmode=verify-full, or PLAIN_HOSTS name its host"
    if not _redis_proves_itself(settings.redis_url) and not _is_one_of(plain, settings.redis_url):
        yield "REDIS_URL must be rediss://, whose certificate is verified, or PLAIN_HOSTS name its host"
    collector = settings.otel_exporter_otlp_endpoint
    if collector.startswith("http://") and not _is_one_of(plain, collector):
        yield "OTEL_EXPORTER_OTLP_ENDPOINT must be https, or PLAIN_HOSTS name its host"


def _database_proves_itself(url: str) -> bool:
    """Whichever way it is said: `ssl` is the driver's own word for it."""
    said = make_url(url).normalized_query
    words = [*said.get("sslmode", ()), *said.get("ssl", ())]
    return bool(words) and all(word in _PROVED for word in words)


def _database_hosts(url: str) -> set[str]:
    """All that an address names; a socket of this machine is none."""
    address = make_url(url)
    named = [unquote(address.host or ""), *address.normalized_query.get("host", ())]
    hosts = [host for several in named for host in several.split(",") if host and not host.startswith("/")]
    return {host.partition(":")[0] if host.count(":") == 1 else host for host in hosts}


def _redis_proves_itself(url: str) -> bool:
    said = parse_qs(urlsplit(url).query)
    asked = said.get("ssl_cert_reqs", ["required"]) + said.get("ssl_check_hostname", ["true"])
    return url.startswith("rediss://") and {word.lower() for word in asked} <= {
        "required",
        "true",
        "1",
        "yes",
    }


def _is_one_of(hosts: set[str], url: str) -> bool:
    """Whether it is at one of these, or, without a host, a socket of this machine."""
    return (urlsplit(url).hostname or "localhost") in hosts


def on_this_machine(url: str) -> bool:
    return urlsplit(url).hostname in _THIS_MACHINE
