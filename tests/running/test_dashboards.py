"""A real Prometheus scrapes the running product: every panel, rule and runbook gets an answer to what it asks."""

import asyncio
import re
from collections.abc import AsyncIterator
from os import environ
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from celery import Celery

from tests.payments.support import VISA, held
from tests.support.client import PASSWORD, Client, in_days
from tests.support.fleet import Fleet
from tests.support.watched import Product, Prometheus, product, watched
from tests.support.watching import RUNBOOKS, alerts, asked_by, blocks, boards, named, recorded
from tests.webhooks.support import receiving

# What alerts look for and a good day does not have: there, the metric and the label have to exist with other values.
_NOT_ON_A_GOOD_DAY = {"status", "outcome", "code"}
# There is no replica here, and the sandbox's rows can all be used.
_NOT_HERE = {"jetway_replica_lag_seconds", "jetway_upstream_rows_dropped_total"}


@pytest_asyncio.fixture(scope="module")
async def prometheus(
    tmp_path_factory: pytest.TempPathFactory, http: aiohttp.ClientSession, address: str, sql: Any
) -> AsyncIterator[Prometheus]:
    """One that has watched a bit of everything."""
    folder = tmp_path_factory.mktemp("watched")
    with product(folder) as running:
        async with watched(http, running, folder) as prometheus:
            await prometheus.until(
                'up{job="traefik"} == 1 and on () up{job="worker"} == 1 and on () up{job="api"} == 1'
            )
            await _live(http, running, Fleet(sql))
            for task in ("ops.check_invariants", "ops.take_stock"):
                Celery(broker=environ["REDIS_URL"]).send_task(task)
            await _seen(prometheus)
            yield prometheus


async def _live(http: aiohttp.ClientSession, running: Product, fleet: Fleet) -> None:
    """What travellers, their systems and their mistakes do; twice, because what has happened once has no rate."""
    for _ in range(2):
        async with receiving() as receiver:
            receiver.answer(500, "/broken")
            ada = await Client(http, running.traefik).signed_up()
            for path in ("/", "/broken"):
                body = {"url": receiver.url(path), "events": ["*"]}
                assert (await ada.post("/webhooks/subscriptions", body)).status == 201
            await ada.post("/devices", {"token": "a-token-of-a-phone", "platform": "android"})
            pnr = await _book(ada, fleet)
            await ada.post("/auth/login", {"email": ada.user["email"], "password": "wrong"})
            await ada.post("/auth/login", {"email": ada.user["email"], "password": PASSWORD})
            await ada.get("/flights/live", bbox="-10,40,10,60")
            await ada.search("JFK", "LHR", in_days(20))
            await ada.get("/airports", q="lon")
            await _look_on(ada, pnr)
            async with asyncio.timeout(10):
                while not (receiver.at("/") and receiver.at("/broken")):  # noqa: ASYNC110  It has no event.
                    await asyncio.sleep(0.05)


async def _book(ada: Client, fleet: Fleet) -> str:
    """One pays, one is declined, one comes too late, and one cancels."""
    kept = await held(ada, fleet)
    assert (await ada.post(f"/bookings/{kept['pnr']}/payments", VISA)).status == 201
    broke = await held(ada, fleet)
    declined = {"payment_method": "pm_card_chargeDeclined"}
    assert (await ada.post(f"/bookings/{broke['pnr']}/payments", declined)).status == 402
    last = await fleet.flight(seats=1)
    offer = await fleet.offer(ada, last)
    assert (await ada.book(offer["id"])).status == 201
    assert (await ada.book(offer["id"])).code == "sold_out"
    quote = await ada.post(f"/bookings/{kept['pnr']}/cancellations")
    assert (await ada.post(f"/bookings/{kept['pnr']}/cancellations/{quote.body['id']}/confirm")).status == 200
    return str(kept["pnr"])


async def _look_on(ada: Client, pnr: str) -> None:
    """Open a stream of a booking's events, hear it begin, and leave."""
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with ada.session.get(f"{ada.base}/bookings/{pnr}/events", headers=headers) as stream:
        assert stream.status == 200
        await stream.content.readline()


async def _seen(prometheus: Prometheus) -> None:
    """The slowest to come: a check, mails, and what rules make of it."""
    for slow in (
        "max(jetway_invariants_checked_timestamp_seconds) > 0",
        "jetway_seats_held",
        "jetway_emails_total",
        "jetway_pushes_total",
        "slo:burn:30d",
    ):
        await prometheus.until(slow)
    await asyncio.sleep(2.5)


def _soon(expression: str) -> str:
    """With windows that are full after some seconds."""
    return re.sub(r"\$__(rate_interval|range)", "20s", expression)


@pytest.mark.parametrize("name", boards())
async def test_every_panel_shows_something(prometheus: Prometheus, name: str) -> None:
    empty = [
        (title, expression)
        for title, expressions in asked_by(boards()[name]).items()
        for expression in expressions
        if not await prometheus.ask(_soon(expression))
    ]

    assert not empty
    for expressions in asked_by(boards()[name]).values():
        for expression in expressions:
            await _all_is_there(prometheus, expression)


async def test_every_variable_has_values(prometheus: Prometheus) -> None:
    """Those of which a reader chooses, and where the runbooks are."""
    for board in boards().values():
        for variable in board["templating"]["list"]:
            asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            assert asked
            assert await prometheus.ask(
                f"{asked[1]} * on ({asked[2]}) group_left () count by ({asked[2]}) ({asked[1]})"
            )


async def test_every_recorded_rule_gives_something(prometheus: Prometheus) -> None:
    missing = [name for name in recorded() if not await prometheus.ask(name)]

    assert not missing


@pytest.mark.parametrize("name", alerts())
async def test_what_an_alert_looks_at_is_there(prometheus: Prometheus, name: str) -> None:
    """Whether it fires is tried elsewhere; here Prometheus takes its expression, and what it reads exists."""
    await prometheus.ask(alerts()[name]["expr"])
    await _all_is_there(prometheus, alerts()[name]["expr"])


async def _all_is_there(prometheus: Prometheus, expression: str) -> None:
    """Each of its selectors finds something, so that `or vector(0)` hides no name that is wrong."""
    for selector in named(expression).selectors:
        if selector.partition("{")[0] not in _NOT_HERE and not await prometheus.ask(selector):
            good = re.sub(r'(\w+)\s*(=~|!=|!~|=)\s*"[^"]*"', _with_any_value, selector)
            assert await prometheus.ask(good), selector


def _with_any_value(matcher: re.Match[str]) -> str:
    return f'{matcher[1]}!=""' if matcher[1] in _NOT_ON_A_GOOD_DAY else matcher[0]


async def test_no_rule_fails(prometheus: Prometheus) -> None:
    assert not await prometheus.ask("prometheus_rule_evaluation_failures_total > 0")


async def test_nothing_alarms_on_a_good_day(prometheus: Prometheus) -> None:
    """But the watchdog; what waits for its time is not counted, because this day is short."""
    firing = await prometheus.ask('ALERTS{alertstate="firing"}')

    assert {one["metric"]["alertname"] for one in firing} == {"Watchdog"}


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
async def test_what_a_runbook_tells_to_ask_can_be_asked(prometheus: Prometheus, sql: Any, page: Path) -> None:
    """PromQL of Prometheus, SQL of the database; both are written for the day on which they are needed."""
    for expression in blocks(page, "promql"):
        await prometheus.ask(expression)
    for statement in blocks(page, "sql"):
        await sql(statement)
