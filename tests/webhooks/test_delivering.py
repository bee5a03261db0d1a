"""An event becomes one signed delivery to everyone entitled."""

from tests.support.client import Client
from tests.webhooks.support import Hooks, is_signed


async def test_a_booking_is_delivered_signed(hooks: Hooks) -> None:
    """In the shape of the contract, from committed state."""
    subscription = await hooks.subscribed("booking.held")
    pnr = await hooks.booked()

    await hooks.delivered()

    [arrival] = hooks.receiver.arrivals
    assert is_signed(arrival, subscription["secret"])
    event = arrival.event
    assert event["id"] == arrival.id
    assert event["id"].startswith("evt_")
    assert (event["type"], event["sequence"], event["data"]["pnr"]) == ("booking.held", 1, pnr)
    assert event["created_at"].endswith("Z")
    [delivery] = await hooks.deliveries(subscription)
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("delivered", 1, 200)


async def test_nobody_hears_of_somebody_elses_booking(hooks: Hooks, api: Client) -> None:
    """However wide they listen."""
    other = await api.signed_up()
    await hooks.subscribed("*", path="/other", by=other)
    await hooks.subscribed("*", path="/mine")
    await hooks.booked()

    await hooks.delivered()

    assert [arrival.path for arrival in hooks.receiver.arrivals] == ["/mine"]
