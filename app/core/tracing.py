"""Traces: which parts a request or a task had, in whichever process, and how long each of them took.

The only module that knows OpenTelemetry's tracer and exporter, and it loads them where traces are switched on and
nowhere else: without a collector's address every function here returns at once. What is told of a part comes from
closed sets and our own ids, never from what somebody has sent: no paths, no queries, no messages of exceptions.
"""

import logging as standard_logging
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from random import random
from time import time_ns
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from app import __version__
from app.core import logging
from app.core.config import settings

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.trace import Span

log = logging.logger("jetway.tracing")

Kind = Literal["server", "client", "producer", "consumer", "internal"]
Told = Mapping[str, str | int | float | bool]

# Spans that wait for the collector. When there are more, the oldest are lost.
_QUEUE, _BATCH, _SENT_EVERY_MS = 4096, 512, 2000
_COLLECTOR_SECONDS = 5.0
# At the end of a process: short, because nobody may have to wait for a collector.
_ENDS_WITHIN_SECONDS = 2.0


class Part(Protocol):
    """What runs between entering and leaving it; what begins in between is a part of it."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def name(self, name: str) -> None: ...
    def tell(self, told: Told) -> None: ...
    def failed(self, why: str) -> None: ...


class _Untraced:
    """A part of no trace."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...
    def name(self, name: str) -> None: ...
    def tell(self, told: Told) -> None: ...
    def failed(self, why: str) -> None: ...


UNTRACED = _Untraced()
_tracing: "_Tracing | None" = None


def is_wanted() -> bool:
    return bool(settings().otel_exporter_otlp_endpoint)


def begin(process: str) -> None:
    """Trace from now on what this process does, if that is wanted; in a worker after the fork."""
    global _tracing
    if is_wanted() and _tracing is None:
        _tracing = _Tracing(process)


def end() -> None:
    """Send what is left, if the collector takes it soon."""
    global _tracing
    if _tracing is not None:
        _tracing.end()
        _tracing = None


def joined(name: str, kind: Kind, traceparent: str | None, told: Told | None = None) -> Part:
    """A part of the trace that a request or a message belongs to. One that belongs to none may begin one of its own."""
    return UNTRACED if _tracing is None else _tracing.joined(name, kind, traceparent, told)


def followed(name: str, kind: Kind, traceparent: str | None, told: Told | None = None) -> Part:
    """What follows from a row that was written within a trace; nothing where it was not.

    It links to what it is done in here, such as a task that works off many rows.
    """
    return (
        UNTRACED
        if _tracing is None or traceparent is None
        else _tracing.followed(name, kind, traceparent, told)
    )


def span(name: str, kind: Kind, told: Told | None = None) -> Part:
    """A part of what is traced here; nothing where nothing is."""
    return UNTRACED if _tracing is None else _tracing.span(name, kind, told)


def called(provider: str, endpoint: str, outcome: str, seconds: float) -> None:
    """A vendor was asked, and that has just ended."""
    if _tracing is not None:
        told = {"jetway.provider": provider, "jetway.endpoint": endpoint, "jetway.outcome": outcome}
        _tracing.took(f"{provider} {endpoint}", seconds, told)


def waited(event: dict[str, Any]) -> None:
    """An event was found in the outbox: what it waited for is a part, and what follows from it follows from that."""
    if _tracing is not None and event["traceparent"] is not None:
        event["traceparent"] = _tracing.waited(event["type"], event["created_at"], event["traceparent"])


def count(name: str) -> None:
    """One more of them in the part that runs here."""
    if _tracing is not None:
        _tracing.count(name)


def traceparent() -> str | None:
    """The part that runs here as W3C writes it, for a row from which something follows; None if it is not traced."""
    return None if _tracing is None else _tracing.traceparent()


def headers() -> dict[str, str]:
    """What goes with a message, so that who takes it joins this trace, or knows that it was decided not to trace it."""
    return {} if _tracing is None else _tracing.headers()


