"""The guide and OpenAPI tell of webhooks what is so."""

import re

from app.webhooks.schemas import EVENTS
from tests.support.stack import ROOT
from tests.webhooks.support import Hooks

GUIDE = (ROOT / "docs/guides/webhooks.md").read_text()


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """What the `data` of each event has always, and what it may have besides."""
    table = GUIDE.partition("| event |")[2].partition("\n\n")[0]
    found = {}
    for line in table.splitlines()[2:]:
        _, names, data, _ = line.split("|")
        optional = set(_names(" ".join(re.findall(r"\(.*?\)", data))))
        always = set(_names(re.sub(r"\(.*?\)", "", data))) - optional
        found |= dict.fromkeys(_names(names), (always, optional))
    return found


def _names(text: str) -> list[str]:
    return re.findall(r"`([a-z_.]+)`", text)


def test_every_event_is_in_the_guide() -> None:
    """Once, and none that there is not."""
    assert documented().keys() == EVENTS
    assert len(re.findall(r"^\| `(?:booking|payment|flight|webhook)\.", GUIDE, re.MULTILINE)) >= 10


async def test_data_are_what_the_guide_says(hooks: Hooks) -> None:
    """Of a hold, a declined card, a paid booking that is cancelled, and a receiver that is gone."""
    await hooks.subscribed("*")
    pnr = await hooks.booked()
    path = f"/bookings/{pnr}"
    for method in ("pm_card_chargeDeclined", "pm_card_visa"):
        await hooks.traveller.post(f"{path}/payments", {"payment_method": method})
    quote = (await hooks.traveller.post(f"{path}/cancellations", {})).body["id"]
    await hooks.traveller.post(f"{path}/cancellations/{quote}/confirm", {})
    gone = await hooks.subscribed("webhook.test", path="/gone")
    hooks.receiver.answer(410, "/gone")
    await hooks.traveller.post("/webhooks/test", {"subscription_id": gone["id"]})
    await hooks.delivered()
    await hooks.delivered()

    told = {arrival.event["type"]: arrival.event["data"] for arrival in hooks.receiver.arrivals}
    assert told.keys() == {
        *("booking.held", "payment.failed", "payment.succeeded", "booking.confirmed", "booking.cancelled"),
        *("webhook.test", "webhook.disabled"),
    }
    for event_type, (always, optional) in documented().items():
        if event_type in told:
            assert always <= told[event_type].keys() <= always | optional, event_type
    assert told["webhook.disabled"]["subscription_id"] == gone["id"]


async def test_openapi_describes_what_is_sent(hooks: Hooks) -> None:
    """Every event, and every header that a receiver needs."""
    await hooks.subscribed("booking.held")
    await hooks.booked()
    await hooks.delivered()
    [arrival] = hooks.receiver.arrivals

    described = (await hooks.traveller.get("/openapi.json")).body
    call = described["webhooks"]["event"]["post"]
    event = described["components"]["schemas"]["EventOut"]

    assert {one["name"] for one in call["parameters"]} <= arrival.headers.keys()
    assert set(event["properties"]["type"]["enum"]) == EVENTS
    assert event["properties"].keys() == arrival.event.keys()
