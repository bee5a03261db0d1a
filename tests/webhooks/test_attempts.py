"""A receiver that fails is tried again, sees the same bytes each time, and is given up in the end."""

import re
from typing import Any

import pytest
from aiohttp import web

from app.core.config import settings
from tests.webhooks.support import Hooks, is_signed


async def failed_for_hours(hooks: Hooks, subscription: dict[str, Any], hours: float) -> None:
    """As if every attempt had failed for so long."""
    await hooks.sql(
        "UPDATE webhook_subscriptions SET failing_since = now() - make_interval(secs => 3600 * :hours)"
        " WHERE url = :url",
        hours=hours,
        url=subscription["url"],
    )


async def test_a_failure_is_tried_again_with_the_same_id_and_bytes(hooks: Hooks) -> None:
    """The signature is that of its own time, and the history tells of each attempt."""
    subscription = await hooks.subscribed("booking.held")
    hooks.receiver.answer(500, text="out of " + "x" * 2000)
    await hooks.booked()
    await hooks.delivered()

    [waiting] = await hooks.deliveries(subscription)
    assert (waiting["state"], waiting["attempts"], waiting["last_status"]) == ("pending", 1, 500)
    await hooks.delivered()
    assert len(hooks.receiver.arrivals) == 1

    hooks.receiver.answer(204)
    await hooks.waits_are_over()
    await hooks.delivered()

    first, second = hooks.receiver.arrivals
    assert (first.id, first.body) == (second.id, second.body)
    assert [one.headers["webhook-attempt"] for one in (first, second)] == ["1", "2"]
    assert is_signed(first, subscription["secret"])
    assert is_signed(second, subscription["secret"])
    details = await hooks.details(waiting)
    assert (details["state"], details["attempts"], details["next_attempt_at"]) == ("delivered", 2, None)
    assert details["request_body"].encode() == first.body
    one, two = details["attempt_history"]
    assert (one["number"], one["status"], one["error"], two["status"], two["error"]) == (
        1,
        500,
        "status",
        204,
        None,
    )
    assert one["response_excerpt"] == "out of " + "x" * 1017
    assert one["url"] == subscription["url"]
    assert one["duration_ms"] >= 0
    sent = {name: first.headers[name] for name in one["request_headers"]}
    assert one["request_headers"] == sent
    assert set(sent) == {"webhook-id", "webhook-timestamp", "webhook-signature", "webhook-attempt"}


async def test_the_request_is_what_the_contract_says(hooks: Hooks) -> None:
    """And nothing else: no cookies, no personal data."""
    await hooks.subscribed("booking.held")
    await hooks.booked(given_name="Canarina", family_name="Kanarievogel")
    await hooks.delivered()

    [arrival] = hooks.receiver.arrivals
    assert arrival.headers["content-type"] == "application/json; charset=utf-8"
    assert arrival.headers["user-agent"] == "Jetway-Webhooks/1"
    assert re.fullmatch("evt_[0-9a-f]{32}", arrival.id)
    assert set(arrival.headers) == {
        *("host", "content-type", "user-agent", "content-length", "accept-encoding"),
        *("webhook-id", "webhook-timestamp", "webhook-signature", "webhook-attempt"),
    }
    assert set(arrival.event) == {"id", "type", "created_at", "sequence", "data"}
    assert b"Canarina" not in arrival.body
    assert b"KANARIEVOGEL" not in arrival.body.upper()


async def test_after_ten_attempts_it_is_given_up(hooks: Hooks) -> None:
    """The owner sees that it was."""
    subscription = await hooks.subscribed("booking.held")
    hooks.receiver.answer(500)
    await hooks.booked()
    for _ in range(12):
        await hooks.delivered()
        await hooks.waits_are_over()

    assert len(hooks.receiver.arrivals) == 10
    [delivery] = await hooks.deliveries(subscription, state="exhausted")
    assert (delivery["attempts"], delivery["next_attempt_at"]) == (10, None)
    assert len((await hooks.details(delivery))["attempt_history"]) == 10


