"""What can be switched at the card processor, checked before anything changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlsplit

WEBHOOKS = ("parallel", "reversed", "off")
SECONDS = {"slow_seconds", "processing_seconds", "refund_seconds", "delay_seconds", "retry_seconds"}
MOST_COPIES = 20
DEFAULT_SECRET = "whsec_sandbox"  # noqa: S105 - of a world that does not exist


@dataclass(frozen=True, slots=True)
class Settings:
    """How long things take, by the sandbox's clock, and how webhooks are sent, by the real one."""

    slow_seconds: float = 3.0
    processing_seconds: float = 3.0
    refund_seconds: float = 3.0
    webhook_urls: tuple[str, ...] = ()
    webhook_secret: str = DEFAULT_SECRET
    webhooks: str = WEBHOOKS[0]
    copies: int = 1
    delay_seconds: float = 0.0
    retry_seconds: float = 1.0
    before_answer: bool = False

    def changed(self, body: Any) -> Settings:
        """These settings with some of them changed; a value that makes no sense changes nothing."""
        if not isinstance(body, Mapping) or body.keys() - NAMES:
            raise ValueError(f"cards must be an object with names out of {sorted(NAMES)}")
        for name, value in body.items():
            _check(name, value)
        urls = {"webhook_urls": tuple(body["webhook_urls"])} if "webhook_urls" in body else {}
        return replace(self, **{**body, **urls})

    def shown(self) -> dict[str, Any]:
        """Without the secret."""
        told = {name: value for name, value in asdict(self).items() if name != "webhook_secret"}
        return {**told, "choices": {"webhooks": WEBHOOKS}}


NAMES = frozenset(field.name for field in fields(Settings))


def _check(name: str, value: Any) -> None:
    if name == "webhooks" and value not in WEBHOOKS:
        raise ValueError(f"webhooks must be one of {list(WEBHOOKS)}")
    if name == "webhook_urls" and not (isinstance(value, list | tuple) and all(map(_is_url, value))):
        raise ValueError("webhook_urls must be a list of addresses that begin with http:// or https://")
    if name == "webhook_secret" and not (isinstance(value, str) and value):
        raise ValueError("webhook_secret must be a text")
    if name == "copies" and not (type(value) is int and 1 <= value <= MOST_COPIES):
        raise ValueError(f"copies must be a whole number from 1 to {MOST_COPIES}")
    if name == "before_answer" and type(value) is not bool:
        raise ValueError("before_answer must be true or false")
    if name in SECONDS and not (type(value) in (int, float) and 0 <= value <= 86_400):
        raise ValueError(f"{name} must be a number from 0 to 86400")


def _is_url(value: Any) -> bool:
    return (
        isinstance(value, str)
        and urlsplit(value).scheme in ("http", "https")
        and bool(urlsplit(value).netloc)
    )
