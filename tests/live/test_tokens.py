"""Tokens: one for all calls, renewed once when it is refused, and done without when there is none."""

import asyncio
from typing import Any

import pytest

from app.core.config import settings
from app.providers.base import Box, ProviderError
from app.providers.opensky import client, tokens
from app.providers.opensky.client import OpenSky
from tests.live.support import STATES, TOKENS, TRACKS, Sky
from tests.support.client import Client

SMALL = Box(0, 50, 5, 55)


async def profiles(sky: Sky) -> list[tuple[str, int]]:
    """Whom the vendor took us for, call by call, and what it answered."""
    return [(call["profile"], call["status"]) for call in await sky.calls()]


async def test_many_calls_at_once_ask_for_one_token(sky: Sky) -> None:
    await asyncio.gather(*(OpenSky().states(SMALL) for _ in range(10)))

    assert len(await sky.calls(TOKENS)) == 1
    assert await profiles(sky) == [("sandbox", 200)] * 10


async def test_a_token_that_ran_out_is_renewed_in_time(sky: Sky) -> None:
    """One that lives for two seconds is used for one."""
    await sky.set(token_seconds=2)
    await OpenSky().states(SMALL)
    await asyncio.sleep(1.1)
    await OpenSky().states(SMALL)

    assert len(await sky.calls(TOKENS)) == 2
    assert await profiles(sky) == [("sandbox", 200)] * 2


async def test_a_token_that_is_refused_is_renewed_once(sky: Sky) -> None:
    """The vendor may forget tokens before their time."""
    await OpenSky().states(SMALL)
    tokens._state.token = "forgotten-by-the-vendor"
    await OpenSky().states(SMALL)

    assert await profiles(sky) == [("sandbox", 200), ("unknown", 401), ("sandbox", 200)]
    assert len(await sky.calls(TOKENS)) == 2


async def test_an_account_that_is_refused_goes_on_as_anybody(sky: Sky) -> None:
    """Two tokens in a row were refused: from then on there is none, and no loop."""
    await sky.sandbox.fault("opensky_401", STATES, times=2)
    with pytest.raises(ProviderError, match="token_refused"):
        await OpenSky().states(SMALL)
    for _ in range(3):
        await OpenSky().states(SMALL)

    assert [name for name, _ in await profiles(sky)] == ["sandbox", "sandbox", *["anonymous"] * 3]
    assert len(await sky.calls(TOKENS)) == 2
    assert OpenSky().resolution_seconds() == 10


async def test_a_vendor_who_refuses_everybody_is_left_alone(sky: Sky) -> None:
    await sky.sandbox.fault("opensky_401", STATES)
    for _ in range(5):
        with pytest.raises(ProviderError):
            await OpenSky().states(SMALL)

    assert len(await sky.calls()) == 3


@pytest.mark.parametrize("fault", ["token_rejected_client", "token_html", "reset", "garbage", "html_502"])
async def test_without_a_token_calls_are_anonymous(api: Client, sky: Sky, fault: str) -> None:
    """A client that is refused, or a token endpoint that is out of order, is not asked again at once."""
    await sky.sandbox.fault(fault, TOKENS)
    for _ in range(3):
        await OpenSky().states(SMALL)

    assert len(await sky.calls(TOKENS)) == 1
    assert await profiles(sky) == [("anonymous", 200)] * 3
    answer = await api.get("/flights/live")
    assert (answer.status, answer.body["meta"]["stale"]) == (200, False)


async def test_a_slow_token_endpoint_is_not_waited_for(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "opensky_timeout_seconds", 0.5)
    await sky.sandbox.fault("token_slow", TOKENS, delay_seconds=3)

    await asyncio.gather(*(OpenSky().states(SMALL) for _ in range(5)))

    assert await profiles(sky) == [("anonymous", 200)] * 5


async def test_a_token_without_a_life_has_the_usual_one(sky: Sky) -> None:
    await sky.sandbox.fault("token_without_expiry", TOKENS)
    for _ in range(3):
        await OpenSky().states(SMALL)

    assert len(await sky.calls(TOKENS)) == 1
    assert await profiles(sky) == [("sandbox", 200)] * 3


async def test_without_an_account_nobody_asks_for_a_token(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "opensky_user", "")
    await OpenSky().states(SMALL)
    await OpenSky().track("000000")

    assert await sky.calls(TOKENS) == []
    assert await profiles(sky) == [("anonymous", 200)]
    assert [call["profile"] for call in await sky.calls(TRACKS)] == ["anonymous"]
    assert OpenSky().resolution_seconds() == 10
    assert "time" not in (await sky.calls())[0]["params"]


async def test_what_anybody_may_spend_is_not_taken_from_the_account(sky: Sky, sql: Any) -> None:
    """And the vendor's count for strangers is not believed to be the account's."""
    await sky.sandbox.fault("token_rejected_client", TOKENS)
    await OpenSky().states(None)

    spent = await sql("SELECT budget, spent FROM provider_budgets WHERE provider = 'opensky'")
    assert spent == [{"budget": "states_anonymous", "spent": 4}]
    budgets = {allowance.budget: allowance.limit for allowance in client.allowances()}
    assert budgets["states_anonymous"] == 400


async def test_secrets_are_in_no_log_no_metric_and_no_answer(
    api: Client, sky: Sky, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the client's secret nor a token, whatever goes wrong."""
    secret = "s3cret-of-the-client"
    monkeypatch.setattr(settings(), "opensky_pass", secret)
    await api.get("/flights/live")
    monkeypatch.undo()
    tokens.forget()
    await sky.forget()
    await api.get("/flights/live")
    token = tokens._state.token
    assert token
    for fault in ("opensky_500", "reset", "opensky_403"):
        await sky.grow_old()
        await sky.sandbox.fault(fault, STATES, times=2)
        await api.get("/flights/live")

    metrics = await api.get(
        "/admin/metrics", headers={"Authorization": "Bearer metrics-token-of-all-of-the-tests"}
    )
    written = "".join(capfd.readouterr()) + metrics.raw.decode()
    assert "jetway_upstream_calls_total" in written
    assert secret not in written
    assert token not in written
    assert token not in str(await sky.sandbox.control("GET", "/journal"))
