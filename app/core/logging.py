"""Structured logs: readable lines in development, one JSON object a line elsewhere.

Whatever is bound to the context (request id, task) appears on every line; values under a secret-looking
name never do.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from app.core.config import settings

_SECRET_NAMES = ("password", "secret", "token", "authorization", "access_key", "cookie", "document")


def _redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            event[name] = "[redacted]"
    return event


def configure() -> None:
    """Send our own and the libraries' logs through one pipeline to standard output."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
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
        final.append(structlog.processors.format_exc_info)  # type: ignore[arg-type]
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
    logging.getLogger("uvicorn.access").disabled = True  # Ours carries the request id and the route.


def logger(name: str) -> Any:
    return structlog.stdlib.get_logger(name)
