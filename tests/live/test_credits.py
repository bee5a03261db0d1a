"""Credits: paid before they are spent, never more than there are, and made to last."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.config import settings
from app.live import tiles
from app.providers import governor
from app.providers.base import Box, ProviderError
from app.providers.opensky import client
from app.providers.opensky.client import OpenSky
from tests.live.support import STATES, TRACKS, Sky
from tests.support.client import Client

PRICES = [
    (Box(0, 50, 5, 55), 1),
    (Box(0, 50, 5.1, 55), 2),
    (Box(0, 50, 10, 60), 2),
    (Box(0, 40, 20, 60), 3),
    (Box(0, 30, 20.5, 60), 4),
    (None, 4),
]


async def spent(sql: Any, budget: str = "states") -> int:
    found = await sql(
        "SELECT spent FROM provider_budgets WHERE provider = 'opensky' AND budget = :budget", budget=budget
    )
    return found[0]["spent"] if found else 0


async def used(sky: Sky, profile: str = "sandbox", bucket: str = "states") -> int:
    """What the vendor has counted."""
    settings = (await sky.sandbox.control("GET", "/settings"))["opensky"]
    counted: int = settings["daily"][profile] - settings["credits"][profile][bucket]
    return counted


@pytest.mark.parametrize(("box", "price"), PRICES)
async def test_a_price_is_what_the_vendor_counts(sky: Sky, sql: Any, box: Box | None, price: int) -> None:
    await OpenSky().states(box)

    assert OpenSky().price(box) == price
    assert (await spent(sql), await used(sky)) == (price, price)


async def test_each_bucket_has_credits_of_its_own(sky: Sky, sql: Any) -> None:
    await OpenSky().states(None)
    await OpenSky().track("000000")

    assert (await spent(sql), await spent(sql, "tracks")) == (4, 4)
    assert await used(sky, bucket="tracks") == 4
    names = {allowance.budget for allowance in client.allowances()}
    assert names == {"states", "tracks"}


async def test_many_at_once_never_spend_more_than_there_is(
    sky: Sky, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we count is what the vendor counts, and less than the clock allows so far."""
    monkeypatch.setattr(settings(), "opensky_credits_per_day", 100)
    results = await asyncio.gather(*(OpenSky().states(None) for _ in range(60)), return_exceptions=True)

    now = datetime.now(UTC)
    allowed = 100 * (0.1 + (now.hour * 60 + now.minute + 1) / 1440)
    paid = [result for result in results if not isinstance(result, BaseException)]
    assert 4 * len(paid) == await used(sky) <= min(100, allowed)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert {str(error) for error in refused} == {"budget_spent"}
    assert await spent(sql) >= await used(sky)


async def test_what_others_spend_from_the_account_counts(
    sky: Sky, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor says what is left."""
    monkeypatch.setattr(settings(), "opensky_credits_per_day", 1_000_000)
    await sky.set(credits={"sandbox": 999_000})
    await OpenSky().states(None)

    assert await spent(sql) == 1004


async def test_a_spent_day_serves_old_pictures_and_then_none(
    api: Client, sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked as old; the vendor is not asked."""
    first = await api.get("/flights/live")
    monkeypatch.setattr(settings(), "opensky_credits_per_day", 4)
    await sky.grow_old()
    old = await api.get("/flights/live")

    assert (old.status, old.body["meta"]["stale"]) == (200, True)
    assert old.body["meta"]["fetched_at"] == first.body["meta"]["fetched_at"]
    assert old.body["data"] == first.body["data"]
    assert old.headers["Cache-Control"] == "no-cache"
    for held in tiles._held.values():
        held.usable_until = 0.0
    none = await api.get("/flights/live")
    assert (none.status, none.code, none.body["retryable"]) == (503, "positions_unavailable", True)
    assert int(none.headers["Retry-After"]) >= 1
    assert len(await sky.calls()) == 1


@pytest.mark.parametrize(("fault", "seconds"), [("opensky_429", 300), ("opensky_429_hours", 21_600)])
async def test_who_is_told_to_wait_waits(sky: Sky, sql: Any, fault: str, seconds: int) -> None:
    """Without sleeping in a request, and in this bucket only."""
    await sky.sandbox.fault(fault, STATES)
    begun = asyncio.get_running_loop().time()
    for _ in range(3):
        with pytest.raises(ProviderError, match="rate_limited"):
            await OpenSky().states(None)

    assert asyncio.get_running_loop().time() - begun < 2
    assert len(await sky.calls()) == 1
    [pause] = await sql(
        "SELECT extract(epoch FROM paused_until - now()) AS seconds FROM provider_endpoints"
        " WHERE provider = 'opensky' AND endpoint = 'states'"
    )
    assert float(pause["seconds"]) == pytest.approx(seconds, abs=5)
    assert await OpenSky().track("000000") == []


async def test_an_account_without_credits_is_told_so_once(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the vendor's midnight."""
    monkeypatch.setattr(settings(), "opensky_user", "exhausted")
    monkeypatch.setattr(settings(), "opensky_pass", "exhausted")
    for _ in range(3):
        with pytest.raises(ProviderError, match="rate_limited"):
            await OpenSky().states(None)

    assert [call["status"] for call in await sky.calls()] == [429]


async def test_counts_outlive_the_process(sky: Sky, sql: Any) -> None:
    """They are in the database, not in memory."""
    await OpenSky().states(None)
    tiles.forget()
    budgets, _ = await governor.overview(client.allowances())

    states = next(budget for budget in budgets if budget["budget"] == "states")
    assert (states["spent"], states["left"]) == (4, settings().opensky_credits - 4)


@pytest.mark.parametrize("fault", ["opensky_503", "html_502", "reset"])
async def test_a_hiccup_is_followed_by_one_more_call(sky: Sky, sql: Any, fault: str) -> None:
    """It is likely to be gone. Both are paid for, because nobody knows whether the vendor has counted both."""
    await sky.sandbox.fault(fault, STATES, times=1)
    await OpenSky().states(None)

    assert (await spent(sql), len(await sky.calls())) == (8, 2)


@pytest.mark.parametrize("fault", ["opensky_500", "html_200", "garbage", "truncated", "huge", "redirect"])
async def test_nothing_else_is_repeated(sky: Sky, fault: str) -> None:
    """An answer that was begun has been paid for."""
    await sky.sandbox.fault(fault, STATES, times=1)
    with pytest.raises(ProviderError):
        await OpenSky().states(None)

    assert len(await sky.calls()) == 1


async def test_tracks_cost_once_a_minute(api: Client, sky: Sky, sql: Any) -> None:
    """However many follow the aircraft."""
    flight = await sky.airborne()
    address = flight["icao24"]
    await asyncio.gather(*(api.get(f"/flights/track/{address}") for _ in range(20)))

    assert len(await sky.calls(TRACKS)) == 1
    assert len(await sky.calls()) == 1
