"""Structured logs: readable lines in development, one JSON object a line elsewhere.

Whatever is bound to the context (request id, task) appears on every line; values under a secret-looking name never do,
nor does what looks like a secret or an address wherever it stands: libraries write lines of their own.
"""

import logging
import re
import sys
from collections.abc import Container, Iterable, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

import structlog

from app.core.config import settings

# A plain variable, because setting it is all that a hot request pays for.
request_id: ContextVar[str] = ContextVar("request_id", default="")
# The trace that the request or task in hand belongs to, as 32 hex digits; set by tracing, or told by who asks.
trace_id: ContextVar[str] = ContextVar("trace_id", default="")

_SECRET_NAMES = ("password", "secret", "token", "authorization", "access_key", "cookie", "document")

# Tokens of ours and of the card processor, JWTs, and e-mail addresses.
_SECRETS = re.compile(
    r"\b(?:frt_|jtw_|whsec_|sk_|rk_|pi_\w+_secret_)[\w+/=-]{6,}|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"
    r"|[\w.+%-]+@(?:[\w-]+\.)+[A-Za-z]{2,}"
)


def _redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            event[name] = "[redacted]"
        elif not name.startswith("_"):
            event[name] = _without_secrets(value)
    return event


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRETS.sub("[redacted]", value)
    if isinstance(value, dict):
        return {name: _without_secrets(one) for name, one in value.items()}
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value


def _identify(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if known := request_id.get():
        event["request_id"] = known
    if trace := trace_id.get():
        event["trace.id"] = trace
    return event


# PostgreSQL quotes the row or the key that it refused, and people's names and addresses are in it.
_QUOTED_ROW = re.compile(r"(DETAIL: ).*")


def _withhold(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "exception" in event:
        exception = _QUOTED_ROW.sub(r"\1[withheld]", str(event["exception"]))
        event["exception"] = _SECRETS.sub("[redacted]", exception)
    return event


def configure() -> None:
    """Send our own and the libraries' logs through one pipeline to standard output."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _identify,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="@timestamp"),
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    development = settings().app_env == "development"
    renderer: Any = (
        structlog.dev.ConsoleRenderer(
            timestamp_key="@timestamp",
            colors=sys.stdout.isatty(),
            # Values of local variables may be secrets, so tracebacks show code only.
            exception_formatter=structlog.dev.plain_traceback,
        )
        if development
        else structlog.processors.JSONRenderer()
    )
    final = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not development:
        final += [structlog.processors.format_exc_info, _withhold]  # type: ignore[list-item]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*final, renderer])
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings().log_level)
    for name in ("uvicorn", "uvicorn.error", "celery"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(
            logging.WARNING
        )  # Sweeps come every few seconds; failures are told by us.
    logging.getLogger("uvicorn.access").disabled = True  # Ours carries the request id and the route.


def logger(name: str) -> Any:
    return structlog.stdlib.get_logger(name)


class AccessLog:
    """One line a request, written in batches: a logging call for each would cost more than a hot answer."""

    def __init__(self, quiet: Container[str]) -> None:
        self._quiet = quiet
        self._readable = settings().app_env == "development"
        self._wanted = logging.getLevelName(settings().log_level) <= logging.INFO

    def write(self, answered: Iterable[tuple[tuple[str, str, int], float, float, bytes]]) -> None:
        """Each with its kind (method, route, status), its end by the monotonic clock, its seconds and its id.

        The route is a template and the id is well-formed, so nothing in a line needs escaping. Requests of one kind
        and millisecond share the beginning of their lines.
        """
        if not self._wanted:
            return
        middle, end = (" ms ", "\n") if self._readable else (',"request_id":"', '"}\n')
        lines, since = list[str](), time() - monotonic()
        last, until, beginning = None, 0.0, ""
        for kind, ended, seconds, request in answered:
            if ended >= until or kind is not last:
                millisecond = int((ended + since) * 1000)
                last, until = kind, (millisecond + 1) / 1000 - since
                beginning = "" if kind[1] in self._quiet else self._beginning(millisecond, *kind)
            if beginning:
                lines.append(f"{beginning}{seconds * 1000:.2f}{middle}{request.decode()}{end}")
        if lines:
            sys.stdout.write("".join(lines))
            sys.stdout.flush()

    def _beginning(self, millisecond: int, method: str, route: str, status: int) -> str:
        at = datetime.fromtimestamp(millisecond / 1000, UTC)
        if self._readable:
            return f"{at:%H:%M:%S} {method} {route} {status} "
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return (
            f'{{"@timestamp":"{stamp}","event":"request","level":"info",'
            f'"method":"{method}","route":"{route}","status":{status},"ms":'
        )
