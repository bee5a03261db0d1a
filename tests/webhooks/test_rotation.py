"""Secrets are replaced without a gap."""

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock, crypto, db
from app.core.config import settings
from app.webhooks import secrets
from tests.webhooks.support import Arrival, Hooks, is_signed


async def rotated(hooks: Hooks, subscription: dict[str, Any]) -> str:
    answer = await hooks.traveller.post(f"/webhooks/subscriptions/{subscription['id']}/rotate-secret")
    assert answer.status == 200, answer.body
    secret: str = answer.body["secret"]
    return secret


async def delivered(hooks: Hooks) -> Arrival:
    hooks.receiver.arrivals.clear()
    await hooks.booked()
    await hooks.delivered()
    [arrival] = hooks.receiver.arrivals
    return arrival


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + by)


async def test_for_a_day_the_old_and_the_new_secret_sign(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest first; then the new one alone."""
    subscription = await hooks.subscribed("booking.held")
    old = subscription["secret"]
    new = await rotated(hooks, subscription)

    both = await delivered(hooks)
    assert is_signed(both, old)
    assert is_signed(both, new)
    assert len(both.headers["webhook-signature"].split()) == 2

    later(monkeypatch, timedelta(hours=23, minutes=59))
    assert is_signed(await delivered(hooks), old)
    later(monkeypatch, timedelta(minutes=2))
    one = await delivered(hooks)
    assert is_signed(one, new)
    assert not is_signed(one, old)
    assert len(one.headers["webhook-signature"].split()) == 1


async def test_secrets_that_still_sign_are_few(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever rotates again and again must wait; nobody's secret ends early."""
    subscription = await hooks.subscribed("booking.held")
    for _ in range(4):
        await rotated(hooks, subscription)
    path = f"/webhooks/subscriptions/{subscription['id']}"

    refused = await hooks.traveller.post(f"{path}/rotate-secret")
    assert (refused.status, refused.code) == (409, "too_many_secrets")
    assert (await hooks.traveller.get(path)).body["live_secrets"] == 5
    assert is_signed(await delivered(hooks), subscription["secret"])

    later(monkeypatch, timedelta(hours=24, minutes=1))
    await rotated(hooks, subscription)
    assert (await hooks.traveller.get(path)).body["live_secrets"] == 2


async def test_a_rotation_that_is_repeated_is_one(hooks: Hooks) -> None:
    """With an Idempotency-Key, as every POST about subscriptions."""
    subscription = await hooks.subscribed("booking.held")
    path, key = f"/webhooks/subscriptions/{subscription['id']}", {"Idempotency-Key": "rotate"}
    first = await hooks.traveller.post(f"{path}/rotate-secret", headers=key)
    again = await hooks.traveller.post(f"{path}/rotate-secret", headers=key)

    assert first.raw == again.raw
    assert (await hooks.traveller.get(path)).body["live_secrets"] == 2


async def test_the_key_that_seals_them_can_be_replaced(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards the former key is not needed any more, and deliveries are signed as before."""
    subscription = await hooks.subscribed("booking.held")
    former = settings().secret_key
    monkeypatch.setattr(settings(), "encryption_key", "another-key-of-more-than-32-characters")
    async with db.transaction() as session:
        while await secrets.reseal(session, 100):
            pass

    [kept] = await hooks.sql(
        "SELECT secrets FROM webhook_subscriptions WHERE url = :url AND status = 'active'",
        url=subscription["url"],
    )
    assert all(one["sealed"].startswith(crypto.newest()) for one in kept["secrets"])
    monkeypatch.setattr(settings(), "secret_key", "x" * 40)
    assert former not in settings().encryption_keys
    secrets._key.cache_clear()
    async with db.transaction() as session:
        assert await secrets.reseal(session, 100) == 0
    # Offers and cursors are signed with it, too.
    monkeypatch.setattr(settings(), "secret_key", former)
    assert is_signed(await delivered(hooks), subscription["secret"])