async def test_a_redirect_is_a_failure_and_leads_nowhere(hooks: Hooks) -> None:
    """Whoever moves changes the URL of the subscription."""
    subscription = await hooks.subscribed("booking.held")
    hooks.receiver.answer(307, headers={"Location": hooks.receiver.url("/elsewhere")})
    await hooks.booked()
    await hooks.delivered()

    [delivery] = await hooks.deliveries(subscription)
    assert (delivery["state"], delivery["last_status"], delivery["last_error"]) == (
        "pending",
        307,
        "redirect",
    )
    assert hooks.receiver.at("/elsewhere") == []


async def test_who_cannot_be_reached_is_tried_again(hooks: Hooks) -> None:
    """An attempt without an answer says why."""
    subscription = await hooks.subscribed("booking.held")
    await hooks.sql(
        "UPDATE webhook_subscriptions SET url = 'http://127.0.0.1:1/' WHERE url = :url",
        url=subscription["url"],
    )
    await hooks.booked()
    await hooks.delivered()

    [delivery] = await hooks.deliveries(subscription)
    # A port below 1024 is none that we speak to: no packet is sent.
    assert (delivery["state"], delivery["last_status"], delivery["last_error"]) == (
        "pending",
        None,
        "blocked",
    )


async def test_410_ends_the_subscription_at_once(hooks: Hooks) -> None:
    """What waits for it is cancelled, and its owner's other subscriptions hear of it."""
    gone = await hooks.subscribed("booking.held", path="/gone")
    other = await hooks.subscribed("webhook.disabled", path="/other")
    hooks.receiver.answer(410, "/gone")
    for _ in range(3):
        await hooks.booked()
    await hooks.delivered()
    await hooks.delivered()

    assert len(hooks.receiver.at("/gone")) == 1
    read = (await hooks.traveller.get(f"/webhooks/subscriptions/{gone['id']}")).body
    assert (read["status"], read["disabled_reason"]) == ("disabled", "gone")
    assert {one["state"] for one in await hooks.deliveries(gone)} == {"cancelled"}
    [told] = hooks.receiver.at("/other")
    assert told.event["data"] == {
        "user_id": hooks.traveller.user["id"],
        "subscription_id": gone["id"],
        "host": "127.0.0.1",
        "reason": "gone",
    }
    assert is_signed(told, other["secret"])


async def test_five_days_of_failures_end_it_too(hooks: Hooks) -> None:
    """From the first failure after the last success on."""
    subscription = await hooks.subscribed("booking.held")
    hooks.receiver.answer(503)
    await hooks.booked()
    await hooks.delivered()
    path = f"/webhooks/subscriptions/{subscription['id']}"
    read = (await hooks.traveller.get(path)).body
    assert read["status"] == "active"
    assert read["failing_since"] is not None

    await failed_for_hours(hooks, subscription, settings().webhook_disable_hours - 0.1)
    await hooks.waits_are_over()
    await hooks.delivered()
    assert (await hooks.traveller.get(path)).body["status"] == "active"

    await failed_for_hours(hooks, subscription, settings().webhook_disable_hours)
    await hooks.waits_are_over()
    await hooks.delivered()
    read = (await hooks.traveller.get(path)).body
    assert (read["status"], read["disabled_reason"]) == ("disabled", "failing")


async def test_one_success_clears_the_clock(hooks: Hooks) -> None:
    """However long it had failed before."""
    subscription = await hooks.subscribed("booking.held")
    hooks.receiver.answer(500)
    await hooks.booked()
    await hooks.delivered()
    await failed_for_hours(hooks, subscription, settings().webhook_disable_hours - 1)

    hooks.receiver.answer(200)
    await hooks.waits_are_over()
    await hooks.delivered()

    read = (await hooks.traveller.get(f"/webhooks/subscriptions/{subscription['id']}")).body
    assert (read["status"], read["failing_since"]) == ("active", None)


