"""Every call that reaches the vendor was paid for, and none reaches it that was not."""

from typing import Any

import pytest

from app.core import http
from app.core.config import settings
from app.providers import governor
from app.providers.aviationstack import client
from app.providers.aviationstack.client import AviationStack
from app.providers.base import ProviderError
from tests.providers.support import Books
from tests.support.client import Sandbox, in_days

BOARD = "/v1/flightsFuture"


async def pages(day_ahead: int = 40) -> int:
    """A whole board; how many pages it had."""
    return len(
        [page async for page in AviationStack().departures("BGO", in_days(day_ahead), today=in_days(0))]
    )


@pytest.fixture
async def spent(books: Books) -> Any:
    """How many calls were paid for since the test began."""
    before = (await books.spent(client.allowance()))[0]

    async def since() -> int:
        return (await books.spent(client.allowance()))[0] - before

    return since


async def test_a_page_is_a_call(sandbox: Sandbox, spent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages make a dear board."""
    monkeypatch.setattr(settings(), "aviationstack_page_size", 3)

    read = await pages()

    assert read > 3
    assert await spent() == (await sandbox.calls())[BOARD] == read


@pytest.mark.parametrize("fault", ["error_500", "reset", "truncated", "garbage"])
async def test_a_call_made_again_is_paid_again(sandbox: Sandbox, spent: Any, fault: str) -> None:
    """The vendor counts it too."""
    await sandbox.fault(fault, times=1)

    await pages()

    assert await spent() == (await sandbox.calls())[BOARD] == 2


async def test_a_refusal_is_paid_and_not_repeated(sandbox: Sandbox, spent: Any) -> None:
    """Asking again would not help."""
    await sandbox.fault("rate_limited")

    with pytest.raises(ProviderError, match="rate_limited"):
        await pages()

    assert await spent() == (await sandbox.calls())[BOARD] == 1


async def test_nothing_is_called_without_money(
    sandbox: Sandbox, spent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit stands before the call, whatever the vendor would sell on top."""
    monkeypatch.setattr(settings(), "aviationstack_calls_per_month", 0)

    with pytest.raises(ProviderError, match="budget_spent") as refusal:
        await pages()

    assert refusal.value.retry_after_seconds > 60 or in_days(0).day > 27
    assert (await spent(), await sandbox.calls()) == (0, {})


async def test_nothing_is_called_in_the_background_beyond_its_share(
    sandbox: Sandbox, spent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who asks at the same moment gets an answer."""
    monkeypatch.setattr(settings(), "aviationstack_background_share", 0.0)

    with governor.background_work(), pytest.raises(ProviderError, match="background_budget_spent"):
        await pages()
    assert (await spent(), await sandbox.calls()) == (0, {})

    await pages()

    assert (await spent(), await sandbox.calls()) == (1, {BOARD: 1})


async def test_nothing_is_called_without_a_key(
    sandbox: Sandbox, spent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is paid."""
    monkeypatch.setattr(settings(), "aviationstack_key", "")

    with pytest.raises(ProviderError, match="not_configured"):
        await pages()

    assert (await spent(), await sandbox.calls()) == (0, {})


@pytest.mark.parametrize("fault", ["reset", "truncated"])
async def test_the_http_library_repeats_nothing_by_itself(sandbox: Sandbox, fault: str) -> None:
    """Others do so with a broken GET, and nobody would have paid for it."""
    await sandbox.fault(fault)
    asked = {"access_key": "sandbox", "iataCode": "BGO", "type": "departure", "date": str(in_days(40))}

    for _ in range(3):
        with pytest.raises(http.UpstreamError):
            await http.get(f"{sandbox.base}{BOARD}", params=asked, timeout_seconds=5)

    assert await sandbox.calls() == {BOARD: 3}
