"""Structured logs: readable lines in development, one JSON object a line elsewhere.

Whatever is bound to the context (request id, task) appears on every line; values under a secret-looking
name never do.
"""

import asyncio
import logging
import re
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import structlog

from app.core.config import settings

# A plain variable, because setting it is all that a hot request pays for.
request_id: ContextVar[str] = ContextVar("request_id", default="")

_SECRET_NAMES = ("password", "secret", "token", "authorization", "access_key", "cookie", "document")


def _redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            event[name] = "[redacted]"
    return event


def _identify(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if known := request_id.get():
        event["request_id"] = known
    return event


# PostgreSQL quotes the row or the key that it refused, and people's names and addresses are in it.
_QUOTED_ROW = re.compile(r"(DETAIL: ).*")


def _withhold(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "exception" in event:
        event["exception"] = _QUOTED_ROW.sub(r"\1[withheld]", str(event["exception"]))
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

    _FLUSH_SECONDS = 0.1

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._readable = settings().app_env == "development"
        self._wanted = logging.getLevelName(settings().log_level) <= logging.INFO

    def add(self, method: str, route: str, status: int, seconds: float, request: bytes) -> None:
        """The route is a template and the id is well-formed, so nothing in the line needs escaping."""
        if not self._wanted:
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(self._FLUSH_SECONDS, self.flush)
        now = datetime.now(UTC)
        if self._readable:
            line = f"{now:%H:%M:%S} {method} {route} {status} {seconds * 1000:.2f} ms {request.decode()}\n"
        else:
            line = (
                f'{{"@timestamp":"{now.isoformat()}","event":"request","level":"info","method":"{method}",'
                f'"route":"{route}","status":{status},"ms":{seconds * 1000:.2f},"request_id":"{request.decode()}"}}\n'
            )
        self._lines.append(line)

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        sys.stdout.write("".join(lines))
        sys.stdout.flush()
