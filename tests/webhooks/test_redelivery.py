"""What was sent can be sent again: one delivery, or all since a time."""

from typing import Any

import pytest

from tests.support.client import Client
from tests.webhooks.support import Hooks


async def one_delivered(hooks: Hooks, status: int = 200) -> tuple[dict[str, Any], dict[str, Any]]:
    """A subscription and its only delivery, after one attempt."""
    subscription = await hooks.subscribed("booking.held")
    hooks.receiver.answer(status)
    await hooks.booked()
    await hooks.delivered()
    [delivery] = await hooks.deliveries(subscription)
    return subscription, delivery


async def again(hooks: Hooks, delivery: dict[str, Any]) -> dict[str, Any]:
    answer = await hooks.traveller.post(f"/webhooks/deliveries/{delivery['id']}/redeliver")
    assert answer.status == 202, answer.body
    body: dict[str, Any] = answer.body
    return body


async def test_a_delivery_can_be_sent_again(hooks: Hooks) -> None:
    """With its id and its bytes, as another line of its history."""
    _, delivery = await one_delivered(hooks)

    assert (await again(hooks, delivery))["state"] == "pending"
    await hooks.delivered()

    first, second = hooks.receiver.arrivals
    assert (first.id, first.body) == (second.id, second.body)
    details = await hooks.details(delivery)
    assert [one["number"] for one in details["attempt_history"]] == [1, 2]
    assert details["state"] == "delivered"


async def test_one_that_was_delivered_stays_so_if_the_repetition_is_given_up(hooks: Hooks) -> None:
    """It did arrive once."""
    _, delivery = await one_delivered(hooks)
    hooks.receiver.answer(500)
    await again(hooks, delivery)
    for _ in range(11):
        await hooks.delivered()
        await hooks.waits_are_over()

    details = await hooks.details(delivery)
    assert len(details["attempt_history"]) == 11
    assert (details["state"], details["last_status"]) == ("delivered", 500)
    assert details["delivered_at"] is not None


async def test_one_that_waits_is_sent_now_at_no_cost(hooks: Hooks) -> None:
    """Its schedule goes on where it was."""
    _, delivery = await one_delivered(hooks, 500)
    assert delivery["attempts"] == 1

    await again(hooks, delivery)
    await hooks.delivered()

    details = await hooks.details(delivery)
    assert (details["state"], details["attempts"], len(details["attempt_history"])) == ("pending", 1, 2)


async def test_one_that_was_given_up_begins_anew(hooks: Hooks) -> None:
    """With the whole schedule."""
    _, delivery = await one_delivered(hooks, 500)
    await hooks.sql("UPDATE webhook_deliveries SET state = 'exhausted', attempts = 10, tries = 10")

    await again(hooks, delivery)
    await hooks.delivered()

    details = await hooks.details(delivery)
    assert (details["state"], details["attempts"]) == ("pending", 1)
    assert [one["number"] for one in details["attempt_history"]] == [1, 11]


async def test_what_is_being_sent_is_not_sent_again(hooks: Hooks) -> None:
    """Its outcome is known in a moment."""
    _, delivery = await one_delivered(hooks)
    await hooks.sql(
        "UPDATE webhook_deliveries SET state = 'sending', lease_token = gen_random_uuid(), lease_until = now()"
    )

    answer = await hooks.traveller.post(f"/webhooks/deliveries/{delivery['id']}/redeliver")

    assert (answer.status, answer.code) == (409, "delivery_in_progress")
    assert answer.headers["retry-after"] == "15"


async def test_nothing_is_sent_again_while_paused(hooks: Hooks) -> None:
    """Whoever wants it resumes first."""
    subscription, delivery = await one_delivered(hooks)
    await hooks.traveller.send(
        "PATCH", f"/webhooks/subscriptions/{subscription['id']}", json={"status": "paused"}
    )

    answer = await hooks.traveller.post(f"/webhooks/deliveries/{delivery['id']}/redeliver")

    assert (answer.status, answer.code) == (409, "subscription_not_active")


async def test_another_user_finds_no_delivery(hooks: Hooks, api: Client) -> None:
    """Neither to read nor to repeat."""
    _, delivery = await one_delivered(hooks)
    other = await api.signed_up()

    for answer in (
        await other.get(f"/webhooks/deliveries/{delivery['id']}"),
        await other.post(f"/webhooks/deliveries/{delivery['id']}/redeliver"),
        await hooks.traveller.get(f"/webhooks/deliveries/whd_{'0' * 32}"),
    ):
        assert (answer.status, answer.code) == (404, "delivery_not_found")


