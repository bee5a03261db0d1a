"""Metrics: who may read them, and what they must not tell."""

import os
import re
import uuid
from decimal import Decimal
from typing import Any

import pytest

from app.core import db, redis
from app.core.config import settings
from app.core.metrics import DECLARED
from tests.notifications.conftest import mails
from tests.notifications.support import Mails
from tests.payments.support import bought
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.support.programs import ran
from tests.support.stack import run

__all__ = ["mails"]
PASSWORD = "an administrator's own"


@pytest.fixture(scope="module")
def admin_email() -> str:
    """An account made by `python -m app create-admin`."""
    email = f"{uuid.uuid4().hex}@example.com"
    done = run("-m", "app", "create-admin", email, ADMIN_PASSWORD=PASSWORD)
    assert done.returncode == 0, done.stderr
    return email


async def read(api: Client) -> str:
    token = os.environ["ADMIN_METRICS_TOKEN"]
    answer = await api.get("/admin/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 200
    return answer.raw.decode()


def value(text: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_metrics_need_a_token(api: Client) -> None:
    """401 without one or with a wrong one."""
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
        assert (await api.get("/admin/metrics", headers=headers)).status == 401


async def test_a_users_token_is_not_enough(traveller: Client) -> None:
    """403: known, but not an administrator."""
    answer = await traveller.get("/admin/metrics")

    assert (answer.status, answer.code) == (403, "admins_only")


async def test_an_administrators_token_is_enough(api: Client, admin_email: str) -> None:
    """Made by the operator's command, because nobody can sign up as one."""
    session = await api.post("/auth/login", {"email": admin_email, "password": PASSWORD})
    assert session.body["user"]["role"] == "admin"

    answer = await Client(api.session, api.base, session.body["access_token"]).get("/admin/metrics")

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("password", ["short", PASSWORD])
def test_the_command_refuses_what_it_cannot_do(admin_email: str, password: str) -> None:
    """A weak password, and an address that has an account; both said in one line."""
    done = run("-m", "app", "create-admin", admin_email, ADMIN_PASSWORD=password)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


async def test_without_a_configured_token_none_fits(
    api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty setting is no password."""
    monkeypatch.setattr(settings(), "admin_metrics_token", "")

    assert (await api.get("/admin/metrics", headers={"Authorization": "Bearer "})).status == 401
    assert (await traveller.get("/admin/metrics")).status == 403


async def test_what_happens_is_counted(traveller: Client, fleet: Fleet) -> None:
    """Requests, bookings, ended holds and refusals, each by one."""
    offer = await fleet.offer(traveller, await fleet.flight(1))
    samples = {
        'jetway_http_request_seconds_count{method="POST",route="/bookings",status="201"}': 1,
        'jetway_http_request_seconds_count{method="POST",route="/bookings",status="409"}': 1,
        'jetway_http_request_seconds_count{method="GET",route="/bookings/{pnr}",status="200"}': 1,
        'jetway_bookings_total{status="held"}': 1,
        'jetway_bookings_total{status="expired"}': 1,
        "jetway_sold_out_total": 1,
        'jetway_inventory_conflicts_total{reason="sold_out"}': 1,
    }
    before = await read(traveller)

    pnr = (await traveller.book(offer["id"])).body["pnr"]
    await traveller.book(offer["id"])
    await fleet.run_out(pnr)
    await traveller.get(f"/bookings/{pnr}")

    after = await read(traveller)
    assert {sample: value(after, sample) - value(before, sample) for sample in samples} == samples


async def test_money_is_counted(traveller: Client, fleet: Fleet) -> None:
    """What a card was charged, in cents, once."""
    sample = 'jetway_payments_amount_minor_total{currency="USD",outcome="captured"}'
    before = value(await read(traveller), sample)

    booked = await bought(traveller, fleet, await fleet.flight())

    price = booked["price"]["total"]
    assert price["currency"] == "USD"
    assert value(await read(traveller), sample) - before == Decimal(price["amount"]) * 100


async def test_a_mail_server_is_measured_as_every_provider_is(mails: Mails) -> None:
    """How often, how long, and how it ended."""
    ended = 'jetway_upstream_calls_total{endpoint="send",outcome="ok",provider="smtp"}'
    took = 'jetway_upstream_seconds_count{endpoint="send",provider="smtp"}'
    before = await read(mails.traveller)
    await mails.booked()

    assert len(await mails.sent()) == 1

    after = await read(mails.traveller)
    assert [value(after, sample) - value(before, sample) for sample in (ended, took)] == [1, 1]


async def test_whoever_waits_too_long_for_a_seat_is_counted(traveller: Client, fleet: Fleet) -> None:
    """Somebody else holds the lock of the flight's seats, and does not let go of it in time."""
    sample = 'jetway_inventory_conflicts_total{reason="lock_timeout"}'
    flight = await fleet.flight()
    offer, before = await fleet.offer(traveller, flight), await read(traveller)

    async with db.transaction() as session:
        await db.rows(session, "SELECT FROM inventory WHERE flight_id = :id FOR UPDATE", id=flight.id)
        refused = await traveller.book(offer["id"])

    assert (refused.status, refused.code) == (503, "try_again")
    assert value(await read(traveller), sample) - value(before, sample) == 1


async def test_a_redis_that_is_gone_is_counted(
    no_redis: None, traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Searches are answered all the same, so that nothing else would show it."""
    before = await read(traveller)
    monkeypatch.setattr(redis, "_resting_until", 0.0)  # It was let alone after somebody had signed up.

    await fleet.offer(traveller, await fleet.flight())

    after = await read(traveller)
    assert value(after, "jetway_redis_errors_total") > value(before, "jetway_redis_errors_total")
    assert value(after, 'jetway_dependency_up{dependency="redis"}') == 0


async def test_what_the_product_stands_on_is_told(traveller: Client, sql: Any) -> None:
    """PostgreSQL, Redis and the way to them, without an exporter beside them."""
    before = await read(traveller)
    for _ in range(3):
        assert (await traveller.get("/bookings")).status == 200
    after = await read(traveller)

    def grown(sample: str) -> float:
        return value(after, sample) - value(before, sample)

    assert grown("jetway_database_pool_wait_seconds_count") >= 3
    assert grown("jetway_redis_commands_total") > 0
    assert (
        value(after, "jetway_http_requests_in_progress")
        == value(before, "jetway_http_requests_in_progress")
        >= 1
    )
    assert value(after, "jetway_database_pool_size") == settings().database_pool_size
    assert value(after, 'jetway_database_pool_connections{state="in_use"}') == 0
    assert value(after, 'jetway_database_pool_connections{state="idle"}') > 0
    assert value(after, 'jetway_postgres_transactions_total{outcome="committed"}') > 0
    assert value(after, 'jetway_postgres_blocks_total{source="memory"}') > 0
    assert value(after, "jetway_redis_memory_bytes") > 0
    [limit] = await sql("SHOW max_connections")
    assert value(after, "jetway_postgres_max_connections") == float(limit["max_connections"])
    connections = re.findall(r'jetway_postgres_connections\{state="[^"]+"\} (\S+)', after)
    assert 0 < sum(map(float, connections)) < value(after, "jetway_postgres_max_connections")
    for dependency in ("postgres", "redis"):
        assert value(after, f'jetway_dependency_up{{dependency="{dependency}"}}') == 1


async def test_prometheus_finds_nothing_to_criticise(api: Client) -> None:
    """What is scraped is read by Prometheus' own checker: its syntax, its names, its units, an explanation each."""
    found = ran("promtool", "check", "metrics", input=await read(api))

    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


async def test_every_metric_is_told_as_it_was_declared(api: Client) -> None:
    """By name and type, and with no label that was not declared."""
    text = await read(api)

    told = dict(re.findall(r"^# TYPE (jetway_\S+) (\w+)$", text, re.MULTILINE))
    assert told == {one.name: one.kind for one in DECLARED}
    for one in DECLARED:
        for labels in re.findall(rf"^{one.name}(?:_bucket|_sum|_count)?\{{(.*)\}} ", text, re.MULTILINE):
            assert {*re.findall(r'(\w+)="', labels)} - {"le"} == {*one.labels}


async def test_searches_are_counted_by_where_they_were_answered(traveller: Client, fleet: Fleet) -> None:
    """Computed once, then repeated by this process."""
    flight, before = await fleet.flight(), await read(traveller)
    for _ in range(3):
        await fleet.offer(traveller, flight)

    after = await read(traveller)

    assert {
        source: value(after, sample) - value(before, sample)
        for source in ("computed", "hot")
        for sample in [f'jetway_search_answers_total{{source="{source}"}}']
    } == {"computed": 1, "hot": 2}


async def test_labels_hold_templates_and_nothing_of_anybody(traveller: Client, fleet: Fleet) -> None:
    """Paths that do not exist share one label, so nobody can fill the memory with them."""
    pnr = (await traveller.book((await fleet.offer(traveller, await fleet.flight()))["id"])).body["pnr"]
    for path in (f"/bookings/{pnr}", "/airports/ZRH", "/flights/ZZ1-20260101-ZRH", "/no/such/path-canary"):
        await traveller.get(path)
    await traveller.send("CANARY", "/no/such/method")

    text = await read(traveller)

    routes = set(re.findall(r'route="([^"]*)"', text))
    assert {"/bookings/{pnr}", "/airports/{iata}", "/flights/{flight_id}", "unmatched"} <= routes
    for private in (pnr, "ZRH", "canary", "CANARY", traveller.user["id"], traveller.user["email"]):
        assert private not in text
