"""Structured logs: readable lines in development, one JSON object a line elsewhere, in the Elastic Common Schema.

What is ours and has no name there is called `jetway.…`. Whatever is bound to the context (request, trace, task) appears
on every line; what `redaction` knows never does, because libraries write lines of their own.
"""

import logging
import math
import os
import re
import socket
import sys
import traceback
from collections.abc import Container, Iterable, MutableMapping
from contextvars import ContextVar
from datetime import UTC, date, datetime
from functools import lru_cache
from time import monotonic, time
from types import TracebackType
from typing import Any

import orjson
import structlog

from app import __version__
from app.core import redaction
from app.core.config import settings
from app.core.work import Work

ECS_VERSION = "8.17.0"
# The datasets: what anybody has to say, one line a request, one line a task, what the business did, who did what.
APP, ACCESS, TASKS = "jetway.app", "jetway.access", "jetway.tasks"
BUSINESS, AUDIT = "jetway.business", "jetway.audit"

# A plain variable, because setting it is all that a hot request pays for.
request_id: ContextVar[str] = ContextVar("request_id", default="")
# The trace that the request or task in hand belongs to, as 32 hex digits; set by tracing, or told by who asks.
trace_id: ContextVar[str] = ContextVar("trace_id", default="")

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_Event = MutableMapping[str, Any]


def for_people() -> bool:
    """Whether lines are for people to read."""
    wanted = settings().log_format or ("console" if settings().app_env == "development" else "json")
    return wanted == "console"


def wanted(level: int) -> bool:
    return logging.getLevelNamesMapping()[settings().log_level] <= level


