"""How settings are written: each check gives the value to keep, or raises ValueError with what is wanted."""

from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from app.core import service_account


def listed(values: str) -> list[str]:
    """What stands between commas."""
    return [value.strip() for value in values.split(",") if value.strip()]


def without_last_slash(url: str) -> str:
    return url.rstrip("/")


def with_version_path(url: str) -> str:
    url = url.rstrip("/")
    return url if urlsplit(url).path else f"{url}/v1"


def a_folder(path: str) -> str:
    if path and not Path(path).is_dir():
        raise ValueError("it must be a folder that can be read")
    return path


def a_mail_server(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
        raise ValueError("SMTP_URL must be smtp://host:port or smtps://host:port")
    return url


def a_sender(sender: str) -> str:
    if not sender.isprintable() or "@" not in parseaddr(sender)[1]:
        raise ValueError("MAIL_FROM must be an address, as `Name <address>`")
    return sender


def a_schedule(steps: str) -> str:
    try:
        good = all(0 <= float(step) < 1e7 for step in steps.split(","))
    except ValueError:
        good = False
    if not good:
        raise ValueError("WEBHOOK_RETRY_SCHEDULE must be seconds, such as 5,300,1800")
    return steps


def proxies(addresses: str) -> str:
    try:
        for address in listed(addresses):
            ip_network(address)
    except ValueError:
        raise ValueError(
            "TRUSTED_PROXIES must be addresses or networks such as 10.1.0.0/16, separated by commas"
        ) from None
    return addresses


def origins(pages: str) -> str:
    for page in listed(pages):
        parts = urlsplit(page)
        if page != "*" and (
            parts.scheme not in ("http", "https") or page != f"{parts.scheme}://{parts.netloc}"
        ):
            raise ValueError("CORS_ORIGINS must be origins such as https://app.example.com, or *")
    return pages


def networks(cidrs: str) -> str:
    try:
        for cidr in listed(cidrs):
            ip_network(cidr)
    except ValueError:
        raise ValueError(
            "WEBHOOK_ALLOWED_CIDRS must be networks such as 10.1.0.0/16, separated by commas"
        ) from None
    return cidrs


def a_service_account(told: str) -> str:
    if told and not service_account.read(told):
        raise ValueError(
            "FCM_SERVICE_ACCOUNT must be the JSON of a service account's key, or the path of its file"
        )
    return told


def a_database(url: str) -> str:
    if url:
        for_sqlalchemy(url)
    return url


def a_collector(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("it must be http:// or https:// and a host")
    return url


def for_sqlalchemy(url: str) -> str:
    """A database's address with the driver that SQLAlchemy shall use."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("it must start with postgresql://")
    return f"postgresql+asyncpg://{rest}"