async def test_what_failed_since_a_time_is_replayed_oldest_first(hooks: Hooks) -> None:
    """What arrived is not, unless it is asked for."""
    subscription = await hooks.subscribed("*")
    pnrs = [await hooks.booked() for _ in range(4)]
    await hooks.delivered()
    hooks.receiver.arrivals.clear()
    await hooks.sql(
        "UPDATE webhook_deliveries d SET state = 'exhausted' FROM outbox o"
        " WHERE o.event_id = d.event_id AND o.subject = ANY(CAST(:pnrs AS text[]))",
        pnrs=pnrs[1:],
    )
    [since] = await hooks.sql("SELECT created_at FROM outbox WHERE subject = :pnr", pnr=pnrs[2])
    path = f"/webhooks/subscriptions/{subscription['id']}/replay"

    answer = await hooks.traveller.post(path, {"since": since["created_at"].isoformat()})
    assert answer.body == {"replayed": 2, "complete": True}
    await hooks.delivered()
    assert sorted(one.event["data"]["pnr"] for one in hooks.receiver.arrivals) == sorted(pnrs[2:])

    everything = {
        "since": "2026-01-01T00:00:00Z",
        "states": ["delivered", "exhausted"],
        "events": ["booking.held"],
    }
    assert (await hooks.traveller.post(path, everything)).body["replayed"] == 4
    nothing = everything | {"events": ["booking.expired"]}
    assert (await hooks.traveller.post(path, nothing)).body["replayed"] == 0


@pytest.mark.parametrize(
    "body", [{}, {"since": "2026-01-01T00:00:00"}, {"since": "2026-01-01T00:00:00Z", "states": ["pending"]}]
)
async def test_a_replay_says_from_when_and_what(hooks: Hooks, body: dict[str, Any]) -> None:
    """A time without a zone is no time."""
    subscription = await hooks.subscribed("*")

    answer = await hooks.traveller.post(f"/webhooks/subscriptions/{subscription['id']}/replay", body)

    assert (answer.status, answer.code) == (422, "validation_error")


async def test_a_test_is_a_real_delivery_to_one_subscription(hooks: Hooks) -> None:
    """Signed like every other, whatever the subscription listens to."""
    subscription = await hooks.subscribed("booking.expired", path="/tested")
    await hooks.subscribed("*", path="/other")

    answer = await hooks.traveller.post("/webhooks/test", {"subscription_id": subscription["id"]})
    assert (answer.status, answer.body["event_type"], answer.body["state"]) == (
        202,
        "webhook.test",
        "pending",
    )
    await hooks.delivered()

    [arrival] = hooks.receiver.arrivals
    assert (arrival.path, arrival.event["type"]) == ("/tested", "webhook.test")
    assert arrival.event["data"] == {"subscription_id": subscription["id"]}
    assert (await hooks.details(answer.body))["state"] == "delivered"


async def test_deliveries_are_filtered_and_paged(hooks: Hooks) -> None:
    """Newest event first."""
    subscription = await hooks.subscribed("*")
    pnr = await hooks.booked()
    for number in range(4):
        await hooks.happens("booking.changed" if number % 2 else "payment.failed", pnr, pnr=pnr)
    await hooks.delivered()

    whole = await hooks.deliveries(subscription)
    assert [one["event_type"] for one in whole] == [
        *("booking.changed", "payment.failed", "booking.changed", "payment.failed", "booking.held")
    ]
    path = f"/webhooks/subscriptions/{subscription['id']}/deliveries"
    first = (await hooks.traveller.get(path, limit=3)).body
    rest = (await hooks.traveller.get(path, limit=3, cursor=first["next_cursor"])).body
    assert first["data"] + rest["data"] == whole
    assert rest["next_cursor"] is None
    assert len(await hooks.deliveries(subscription, event="payment.failed")) == 2
    assert len(await hooks.deliveries(subscription, state="delivered")) == 5
    assert await hooks.deliveries(subscription, state="pending") == []
    assert await hooks.deliveries(subscription, since="2100-01-01T00:00:00Z") == []
    assert len(await hooks.deliveries(subscription, until="2100-01-01T00:00:00Z")) == 5
    assert (await hooks.traveller.get(path, state="lost")).status == 422
