"""Health is what each dependency answers now; workers and Beat are alive by what they get done."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import ExitStack
from inspect import unwrap
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from app.core import background, db
from app.core.config import settings
from app.ops import tasks
from tests.support.client import Answer, Client, Sandbox, in_days
from tests.support.fleet import Fleet
from tests.support.stack import child, free_port

CHECKS = {"postgres", "redis", "worker", "beat", "aviationstack", "opensky"}


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[str]:
    """A real worker and a real Beat; gives where the worker's metrics are."""
    celery = ("-m", "celery", "-A", "app.worker")
    metrics = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        stack.enter_context(
            child(*celery, "worker", "-P", "solo", "-l", "WARNING", WORKER_METRICS_ADDRESS=metrics)
        )
        stack.enter_context(child(*celery, "beat", "-l", "WARNING", "--schedule", str(tmp_path / "schedule")))
        yield f"http://{metrics}/metrics"


async def statuses(api: Client) -> dict[str, str]:
    checks = (await api.get("/admin/health")).body["checks"]
    return {name: check["status"] for name, check in checks.items()}


async def test_every_dependency_is_asked(api: Client) -> None:
    """Each with its state and how long it took; nothing may cache it."""
    answer = await api.get("/admin/health")

    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.body.keys() == {"status", "version", "checks"}
    assert answer.body["checks"].keys() == CHECKS
    assert all(check["latency_ms"] >= 0 for check in answer.body["checks"].values())
    found = await statuses(api)
    assert (found["postgres"], found["redis"]) == ("ok", "ok")


async def test_positions_can_be_switched_off(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody calls that an outage."""
    monkeypatch.setattr(settings(), "opensky_enabled", False)

    assert (await statuses(api))["opensky"] == "disabled"


async def test_silent_workers_degrade_health(api: Client, sql: Any) -> None:
    """Whether they were never there or stopped a while ago; searching and booking goes on."""
    await sql("DELETE FROM heartbeats")
    assert (await api.get("/admin/health")).body["status"] == "degraded"
    await sql("INSERT INTO heartbeats VALUES ('worker', now() - interval '36 seconds'), ('beat', now())")

    answer = await api.get("/admin/health")

    assert (answer.status, answer.body["status"]) == (200, "degraded")
    found = await statuses(api)
    assert (found["worker"], found["beat"]) == ("down", "ok")


async def test_a_stopped_redis_is_shown(no_redis: None, api: Client) -> None:
    """As degraded: it is a cache."""
    answer = await api.get("/admin/health")

    assert (answer.status, answer.body["status"]) == (200, "degraded")
    assert (await statuses(api))["redis"] == "down"
    assert (await api.get("/readyz")).status == 200


async def test_a_failing_provider_is_shown_until_it_answers(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """By how the last real call ended, because a call for health's sake would cost budget."""
    await sql("DELETE FROM schedule_boards WHERE airport = 'FAE'")
    await sandbox.fault("error_500")
    day = in_days(200)
    assert (await api.search("FAE", "CPH", day)).status == 503
    assert (await statuses(api))["aviationstack"] == "down"
    before = await sandbox.calls()

    await sandbox.control("DELETE", "/faults")
    assert (await api.search("FAE", "BLL", in_days(201))).status == 200

    assert (await statuses(api))["aviationstack"] == "ok"
    assert sum((await sandbox.calls()).values()) > sum(before.values())


async def test_without_postgres_nothing_can_be_served(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 but for the sign that the process runs, and what it knows by heart; so a proxy may leave PostgreSQL out."""
    with monkeypatch.context() as patch:
        patch.setattr(settings(), "database_url", f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
        patch.setattr(db, "_engine", None)
        db.connect()
        found = [
            await api.get(path)
            for path in (
                "/admin/health",
                "/readyz",
                "/readyz?exclude=postgres",
                "/livez",
                "/flights/ZZ1-20261201-JFK",
                "/airports",
            )
        ]
        await db.disconnect()

    health, ready, answers, lives, flight, airports = found
    assert (health.status, health.body["status"], health.body["checks"]["postgres"]["status"]) == (
        503,
        "down",
        "down",
    )
    assert (ready.status, ready.body) == (503, {"status": "down"})
    assert (answers.status, lives.status, airports.status) == (200, 200, 200)
    assert (flight.status, flight.code, flight.body["retryable"]) == (503, "database_unavailable", True)
    assert "Retry-After" in flight.headers
    assert (await api.get("/readyz")).status == 200


async def test_real_workers_are_seen_and_let_holds_run_out(
    traveller: Client, fleet: Fleet, sql: Any, workers: str
) -> None:
    """From Beat's clock through Redis to the worker's transaction; its metrics count it."""
    flight = await fleet.flight()
    booked = (await traveller.book((await fleet.offer(traveller, flight))["id"])).body
    await fleet.run_out(booked["pnr"])
    await sql("DELETE FROM heartbeats")
    deadline = monotonic() + 120

    async def measured() -> str:
        async with traveller.session.get(workers) as answer:
            return await answer.text()

    async def done() -> bool:
        """Whichever task came by first has ended the hold, and then itself."""
        [state] = await sql("SELECT status FROM bookings WHERE pnr = :pnr", pnr=booked["pnr"])
        found = await statuses(traveller)
        if (state["status"], found["worker"], found["beat"]) != ("expired", "ok", "ok"):
            return False
        return 'jetway_tasks_total{outcome="succeeded",' in await measured()

    while not await done():
        assert monotonic() < deadline
        await asyncio.sleep(0.1)

    assert (await fleet.counts(flight))["held"] == 0
    told = await measured()
    assert "jetway_webhook_first_attempt_seconds_count" in told
    assert re.search(r'^jetway_task_seconds_count\{task="[a-z_.]+"\} [1-9]', told, re.MULTILINE)
    assert "jetway_outbox_age_seconds" not in told, "that is for those to tell who have just looked"


@pytest.mark.parametrize("part", ["relay", "courier"])
async def test_a_worker_whose_relay_or_courier_hangs_is_shown(
    api: Client, sql: Any, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Though it still does tasks: events and webhooks would wait, and nobody would know."""
    await sql("DELETE FROM heartbeats")
    now = monotonic()
    monkeypatch.setattr(background, "_turned", {"relay": now, "courier": now, part: now - 61})
    await unwrap(tasks.beat.run)()
    assert (await statuses(api))["worker"] == "down"

    background.turned(part)
    await unwrap(tasks.beat.run)()

    assert (await statuses(api))["worker"] == "ok"


async def test_the_probes_are_short(api: Client) -> None:
    """For orchestrators, who ask often."""
    answers: list[Answer] = [await api.get(path) for path in ("/livez", "/readyz")]

    assert [(answer.status, answer.body) for answer in answers] == [(200, {"status": "ok"})] * 2