async def test_what_comes_while_it_is_disabled_can_be_replayed(hooks: Hooks) -> None:
    """Nothing is sent to it, and nothing is lost: it is enabled, and told to go on from a time."""
    subscription = await hooks.subscribed("booking.held")
    hooks.receiver.answer(410)
    before = await hooks.booked()
    await hooks.delivered()
    while_disabled = await hooks.booked()
    await hooks.delivered()
    assert len(hooks.receiver.arrivals) == 1

    hooks.receiver.answer(200)
    path = f"/webhooks/subscriptions/{subscription['id']}"
    refused = await hooks.traveller.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"})
    assert (refused.status, refused.code) == (409, "subscription_not_active")
    enabled = await hooks.traveller.send("PATCH", path, json={"status": "active"})
    assert (enabled.body["status"], enabled.body["disabled_reason"]) == ("active", None)
    replayed = await hooks.traveller.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"})
    assert (replayed.status, replayed.body) == (202, {"replayed": 2, "complete": True})
    await hooks.delivered()

    assert [one.event["data"]["pnr"] for one in hooks.receiver.arrivals[1:]] == [before, while_disabled]


async def test_a_paused_subscription_waits(hooks: Hooks) -> None:
    """And goes on with everything when it is resumed."""
    subscription = await hooks.subscribed("booking.held")
    path = f"/webhooks/subscriptions/{subscription['id']}"
    await hooks.traveller.send("PATCH", path, json={"status": "paused"})
    await hooks.booked()
    await hooks.delivered()
    assert hooks.receiver.arrivals == []

    await hooks.traveller.send("PATCH", path, json={"status": "active"})
    await hooks.delivered()

    assert len(hooks.receiver.arrivals) == 1


async def test_a_wish_for_time_is_kept(hooks: Hooks) -> None:
    """As the answer asked for it, over real HTTP."""
    subscription = await hooks.subscribed("booking.held")
    hooks.receiver.answer(429, headers={"Retry-After": "1200"})
    await hooks.booked()
    await hooks.delivered()

    [row] = await hooks.sql(
        "SELECT round(extract(epoch FROM next_attempt_at - now())) AS wait FROM webhook_deliveries d"
        " JOIN webhook_subscriptions s ON s.id = d.subscription_id WHERE s.url = :url",
        url=subscription["url"],
    )
    assert 1190 <= row["wait"] <= 1201


async def test_a_new_url_is_used_from_the_next_attempt_on(hooks: Hooks) -> None:
    """Also by deliveries that were made for the old one; the clock of failures begins anew."""
    subscription = await hooks.subscribed("booking.held", path="/old")
    hooks.receiver.answer(500, "/old")
    await hooks.booked()
    await hooks.delivered()

    path = f"/webhooks/subscriptions/{subscription['id']}"
    moved = await hooks.traveller.send("PATCH", path, json={"url": hooks.receiver.url("/new")})
    assert moved.body["failing_since"] is None
    await hooks.waits_are_over()
    await hooks.delivered()

    assert [one.path for one in hooks.receiver.arrivals] == ["/old", "/new"]


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_connection_that_breaks_is_an_unknown_outcome_and_tried_again(
    hooks: Hooks, drop: str
) -> None:
    """The receiver may get it twice, with the same id; the table says delivered once."""
    subscription = await hooks.subscribed("booking.held")

    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        hooks.receiver.answers.clear()
        if drop == "before":
            hooks.receiver.arrivals.clear()
        request.transport.abort()
        return web.Response()

    hooks.receiver.answers["/"] = broken
    await hooks.booked()
    await hooks.delivered()
    await hooks.waits_are_over()
    await hooks.delivered()

    assert len({one.id for one in hooks.receiver.arrivals}) == 1
    assert len(hooks.receiver.arrivals) == (1 if drop == "before" else 2)
    [delivery] = await hooks.deliveries(subscription)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
    assert (await hooks.details(delivery))["attempt_history"][0]["error"] == "connection"
