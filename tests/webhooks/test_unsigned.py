"""Nothing is sent that cannot be signed, and a secret that cannot be opened is nobody else's trouble."""

from typing import Any

from app.webhooks import leases
from tests.webhooks.crowds import Crowd
from tests.webhooks.support import Hooks


async def test_a_secret_that_cannot_be_opened_waits_and_keeps_nobody_waiting(hooks: Hooks, sql: Any) -> None:
    """As after a key was taken out of the settings too early: what waits uses up no attempt until it is back."""
    crowd = Crowd(hooks)
    await crowd.listens("/sealed", "/well")
    sealed = crowd.ids[0]
    [before] = await sql(
        "SELECT CAST(secrets AS text) AS kept FROM webhook_subscriptions WHERE id = :id", id=sealed
    )
    await sql(
        "UPDATE webhook_subscriptions SET secrets = jsonb_set(secrets, '{0,sealed}', '\"00000000.AAAA\"')"
        " WHERE id = :id",
        id=sealed,
    )
    await crowd.tell(2)

    await hooks.delivered()

    assert (len(hooks.receiver.at("/well")), len(hooks.receiver.at("/sealed"))) == (2, 0)
    waiting = [one for one in await crowd.table() if one["subscription_id"] == sealed]
    assert [(one["state"], one["tries"], one["number"]) for one in waiting] == [("pending", 0, None)] * 2
    await sql(
        "UPDATE webhook_subscriptions SET secrets = CAST(CAST(:secrets AS text) AS jsonb) WHERE id = :id",
        secrets=before["kept"],
        id=sealed,
    )
    await hooks.waits_are_over()
    await hooks.delivered()
    await crowd.all_delivered(1)
    assert await crowd.broken() == {}


async def test_who_deletes_a_subscription_as_it_is_leased_hears_nothing_unsigned(
    hooks: Hooks, monkeypatch: Any
) -> None:
    """Its secrets are gone at that moment."""
    subscription = await hooks.subscribed("booking.held")
    await hooks.booked()
    claim = leases.claim

    async def claim_and_delete(*arguments: Any) -> Any:
        taken = await claim(*arguments)
        if taken:
            answer = await hooks.traveller.send("DELETE", f"/webhooks/subscriptions/{subscription['id']}")
            assert answer.status == 204
        return taken

    monkeypatch.setattr(leases, "claim", claim_and_delete)

    await hooks.delivered()

    assert hooks.receiver.arrivals == []