class _Tracing:
    """OpenTelemetry, as far as it is used here. Nothing of it is set for the whole process."""

    def __init__(self, process: str) -> None:
        from opentelemetry import context, trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        # It would say of every batch that it was not taken; what there is to say is said in `_Collector`.
        standard_logging.getLogger("opentelemetry").setLevel(standard_logging.CRITICAL)
        self._context, self._trace, self._share = context, trace, settings().otel_traces_sampler_arg
        self._kinds = {kind.name.lower(): kind for kind in trace.SpanKind}
        self._format = TraceContextTextMapPropagator()
        self._provider = TracerProvider(
            sampler=ParentBased(ALWAYS_ON),
            resource=Resource.create(
                {
                    "service.namespace": "jetway",
                    "service.name": f"jetway-{process}",
                    "service.version": __version__,
                    "service.instance.id": f"{os.uname().nodename}:{os.getpid()}",
                    "deployment.environment.name": settings().app_env,
                }
            ),
            shutdown_on_exit=False,
        )
        address = f"{settings().otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
        exporter: Any = _Collector(OTLPSpanExporter(endpoint=address, timeout=_COLLECTOR_SECONDS))
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=_QUEUE,
                max_export_batch_size=_BATCH,
                schedule_delay_millis=_SENT_EVERY_MS,
            )
        )
        self._tracer = self._provider.get_tracer("jetway", __version__)

    def end(self) -> None:
        """The library would wait for as long as the collector makes it, and its thread ends with the process."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(_ENDS_WITHIN_SECONDS)

    def joined(self, name: str, kind: Kind, traceparent: str | None, told: Told | None) -> Part:
        # Decided here and not by the library's sampler, which makes a span of what is not traced: a hot answer would
        # cost half as much again.
        before = self._read(traceparent) if traceparent else self._context.Context()
        if not before and random() >= self._share:
            return UNTRACED
        return _Running(self, self._started(name, kind, told, before))

    def followed(self, name: str, kind: Kind, traceparent: str, told: Told | None) -> Part:
        here = self._here()
        links = [self._trace.Link(here.get_span_context())] if here.is_recording() else []
        return _Running(self, self._started(name, kind, told, self._read(traceparent), links=links))

    def span(self, name: str, kind: Kind, told: Told | None) -> Part:
        if not self._here().is_recording():
            return UNTRACED
        return _Running(self, self._started(name, kind, told, None))

    def took(self, name: str, seconds: float, told: Told) -> None:
        if self._here().is_recording():
            began = time_ns() - int(seconds * 1e9)
            self._started(name, "client", told, None, start_time=began).end()

    def waited(self, event_type: str, since: datetime, traceparent: str) -> str | None:
        # By the database's clock, which may be a moment ahead.
        began = min(time_ns(), int(since.timestamp() * 1e9))
        part = self._started(
            f"outbox {event_type}", "consumer", None, self._read(traceparent), start_time=began
        )
        part.end()
        return self._written(self._trace.set_span_in_context(part)).get("traceparent")

    def count(self, name: str) -> None:
        here: Any = self._here()
        if here.is_recording():
            here.set_attribute(name, here.attributes.get(name, 0) + 1)

    def traceparent(self) -> str | None:
        recorded = self._here().is_recording()
        return self._written(None).get("traceparent") if recorded else None

    def headers(self) -> dict[str, str]:
        return self._written(None)

    def entered(self, span: "Span") -> "Context":
        """Let a span be what runs here; gives what did before."""
        before = self._context.get_current()
        self._context.attach(self._trace.set_span_in_context(span, before))
        return before

    def left(self, before: "Context") -> None:
        # Not by its token: a generator may be closed in another task than it was entered in.
        self._context.attach(before)

    def is_failure(self, span: "Span", why: str) -> None:
        span.set_attribute("error.type", why)
        span.set_status(self._trace.StatusCode.ERROR)

    def _here(self) -> "Span":
        return self._trace.get_current_span()

    def _started(
        self, name: str, kind: Kind, told: Told | None, before: "Context | None", **more: Any
    ) -> "Span":
        return self._tracer.start_span(name, before, self._kinds[kind], told, **more)

    def _read(self, traceparent: str) -> "Context":
        return self._format.extract({"traceparent": traceparent}, self._context.Context())

    def _written(self, within: "Context | None") -> dict[str, str]:
        carrier: dict[str, str] = {}
        self._format.inject(carrier, within)
        return carrier


class _Running:
    """A part, and what is told of it."""

    __slots__ = ("_before", "_logged", "_span", "_tracing")

    def __init__(self, tracing: _Tracing, span: "Span") -> None:
        self._tracing, self._span = tracing, span

    def __enter__(self) -> Self:
        self._before, self._logged = self._tracing.entered(self._span), logging.trace_id.get()
        logging.trace_id.set(f"{self._span.get_span_context().trace_id:032x}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            # Not a failure: it may be an ordinary refusal, of which only its name is told.
            self._span.set_attribute("error.type", kind.__name__)
        self._span.end()
        self._tracing.left(self._before)
        logging.trace_id.set(self._logged)

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def tell(self, told: Told) -> None:
        self._span.set_attributes(told)

    def failed(self, why: str) -> None:
        self._tracing.is_failure(self._span, why)


class _Collector:
    """Where traces go. That they do not arrive is said once, and once when they do again."""

    def __init__(self, exporter: "OTLPSpanExporter") -> None:
        self._exporter, self._well = exporter, True

    def export(self, spans: Sequence[Any]) -> Any:
        result = self._exporter.export(spans)
        well = result.name == "SUCCESS"
        if well is not self._well:
            self._well = well
            if well:
                log.info("traces arrive again")
            else:
                log.warning("traces are lost: the collector does not take them")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
