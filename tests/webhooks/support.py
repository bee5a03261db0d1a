"""A receiver that answers as it is told, and what a subscriber does."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from app import subscribers
from app.core import db, outbox
from app.webhooks.courier import Courier
from tests.support.client import Client, adult
from tests.support.fleet import Fleet


@dataclass(frozen=True)
class Arrival:
    """One request, as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = orjson.loads(self.body)
        return event

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """A server on this machine; each of its paths may be a receiver of its own. It answers 200 unless told else."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.answers: dict[str, Answers] = {}
        self.base = ""

    def url(self, path: str = "/") -> str:
        return self.base + path

    def at(self, path: str = "/") -> list[Arrival]:
        return [one for one in self.arrivals if one.path == path]

    def answer(
        self, status: int, path: str = "/", headers: dict[str, str] | None = None, text: str = ""
    ) -> None:
        """From now on, at this path."""

        async def answered(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers=headers, text=text)

        self.answers[path] = answered

    def tarry(self, seconds: float, path: str = "/") -> None:
        """Answer 200, and take so long for it."""

        async def tarrying(_: web.Request) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return web.Response()

        self.answers[path] = tarrying

    def hang(self, path: str = "/") -> None:
        """Take the request and say nothing."""

        async def hanging(_: web.Request) -> web.StreamResponse:
            await asyncio.sleep(3600)
            raise AssertionError

        self.answers[path] = hanging

    def hang_up(self, path: str = "/", *, heard: bool) -> None:
        """End the connection in place of an answer; what is not heard was lost on its way."""

        async def hanging_up(request: web.Request) -> web.StreamResponse:
            if not heard:
                self.arrivals.pop()
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self.answers[path] = hanging_up

    async def hear(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.arrivals.append(Arrival(request.path, headers, await request.read()))
        answers = self.answers.get(request.path)
        return await answers(request) if answers else web.Response()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = web.Server(receiver.hear)
    # None at all would mean to wait for requests that hang.
    runner = web.ServerRunner(server, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.base = f"http://127.0.0.1:{port}"
    yield receiver
    await runner.cleanup()


class Hooks:
    """A traveller who subscribes, and the workers' part of the work, done when it is asked for."""

    def __init__(self, sql: Any, traveller: Client, fleet: Fleet, receiver: Receiver) -> None:
        self.sql, self.traveller, self.fleet, self.receiver = sql, traveller, fleet, receiver
        self.courier = Courier()

    async def subscribed(
        self, *events: str, path: str = "/", by: Client | None = None, **more: Any
    ) -> dict[str, Any]:
        body = {"url": self.receiver.url(path), "events": list(events) or ["*"], **more}
        answer = await (by or self.traveller).post("/webhooks/subscriptions", body)
        assert answer.status == 201, answer.body
        subscription: dict[str, Any] = answer.body
        return subscription

    async def booked(self, by: Client | None = None, **passenger: Any) -> str:
        """A held booking, which is one event."""
        someone = by or self.traveller
        offer = await self.fleet.offer(someone, await self.fleet.flight())
        answer = await someone.book(offer["id"], [adult(**passenger)])
        assert answer.status == 201, answer.body
        pnr: str = answer.body["pnr"]
        return pnr

    async def happens(self, event_type: str, subject: str, **data: Any) -> None:
        """An event about a booking or a flight, from outside of what the product does by itself here."""
        [last] = await self.sql(
            "SELECT coalesce(max(sequence), 0) AS n FROM outbox WHERE subject = :subject", subject=subject
        )
        event = {"type": event_type, "subject": subject, "sequence": last["n"] + 1, "data": data}
        async with db.transaction() as session:
            await outbox.record(session, [event])

    async def relayed(self) -> None:
        while await subscribers.relay():
            pass

    async def delivered(self) -> None:
        """Everything that is due now is handed on and sent, once."""
        await self.relayed()
        await self.courier.deliver_due()

    async def deliveries(self, subscription: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
        answer = await self.traveller.get(
            f"/webhooks/subscriptions/{subscription['id']}/deliveries", **wanted
        )
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.body["data"]
        return found

    async def details(self, delivery: dict[str, Any]) -> dict[str, Any]:
        answer = await self.traveller.get(f"/webhooks/deliveries/{delivery['id']}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.body
        return found

    async def waits_are_over(self) -> None:
        """As if the moment had come for which deliveries wait."""
        await self.sql("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE state = 'pending'")


def is_signed(arrival: Arrival, secret: str) -> bool:
    """By the letter of the specification, independent of the product's own code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((arrival.id.encode(), arrival.headers["webhook-timestamp"].encode(), arrival.body))
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return expected in arrival.headers["webhook-signature"].encode().split(b" ")
