"""Nothing that anybody tells us is found where it need not be.

A whole life and all that can go wrong in it, with an API and a worker that log whatever they can, and then a search of
everything that they leave.
"""

import asyncio
import os
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import redis

from app.core.logging import ACCESS, AUDIT, BUSINESS, TASKS
from app.core.safety import Safety
from app.privacy import service
from dev.run import AS_ROOT
from tests.notifications.support import Mails
from tests.privacy.life import CANARIES, EMAIL, PASSWORD, SEALED, Life, found_in_tables
from tests.support.client import Client, Sandbox
from tests.support.ecs import misfits, read
from tests.support.fleet import Fleet
from tests.support.nursery import nursery
from tests.support.stack import free_port, wait_for
from tests.webhooks.support import Hooks

# What is sent besides, in what is refused and in what breaks.
REFUSED = {
    "a wrong password": "canary wrong password 79",
    "an unknown address": "canary.unknown@example.com",
    "a field that there is not": "canary unknown field 79",
    "a query": "canary-query-79",
    "a path": "canary-path-of-nothing-79",
    "a token that is none": "canary.token.79",
    "an API key that is none": "jtw_live_canary79canary79canary79canary79canary",
    "a cookie": "canary-cookie-79",
    "a header": "canary-header-79",
    "a platform that there is not": "canary-toaster-79",
    "an invalid address": "canary-invalid-79-example.com",
    "a guest's token": "canary-guest-79",
    "a name that breaks": "Canarybreaker",
    "what broken JSON says": "canary-broken-json-79",
    "what a form says": "canary-form-79",
}
# What the product itself keeps from everybody: its vendors quote it when they like, and libraries what they send.
KEPT = {
    "a vendor's key": "canary-vendor-key-79",
    "a vendor's secret": "canary-vendor-secret-79",
    "the metrics' token": os.environ.get("ADMIN_METRICS_TOKEN", "metrics-token-of-all-of-the-tests"),
    "what signs access tokens": "canary-jwt-" + "79" * 16,
    "what signs offers": Safety.model_fields["secret_key"].default,
    "the processor's key": "sk_test_sandbox",
    "the processor's signature": "whsec_sandbox",
}
# What the one who breaks it says that this belongs to.
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_ENVIRONMENT = {
    "LOG_LEVEL": "DEBUG",
    "AVIATIONSTACK_KEY": KEPT["a vendor's key"],
    "OPENSKY_PASS": KEPT["a vendor's secret"],
    "JWT_SECRET": KEPT["what signs access tokens"],
}
# The processor's name for a card, which payments keep until their owner is forgotten.
METHOD = {"a payment method": "pm_canary_79"}


_WORKER = ("-m", "celery", "--quiet", "-A", "app.worker", "worker", "--concurrency=1", "--without-mingle")


@contextmanager
def logging(output: Path, *command: str) -> Iterator[None]:
    """A process of ours that logs everything from DEBUG up into a file, ended with the block."""
    with output.open("wb") as file:
        outputs = (file.fileno(), file.fileno())
        process = nursery().start([*command], {**os.environ, **_ENVIRONMENT}, outputs=outputs)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


class Watched(Life):
    """What is due is done by the worker; what others have left for later is theirs."""

    async def told(self) -> None:
        await until(self._is_done)

    async def _is_done(self) -> bool:
        return not await self.sql(
            """
            SELECT 1 AS waits FROM outbox WHERE dispatched_at IS NULL AND not_before <= now()
            UNION ALL SELECT 1 FROM emails
            WHERE state = 'sending' OR state = 'queued' AND attempts = 0 AND next_attempt_at <= now()
            UNION ALL SELECT 1 FROM pushes
            WHERE state = 'sending' OR state = 'queued' AND attempts = 0 AND next_attempt_at <= now()
            UNION ALL SELECT 1 FROM webhook_deliveries
            WHERE state = 'sending' OR state = 'pending' AND tries = 0 AND next_attempt_at <= now()
            LIMIT 1
            """
        )


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await reached():  # noqa: ASYNC110  It is other processes that are waited for.
            await asyncio.sleep(0.1)


@pytest.fixture
def outputs(tmp_path: Path, address: str) -> Iterator[tuple[str, list[Path]]]:
    """The address of an API, and what it and a worker log."""
    paths, port = [tmp_path / "api", tmp_path / "worker"], free_port()
    with ExitStack() as stack:
        stack.enter_context(logging(paths[1], "-W", AS_ROOT, *_WORKER))
        stack.enter_context(logging(paths[0], "-m", "uvicorn", "app.main:app", "--port", str(port)))
        wait_for(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}", paths


