"""What may not get into a log, whoever writes the line: secrets, and what tells who somebody is.

By the name of a field, by what a text looks like, and by our own secrets word for word: libraries quote what they send,
and exceptions what they could not read. Names of people look like any other words, so nothing that holds one is logged.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from app.core.config import settings
from app.core.text import holds_card_number

REDACTED = "[redacted]"

# Parts of the names of fields, ours and those of the Elastic Common Schema.
_NAMES = re.compile(
    r"password|secret|token|authorization|access_key|private_key|cookie|signature|document|passport|card_number"
    r"|email|phone|recipient|given_name|family_name|full_name|born_on|address|url|query|body|headers"
    r"|user\.name|user_agent|client\.|source\.",
    re.IGNORECASE,
)

# Tokens of ours and of the card processor, JWTs, private keys, what stands in headers and queries, passwords in URLs,
# e-mail addresses and telephone numbers.
_SECRETS = re.compile(
    r"\b(?:frt_|jtw_|whsec_|sk_|rk_|pi_\w+_secret_)[\w+/=-]{6,}|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*-----)?"
    r"|(?i:\b(?:bearer|basic) +)[\w.~+/=-]{8,}"
    r"|(?i:\bcookie[\"']?: *)[^\r\n]+"
    r"|(?i:\b(?:access_key|api_key|client_secret|password|secret|signature|token)=)[^\s&\"'<>]+"
    r"|(?<=://)[^\s/:@\"']*:[^\s/@\"']+(?=@)"
    r"|(?<![\w.+%-])[\w.+%-]+@(?:[\w-]+\.)+[A-Za-z]{2,}"
    r"|(?<![\w.+-])\+[1-9](?:[ ()-]{0,2}\d){6,14}(?!\d)"
)
_DIGITS = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")

# PostgreSQL quotes the row or the value that it refused, its driver the argument, pydantic and Python the input.
_QUOTED = re.compile(
    r"(DETAIL: ).*"
    r"|(invalid input for query argument \$\d+: ).*"
    r"|(invalid input syntax for type [^:\n]+: ).*"
    r"|(field value out of range: ).*"
    r"|(input_value=).*?(?=, input_type=|$)"
    r"|(invalid literal for \w+\(\) with base \d+: ).*",
    re.MULTILINE,
)
_SHORTEST_KEPT = 8


def value(name: str, told: Any) -> Any:
    """A field's value as a line may have it."""
    if _NAMES.search(name):
        return REDACTED
    if isinstance(told, str):
        return text(told)
    if isinstance(told, dict):
        return {key: value(str(key), one) for key, one in told.items()}
    return [value(name, one) for one in told] if isinstance(told, list | tuple | set | frozenset) else told


def text(told: str) -> str:
    told = _kept().sub(REDACTED, _SECRETS.sub(REDACTED, told))
    return _DIGITS.sub(lambda found: REDACTED if holds_card_number(found[0]) else found[0], told)


def quoting(told: str) -> str:
    """What an exception says, or a traceback, without the values that it quotes."""
    return text(_QUOTED.sub(lambda found: "".join(filter(None, found.groups())) + "[withheld]", told))


@lru_cache(maxsize=1)
def _kept() -> re.Pattern[str]:
    """Our own secrets, the longest first; short ones are words."""
    words = sorted({one for one in _secrets() if len(one) >= _SHORTEST_KEPT}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)) or r"(?!)")


def _secrets() -> Iterator[str]:
    known = settings()
    yield from (
        *known.jwt_secrets,
        *known.encryption_keys,
        known.admin_metrics_token,
        known.postgres_password,
    )
    yield from (known.aviationstack_key, known.opensky_pass)
    yield from (known.stripe_secret_key, known.stripe_webhook_secret)
    for url in (known.database_url, known.database_replica_url, known.redis_url, known.smtp_url):
        password = urlsplit(url).password
        if password:
            yield password
            yield unquote(password)