def trace_in(traceparent: str | None) -> str | None:
    """The trace that somebody says this belongs to, by the W3C's Trace Context; None if that is none."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found else None


def stamped(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=1)
def who_says_it() -> dict[str, Any]:
    """What is the same on every line of this process; a child of it is another one."""
    return {
        "ecs.version": ECS_VERSION,
        "service.name": "jetway",
        "service.version": __version__,
        "service.environment": settings().app_env,
        "service.node.name": socket.gethostname(),
        "process.pid": os.getpid(),
    }


@lru_cache(maxsize=1)
def who_in_json() -> str:
    """The same as a part of a line."""
    return orjson.dumps(who_says_it()).decode()[1:-1]


os.register_at_fork(after_in_child=who_says_it.cache_clear)
os.register_at_fork(after_in_child=who_in_json.cache_clear)


def write(lines: Iterable[str]) -> None:
    """Put ready lines, each with its end, where the others go, for those who cannot afford a logging call for each."""
    if told := "".join(lines):
        sys.stdout.write(told)
        sys.stdout.flush()


def _identify(_: object, __: str, event: _Event) -> _Event:
    if known := request_id.get():
        event["http.request.id"] = known
    if trace := trace_id.get():
        event["trace.id"] = trace
    return event


def _redact(_: object, __: str, event: _Event) -> _Event:
    for name, told in event.items():
        if name != "exc_info" and not name.startswith("_"):
            event[name] = redaction.value(name, told)
    return event


def _as_ecs(_: object, __: str, event: _Event) -> _Event:
    """The names of the schema, the three that it wants first in front."""
    line = {
        "@timestamp": event.pop("@timestamp"),
        "log.level": event.pop("level"),
        "message": str(event.pop("event")),
        **who_says_it(),
        "log.logger": event.pop("logger"),
        "event.dataset": event.pop("event.dataset", APP),
    }
    if error := _raised(event.pop("exc_info", None)):
        line |= {
            "error.type": type(error).__qualname__,
            "error.message": redaction.quoting(str(error)),
            "error.stack_trace": redaction.quoting("".join(traceback.format_exception(error)).rstrip()),
        }
    for name, told in event.items():
        line[name if "." in name else f"jetway.{name}"] = _plain(told)
    return line


def _raised(told: Any) -> BaseException | None:
    """An exception however it was handed over: itself, as `sys.exc_info` gives it, or the one in hand."""
    if isinstance(told, BaseException):
        return told
    return (told if isinstance(told, tuple) else sys.exc_info())[1] if told else None


def _plain(told: Any) -> Any:
    """As JSON has it. An object would be fields of its own that no mapping knows, so it is told as a text."""
    if isinstance(told, str | int | None):
        return told
    if isinstance(told, float):
        return told if math.isfinite(told) else None
    if isinstance(told, list | tuple | set | frozenset):
        return [_plain(one) for one in told]
    return told.isoformat() if isinstance(told, date) else str(told)


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
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if for_people():
        # Values of local variables may be secrets, so tracebacks show code only.
        final.append(
            structlog.dev.ConsoleRenderer(
                timestamp_key="@timestamp",
                colors=sys.stdout.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
            )
        )
    else:
        final += [_as_ecs, structlog.processors.JSONRenderer(separators=(",", ":"))]
        sys.excepthook = _ended_by
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings().log_level)
    logging.getLogger(AUDIT).setLevel(logging.INFO)  # Whoever wants fewer lines does not mean these.
    logging.captureWarnings(True)
    for name in ("uvicorn", "uvicorn.error", "celery"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(
            logging.WARNING
        )  # Sweeps come every few seconds; failures are told by us.
    logging.getLogger("uvicorn.access").disabled = True  # Ours carries the request id and the route.


def _ended_by(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends a process is told like everything else, and as sparingly."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger("jetway").critical("ended by an error", exc_info=(kind, error, trace))


def logger(name: str) -> Any:
    return structlog.stdlib.get_logger(name)


class AccessLog:
    """One line a request, written in batches: a logging call for each would cost more than a hot answer."""

    def __init__(self, quiet: Container[str]) -> None:
        self._quiet = quiet
        self._readable = for_people()
        self._wanted = wanted(logging.INFO)

    def write(self, answered: Iterable[tuple[tuple[str, str, int], float, float, bytes, Work]]) -> None:
        """Each with its kind (method, route, status), its end by the monotonic clock, its seconds, its id and what
        else is known of it.

        The route is a template and ids are well-formed, so nothing in a line needs escaping. Requests of one kind and
        millisecond share the beginning of their lines.
        """
        if not self._wanted:
            return
        lines, since = list[str](), time() - monotonic()
        last, until, beginning = None, 0.0, ""
        for kind, ended, seconds, request, work in answered:
            if ended >= until or kind is not last:
                millisecond = int((ended + since) * 1000)
                last, until = kind, (millisecond + 1) / 1000 - since
                beginning = "" if kind[1] in self._quiet else self._beginning(millisecond, *kind)
            if not beginning:
                continue
            if self._readable:
                lines.append(f"{beginning}{seconds * 1000:.2f} ms {request.decode()}\n")
            else:
                known = work.told or _known(work)
                lines.append(
                    f'{beginning}{int(seconds * 1e9)},"http.request.id":"{request.decode()}"{known}}}\n'
                )
        write(lines)

    def _beginning(self, millisecond: int, method: str, route: str, status: int) -> str:
        at = datetime.fromtimestamp(millisecond / 1000, UTC)
        if self._readable:
            return f"{at:%H:%M:%S} {method} {route} {status} "
        return (
            f'{{"@timestamp":"{stamped(at)}","log.level":"info","message":"{method} {route} {status}",{who_in_json()},'
            f'"log.logger":"{ACCESS}","event.dataset":"{ACCESS}",'
            f'"event.outcome":"{"failure" if status >= 500 else "success"}",'
            f'"http.request.method":"{method}","jetway.route":"{route}","http.response.status_code":{status},'
            f'"event.duration":'
        )


def _known(work: Work) -> str:
    """The end of a request's line."""
    known = f',"trace.id":"{work.trace}"' if work.trace else ""
    known += f',"user.id":"{work.user}"' if work.user else ""
    known += f',"jetway.key_id":"{work.key}"' if work.key else ""
    known += f',"jetway.cache":"{work.cache}"' if work.cache else ""
    if work.calls:
        known += (
            f',"jetway.upstream.calls":{work.calls},"jetway.upstream.duration":{work.call_seconds * 1e9:.0f}'
        )
    return known


def shared(work: Work) -> Work:
    """A record for many requests that are alike, with the end of their lines."""
    work.told = _known(work)
    return work


# Nobody in particular was given what was ready.
HOT = shared(Work(cache="hot"))