@pytest_asyncio.fixture
async def watched(
    outputs: tuple[str, list[Path]],
    http: aiohttp.ClientSession,
    sql: Any,
    fleet: Fleet,
    hooks: Hooks,
    mails: Mails,
) -> AsyncIterator[Watched]:
    """Somebody who speaks to the API that logs."""
    watched = Watched(Client(http, outputs[0]), sql, fleet, hooks, mails)
    await watched.begin()
    yield watched
    await service.forget_again(uuid.UUID(watched.client.user["id"]))


async def test_it_is_nowhere_else(
    outputs: tuple[str, list[Path]],
    watched: Watched,
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    sql: Any,
) -> None:
    """Not in logs, metrics, events, webhooks, Redis, jobs or the audit log; what is sealed is not even in a table."""
    base, logs = outputs
    await watched.go_on()
    broken = await everything_goes_wrong(watched, sandbox)
    tokens = await tokens_of(watched)
    await watched.told()
    metrics = await http.get(
        f"{base}/admin/metrics", headers={"Authorization": f"Bearer {os.environ['ADMIN_METRICS_TOKEN']}"}
    )
    exposed = await metrics.text()
    await logged(logs[0], broken)

    words = CANARIES | SEALED | REFUSED | KEPT | tokens
    references = {f"reference {pnr}": pnr for pnr in watched.pnrs}
    places = {path.name: path.read_text() for path in logs}
    assert "jetway_" in exposed
    assert {name: '"log.level":"debug"' in text for name, text in places.items()} == {
        "api": True,
        "worker": True,
    }
    assert found(places | {"metrics": exposed}, words | METHOD | references) == set()
    arrived = {"webhooks": " ".join(one.body.decode() for one in watched.hooks.receiver.arrivals)}
    assert watched.pnrs[0] in arrived["webhooks"]
    assert found(arrived | {"redis": in_redis()}, words) == set()
    tables = await found_in_tables(sql, words)
    quiet = ("outbox", "audit_log", "job", "booking_timeline", "webhook_messages", "revocations")
    assert {hit for hit in tables if hit.startswith(quiet)} == set()
    assert {
        hit
        for hit in tables
        if hit.split(": ")[1] in SEALED.keys() | REFUSED.keys() | KEPT.keys() | tokens.keys()
    } == set()
    tells_what_happened(places, broken, watched.client.user["id"])


async def everything_goes_wrong(life: Life, sandbox: Sandbox) -> str:
    """Wrong logins, refused fields, a vendor that is down, a database that refuses; gives the last one's request id."""
    api, client, it = life.api, life.client, REFUSED
    await api.post("/auth/login", {"email": EMAIL, "password": it["a wrong password"]})
    await api.post("/auth/login", {"email": it["an unknown address"], "password": it["a wrong password"]})
    await api.send("POST", "/auth/login", data={"username": it["what a form says"], "password": PASSWORD})
    await api.post(
        "/auth/signup", {"email": it["an invalid address"], "password": PASSWORD, "full_name": "A"}
    )
    await api.post("/auth/refresh", {"refresh_token": "frt_" + it["a token that is none"]})
    await client.post("/devices", {"token": "canary-push-77", "platform": it["a platform that there is not"]})
    await client.post("/webhooks/subscriptions", {"url": f"http://10.0.0.1/{it['a path']}", "events": ["*"]})
    await client.get(f"/nowhere/{it['a path']}", q=it["a query"])
    await client.get("/flights/search", origin=it["a query"])
    await client.get("/bookings", cursor=it["a query"])
    headers = {"Cookie": f"session={it['a cookie']}", "X-Canary": it["a header"]}
    await api.get("/auth/me", headers=headers | {"Authorization": f"Bearer {it['a token that is none']}"})
    await api.get("/auth/me", headers={"Authorization": f"Bearer {it['an API key that is none']}"})
    await api.post("/bookings/guest", {"token": it["a guest's token"]})
    await api.send("POST", "/auth/signup", data='{"email": "' + it["what broken JSON says"])
    people = life.people()
    flight = await life.fleet.flight()
    offer = (await life.fleet.offers(client, flight, adults=2))[0]
    contact = {"email": CANARIES["the contact's e-mail"], "phone": CANARIES["the contact's telephone"]}
    body = {"offer_id": offer["id"], "passengers": people, "contact": contact}
    await client.post("/bookings", body | {"more": it["a field that there is not"]})
    unknown = {"payment": {"payment_method": METHOD["a payment method"]}}
    await client.post("/bookings", body | unknown)
    await sandbox.fault("card_500", "/v1/payment_intents", times=2)
    life.hooks.receiver.answer(
        500, "/" + CANARIES["a webhook's path"], text=CANARIES["what a receiver answered"]
    )
    await client.post("/bookings", body | {"payment": {"payment_method": "pm_card_visa"}})
    await life.sql(
        "ALTER TABLE booking_passengers ADD CONSTRAINT breaks CHECK (given_name <> 'Canarybreaker') NOT VALID"
    )
    try:
        people[0]["given_name"] = it["a name that breaks"]
        traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        broken = await client.post("/bookings", body | {"passengers": people}, traced)
    finally:
        await life.sql("ALTER TABLE booking_passengers DROP CONSTRAINT breaks")
    assert broken.status == 500, broken.body
    request_id: str = broken.body["request_id"]
    return request_id


