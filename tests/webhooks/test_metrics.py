"""What operators are warned by: events that are not handed on, deliveries that are late, receivers that fail."""

import os
import re

from tests.webhooks.support import Hooks


async def measured(hooks: Hooks, *samples: str) -> list[float]:
    headers = {"Authorization": f"Bearer {os.environ['ADMIN_METRICS_TOKEN']}"}
    text = (await hooks.traveller.get("/admin/metrics", headers=headers)).raw.decode()
    found = [re.search(rf"^jetway_{re.escape(sample)} (\S+)$", text, re.MULTILINE) for sample in samples]
    return [float(one[1]) if one else -1.0 for one in found]


async def test_the_age_of_the_outbox_is_that_of_its_oldest_event(hooks: Hooks) -> None:
    """Nought again once everything is handed on."""
    await hooks.booked()
    await hooks.sql("UPDATE outbox SET created_at = now() - interval '1 hour' WHERE dispatched_at IS NULL")

    [late] = await measured(hooks, "outbox_age_seconds")
    await hooks.relayed()

    assert 3600 <= late < 3700
    assert await measured(hooks, "outbox_age_seconds") == [0]


async def test_what_waits_is_told_apart_by_how_its_receiver_does(hooks: Hooks) -> None:
    """A receiver that fails is its owner's trouble; a healthy one that waits is ours."""
    await hooks.sql("UPDATE webhook_deliveries SET state = 'cancelled' WHERE state = 'pending'")
    hooks.receiver.answer(500, "/failing")
    await _sent(hooks, "/failing", 2)
    await hooks.delivered()
    paused = await _sent(hooks, "/paused", 3)
    await hooks.traveller.send("PATCH", f"/webhooks/subscriptions/{paused}", json={"status": "paused"})
    await _sent(hooks, "/healthy", 1)
    await hooks.sql(
        "UPDATE webhook_deliveries SET next_attempt_at = now() - interval '1 minute' WHERE attempts = 0"
    )

    kinds = ("healthy", "failing", "paused")
    assert await measured(hooks, *(f'webhooks_waiting{{receiver="{kind}"}}' for kind in kinds)) == [1, 2, 3]
    assert await measured(hooks, *(f'webhook_receivers{{receiver="{kind}"}}' for kind in kinds)) == [1, 1, 1]
    late = await measured(hooks, *(f'webhooks_lag_seconds{{receiver="{kind}"}}' for kind in kinds))
    assert [seconds // 60 for seconds in late] == [1, 0, 1]
    await hooks.delivered()
    assert await measured(hooks, 'webhooks_lag_seconds{receiver="healthy"}') == [0]


async def _sent(hooks: Hooks, path: str, times: int) -> str:
    """Events for a new subscription, which are due now; gives its id."""
    subscription = await hooks.subscribed("webhook.test", path=path)
    for _ in range(times):
        await hooks.traveller.post("/webhooks/test", {"subscription_id": subscription["id"]})
    return str(subscription["id"])


async def test_the_time_to_the_first_attempt_is_measured(hooks: Hooks) -> None:
    """Of the first attempt only, from the event on."""
    names = ("webhook_first_attempt_seconds_count", "webhook_first_attempt_seconds_sum")
    await hooks.subscribed("booking.held")
    hooks.receiver.answer(500)
    before = await measured(hooks, *names)

    await hooks.booked()
    await hooks.sql("UPDATE outbox SET created_at = now() - interval '7 seconds' WHERE dispatched_at IS NULL")
    await hooks.delivered()
    await hooks.waits_are_over()
    await hooks.delivered()

    count, total = await measured(hooks, *names)
    assert count - before[0] == 1
    assert 7 <= total - before[1] < 60
    assert len(hooks.receiver.arrivals) == 2
