"""Traces as a collector gets them from an API process and a worker: whole, of no person, and in nobody's way."""

import asyncio
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from time import monotonic

import pytest
import pytest_asyncio

from tests.faults.workers import worker
from tests.support.client import Client, adult
from tests.support.collector import Collector, Span, collecting
from tests.support.stack import api_process, run
from tests.webhooks.conftest import hooks, receiver  # noqa: F401
from tests.webhooks.support import Hooks

NAMES = ("Canarina", "Serinus", "canary@example.com", "+441632960777")


def traced_by(collector: Collector) -> dict[str, str]:
    """Everything, unless who asks says otherwise."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_SAMPLER_ARG": "1"}


@pytest_asyncio.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as one:
        yield one


@pytest.fixture(scope="module")
def traced_api(address: str, collector: Collector) -> Iterator[str]:
    """An API process and a worker that are traced."""
    with worker(**traced_by(collector)), api_process(**traced_by(collector)) as url:
        yield url


@pytest.fixture
def buyer(traced_api: str, hooks: Hooks) -> Client:  # noqa: F811
    """The subscriber, at the process that traces."""
    return Client(hooks.traveller.session, traced_api, hooks.traveller.token)


def a_trace(*, sampled: bool) -> tuple[str, dict[str, str]]:
    trace = secrets.token_hex(16)
    return trace, {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-0{int(sampled)}"}


async def bought(buyer: Client, hooks: Hooks, headers: dict[str, str]) -> str:  # noqa: F811
    """A booking of a canary, paid for in the same request."""
    offer = await hooks.fleet.offer(hooks.traveller, await hooks.fleet.flight())
    body = {
        "offer_id": offer["id"],
        "passengers": [adult(given_name=NAMES[0], family_name=NAMES[1])],
        "contact": {"email": NAMES[2], "phone": NAMES[3]},
        "payment": {"payment_method": "pm_card_visa"},
    }
    answer = await buyer.post("/bookings", body, headers)
    assert answer.status == 201, answer.body
    pnr: str = answer.body["pnr"]
    return pnr


async def delivered(hooks: Hooks, event: str) -> None:  # noqa: F811
    async with asyncio.timeout(20):
        while event not in [one.event["type"] for one in hooks.receiver.arrivals]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_one_trace_leads_from_the_request_to_the_delivery(
    buyer: Client,
    hooks: Hooks,  # noqa: F811
    collector: Collector,
) -> None:
    """Through the outbox, the worker's relay, the doorbell's task and the card processor; and it names nobody."""
    subscription = await hooks.subscribed("booking.confirmed")
    trace, headers = a_trace(sampled=True)

    pnr = await bought(buyer, hooks, headers)

    def complete(spans: list[Span]) -> bool:
        names = {span.name for span in spans}
        return {"deliver booking.confirmed", "notifications.send_due", "POST /bookings"} <= names and any(
            span.name == "send emails" for span in spans
        )

    spans = await collector.until(trace, complete)
    known = {span.id: span for span in spans}

    def above(span: Span) -> list[str]:
        parent = known.get(span.parent)
        return [parent.name, *above(parent)] if parent else []

    def one(name: str) -> Span:
        return next(span for span in spans if span.name == name)

    request = one("POST /bookings")
    assert request.parent == headers["traceparent"].split("-")[2]
    assert request.process == "jetway-api"
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/bookings",
        "http.response.status_code": 201,
    }
    assert above(one("stripe authorise"))[-1] == "POST /bookings"
    transaction = next(
        span for span in spans if above(span) == ["POST /bookings"] and span.name == "transaction"
    )
    assert transaction.attributes["jetway.statements"] >= 1
    delivery = one("deliver booking.confirmed")
    assert delivery.process == "jetway-worker"
    assert above(delivery)[0] == "outbox booking.confirmed"
    assert above(delivery)[-1] == "POST /bookings"
    assert delivery.attributes["jetway.outcome"] == "delivered"
    assert delivery.attributes["jetway.event.id"] == hooks.receiver.arrivals[-1].id
    task = one("notifications.send_due")
    assert above(task)[0] == "wake"
    assert above(task)[-1] == "POST /bookings"
    mail = one("send emails")
    assert above(mail)[-1] == "POST /bookings"
    assert [(span.name, span.attributes) for span in spans if span.is_error] == []
    assert "traceparent" not in hooks.receiver.arrivals[-1].headers
    told = b"".join(span.raw for span in collector.spans)
    secret = (
        *NAMES,
        pnr,
        buyer.token,
        hooks.receiver.base,
        subscription["secret"],
        os.environ["AVIATIONSTACK_KEY"],
    )
    for canary in (*secret, "127.0.0.1", "pm_card_visa"):
        assert str(canary).encode() not in told, canary


async def test_who_asks_decides_that_nothing_is_traced(
    buyer: Client,
    hooks: Hooks,  # noqa: F811
    collector: Collector,
) -> None:
    """Not the request, nor what follows from it in the worker."""
    await hooks.subscribed("booking.confirmed")
    trace, headers = a_trace(sampled=False)
    later, sampled = a_trace(sampled=True)

    await bought(buyer, hooks, headers)
    await delivered(hooks, "booking.confirmed")
    await bought(buyer, hooks, sampled)

    await collector.until(later, lambda spans: any(span.name.startswith("deliver") for span in spans))
    assert collector.of(trace) == []


async def test_a_search_that_is_ready_and_a_path_that_is_none_are_named_by_no_path(
    buyer: Client,
    hooks: Hooks,  # noqa: F811
    collector: Collector,
) -> None:
    """The one by its route, the other by its method alone."""
    flight = await hooks.fleet.flight()
    trace, headers = a_trace(sampled=True)

    query = f"?origin=TOS&destination=BGO&departure_date={flight.day}"
    for path in (f"/flights/search{query}", f"/flights/search{query}", "/bookings/SECRET/nothing", "/readyz"):
        await buyer.get(path, headers=headers)

    spans = await collector.until(trace, lambda spans: sum(span.name[:3] == "GET" for span in spans) == 3)
    names = sorted(span.name for span in spans if span.name[:3] == "GET")
    assert names == ["GET", "GET /flights/search", "GET /flights/search"]
    told = b"".join(span.raw for span in spans)
    assert not [part for part in (b"SECRET", b"TOS", b"readyz", str(flight.day).encode()) if part in told]


async def test_a_collector_that_hangs_costs_only_traces(
    buyer: Client,
    hooks: Hooks,  # noqa: F811
    collector: Collector,
) -> None:
    """Requests are answered and webhooks delivered meanwhile; when it answers again, traces arrive again."""
    await hooks.subscribed("booking.confirmed")
    later, headers = a_trace(sampled=True)
    collector.answers.clear()

    started = monotonic()
    await bought(buyer, hooks, a_trace(sampled=True)[1])
    await delivered(hooks, "booking.confirmed")
    took = monotonic() - started
    collector.answers.set()
    await buyer.get("/airports/OSL", headers=headers)

    assert took < 5
    assert [span.name for span in await collector.until(later, len)] == ["GET /airports/{iata}"]


async def test_a_process_ends_in_time_whatever_the_collector_does(collector: Collector) -> None:
    """What it still had to tell is lost."""
    program = (
        "import logging, time\n"
        "from app.core import tracing\n"
        "tracing.begin('api')\n"
        "with tracing.joined('one', 'server', None):\n"
        "    pass\n"
        "began = time.monotonic()\n"
        "tracing.end()\n"
        "print(time.monotonic() - began)\n"
    )
    collector.answers.clear()
    try:
        done = await asyncio.to_thread(run, "-c", program, **traced_by(collector))
    finally:
        collector.answers.set()

    assert done.returncode == 0, done.stderr
    assert 1 < float(done.stdout) < 3


def test_a_caller_decides_and_where_none_does_the_share() -> None:
    """Which is none here; and what cannot be read is no decision."""
    program = (
        "from app.core import tracing\n"
        "tracing.begin('api')\n"
        f"for caller in (None, 'nonsense', '00-{'a' * 32}-{'b' * 16}-01'):\n"
        "    with tracing.joined('one', 'server', caller):\n"
        "        print(tracing.traceparent())\n"
    )
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_SAMPLER_ARG": "0"}

    nobody, unreadable, caller = run("-c", program, **traced).stdout.split()

    assert nobody == unreadable == "None"
    assert caller.startswith(f"00-{'a' * 32}-")


async def test_lines_of_a_task_carry_its_trace(collector: Collector) -> None:
    """So that a trace leads to what was logged within it, also on the worker's own thread."""
    program = (
        "from app.core import background, logging, tracing\n"
        "logging.configure(), tracing.begin('worker')\n"
        "@background.task('told')\n"
        "async def told():\n"
        "    logging.logger('story').warning('within', wanted=tracing.traceparent())\n"
        "told(), tracing.end()\n"
    )

    said = (await asyncio.to_thread(run, "-c", program, **traced_by(collector))).stdout

    traces = re.findall(r'"jetway.wanted": ?"00-(\w{32})|"trace.id": ?"(\w{32})"', said)
    assert len(traces) == 2
    assert len({one or other for one, other in traces}) == 1


def test_where_traces_are_off_nothing_of_them_is_loaded(address: str) -> None:
    """In this process, which serves the API without; nor is anything put around it."""
    from app.main import app

    assert [
        name for name in sys.modules if name.startswith(("opentelemetry.sdk.trace", "opentelemetry.exporter"))
    ] == []
    assert type(app).__name__ == "RequestContext"