async def tokens_of(life: Life) -> dict[str, str]:
    """What opens doors, each in use when it is looked for."""
    logged_in = (await life.api.post("/auth/login", {"email": EMAIL, "password": PASSWORD})).body
    refreshed = await life.api.post("/auth/refresh", {"refresh_token": logged_in["refresh_token"]})
    await life.api.post("/auth/refresh", {"refresh_token": logged_in["refresh_token"]})
    rotated = await life.client.get("/webhooks/subscriptions")
    where = f"/webhooks/subscriptions/{rotated.body['data'][0]['id']}/rotate-secret"
    secret = (await life.client.post(where, headers={"Idempotency-Key": uuid.uuid4().hex})).body["secret"]
    return {
        "an access token": str(life.client.token),
        "a refresh token": logged_in["refresh_token"],
        "its child": refreshed.body["refresh_token"],
        "a webhook's secret": secret,
    }


async def logged(path: Path, request_id: str) -> None:
    """Access lines are written in batches, so the last one is waited for."""

    async def written() -> bool:
        text = await asyncio.to_thread(path.read_text)
        return request_id in text and '"http.response.status_code":500,' in text

    await until(written)


def found(places: dict[str, str], canaries: dict[str, str]) -> set[str]:
    return {
        f"{place}: {what}"
        for place, text in places.items()
        for what, canary in canaries.items()
        if canary.lower() in text.lower()
    }


def in_redis() -> str:
    """Every key with its value, as Redis would write them to a file."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    try:
        keys = list(client.scan_iter(count=1000))
        return " ".join(f"{key!r} {client.dump(key)!r}" for key in keys)
    finally:
        client.close()


def tells_what_happened(places: dict[str, str], request_id: str, user_id: str) -> None:
    """JSON that fits its mapping, a line for each request by its route and for each task by its name, what the business
    did, and the one unexpected error by its request's id and trace.
    """
    lines = {name: read(text) for name, text in places.items()}
    assert {misfit for told in lines.values() for line in told for misfit in misfits(line)} == set()
    requests = [line for line in lines["api"] if line["event.dataset"] == ACCESS]
    assert {"/auth/login", "/bookings", "/bookings/{pnr}", "/devices", "unmatched"} <= {
        request["jetway.route"] for request in requests
    }
    errors = [line for line in lines["api"] if line["log.level"] == "error"]
    assert [(error["http.request.id"], error["trace.id"]) for error in errors] == [(request_id, TRACE)]
    assert [one["http.request.id"] for one in requests if one.get("trace.id") == TRACE] == [request_id]
    assert {one.get("user.id") for one in requests if one["jetway.route"] == "/bookings/{pnr}"} == {user_id}
    refused = [one for one in requests if one["http.response.status_code"] in (402, 422)]
    assert {
        one.get("user.id") for one in refused if one["jetway.route"].startswith(("/bookings", "/webhooks"))
    } == {user_id}
    assert {"computed", "redis"} & {one.get("jetway.cache") for one in requests}
    assert any(one.get("jetway.upstream.calls") for one in requests if one["jetway.route"] == "/bookings")
    tasks = [line for line in lines["worker"] if line["event.dataset"] == TASKS]
    assert {line["jetway.task.id"] for line in tasks if line["log.level"] == "info"}
    quiet = [line for line in tasks if line["log.level"] == "debug"]
    assert [
        line
        for line in quiet
        if line.keys() & {"jetway.upstream.calls"} or line["event.outcome"] != "success"
    ] == []
    done = Counter(
        line["event.action"] for told in lines.values() for line in told if line["event.dataset"] == BUSINESS
    )
    assert done.keys() >= {
        "search",
        "booking.held",
        "booking.confirmed",
        "booking.changed",
        "booking.cancelled",
        "payment.succeeded",
        "payment.failed",
        "delivery.delivered",
    }
    audited = [line for told in lines.values() for line in told if line["event.dataset"] == AUDIT]
    assert {line["event.action"] for line in audited} >= {
        "login.failed",
        "payment.succeeded",
        "webhook.created",
    }
    paid = [line for line in audited if line["event.action"] == "payment.succeeded"]
    assert {line["jetway.audit.subject"].partition(":")[2] for line in paid} <= {
        line["jetway.booking.id"] for told in lines.values() for line in told if "jetway.booking.id" in line
    }
