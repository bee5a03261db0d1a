"""A collector of traces on this machine, which reads what OpenTelemetry's exporter sends by OTLP over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True)
class Span:
    """A part of a trace as it was sent; ids are hexadecimal, `raw` is everything."""

    process: str
    trace: str
    id: str
    parent: str
    name: str
    attributes: dict[str, Any]
    links: list[str]
    is_error: bool
    raw: bytes


class Collector:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.url = ""
        self.answers = asyncio.Event()
        self.answers.set()

    async def until(self, trace: str, enough: Callable[[list[Span]], Any]) -> list[Span]:
        """The spans of a trace, once they are enough."""
        async with asyncio.timeout(20):
            while not enough(found := self.of(trace)):  # noqa: ASYNC110  The exporter's batches tell nobody.
                await asyncio.sleep(0.05)
        return found

    def of(self, trace: str) -> list[Span]:
        return [span for span in self.spans if span.trace == trace]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self.answers.wait()
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = next(
                one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
            )
            for scope in resource.scope_spans:
                self.spans += [_read(process, span) for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")


def _read(process: str, span: Sent) -> Span:
    values = {one.key: getattr(one.value, one.value.WhichOneof("value") or "") for one in span.attributes}
    return Span(
        process,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        values,
        [link.span_id.hex() for link in span.links],
        span.status.code == Status.STATUS_CODE_ERROR,
        span.SerializeToString(),
    )


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield collector
    await runner.cleanup()
