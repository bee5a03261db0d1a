"""What concerns the account stops every call to the vendor, what concerns the plan only one endpoint."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.core.config import settings
from app.providers import governor
from app.providers.aviationstack.client import AviationStack
from app.providers.base import ProviderError
from tests.providers.support import Books, call, outcome, refused
from tests.support.client import Sandbox, in_days

BOARD, TABLE = "/v1/flightsFuture", "/v1/airports"


async def board() -> Any:
    return await anext(AviationStack().departures("FAE", in_days(40), today=in_days(0)))


async def table() -> Any:
    return await AviationStack().airports_page(0)


async def code(asking: Callable[[], Awaitable[Any]]) -> str:
    """`answered`, or the code of the refusal."""
    try:
        await asking()
    except ProviderError as refusal:
        return refusal.code
    return "answered"


@pytest.mark.parametrize(
    ("reason", "seconds"), [("quota_exhausted", 86_400), ("access_refused", 300), ("plan_restricted", 86_400)]
)
async def test_how_long_depends_on_what_was_said(reason: str, seconds: int) -> None:
    """A quota comes back with the month, a key when somebody has mended it."""
    wanted = call()
    await governor.admit(wanted)
    await governor.failed(wanted, ProviderError(reason))

    refusal = await refused(wanted)

    assert refusal.code == reason
    assert refusal.retry_after_seconds == pytest.approx(seconds, abs=5)
    everywhere = reason != "plan_restricted"
    assert await outcome(call(wanted.allowance, "others")) == (reason if everywhere else "admitted")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("quota_exhausted", "quota_exhausted"),
        ("legacy_envelope", "quota_exhausted"),
        ("message_only", "access_refused"),
    ],
)
async def test_one_refusal_of_the_account_stops_everything(sandbox: Sandbox, fault: str, reason: str) -> None:
    """The vendor is asked once; other endpoints are not tried, and no other process tries either."""
    await sandbox.fault(fault)

    assert await code(board) == reason
    await sandbox.control("DELETE", "/faults")

    assert [await code(asking) for asking in (board, table, board)] == [reason] * 3
    assert await sandbox.calls() == {BOARD: 1}


async def test_what_the_plan_lacks_is_not_asked_for_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan has lapsed to one without tables; the boards go on."""
    monkeypatch.setattr(settings(), "aviationstack_key", "free_strict")

    outcomes = [await code(asking) for asking in (table, table, board)]

    assert outcomes == ["plan_restricted", "plan_restricted", "answered"]
    assert await sandbox.calls() == {TABLE: 1, BOARD: 1}


async def test_a_success_under_way_does_not_reopen_a_spent_account(books: Books) -> None:
    """It was let in before the quota ran out."""
    first = call()
    second = call(first.allowance, "others")
    await governor.admit(first)
    await governor.admit(second)

    await governor.failed(first, ProviderError("quota_exhausted"))
    await governor.succeeded(second)

    assert await outcome(second) == "quota_exhausted"


@pytest.mark.parametrize(("configured", "learned"), [(0.0, [10, 60, 60]), (10.0, [60, 60])])
async def test_how_fast_a_plan_may_ask_for_boards_is_learned(
    sandbox: Sandbox,
    books: Books,
    monkeypatch: pytest.MonkeyPatch,
    configured: float,
    learned: list[int],
) -> None:
    """The rate of paid plans is tried first, then that of the Free plan; every process knows it then."""
    monkeypatch.setattr(settings(), "aviationstack_board_seconds", configured)
    await sandbox.fault("rate_limited")
    seen = []
    for _ in learned:
        assert await code(board) == "rate_limited"
        seen.append((await books.endpoint("aviationstack", "flightsFuture"))["spacing_seconds"])
        await books.pause_is_over("aviationstack")

    assert seen == learned
    assert (await sandbox.calls())[BOARD] == len(learned)


async def test_too_fast_is_waited_out_and_not_repeated(sandbox: Sandbox, books: Books) -> None:
    """A minute for boards, seconds for the rest; and only there."""
    await sandbox.fault("rate_limited")

    assert [await code(board), await code(table)] == ["rate_limited"] * 2

    assert (await books.endpoint("aviationstack", "flightsFuture"))["pause"] == pytest.approx(60, abs=3)
    assert (await books.endpoint("aviationstack", "airports"))["pause"] == pytest.approx(5, abs=3)
    assert await sandbox.calls() == {BOARD: 1, TABLE: 1}
    assert [await code(board), await code(table)] == ["rate_limited"] * 2
    assert await sandbox.calls() == {BOARD: 1, TABLE: 1}


async def test_an_outage_costs_five_calls(sandbox: Sandbox) -> None:
    """However many people search during it."""
    await sandbox.fault("error_500")

    outcomes = [await code(board) for _ in range(12)]

    assert set(outcomes[:2]) == {"server_error"}
    assert set(outcomes[2:]) == {"failing"}
    assert await sandbox.calls() == {BOARD: 5}


async def test_a_stampede_after_an_outage_is_one_call(sandbox: Sandbox, books: Books) -> None:
    """Forty searches of other days have waited for the pause to end."""
    await sandbox.fault("html_502")
    for _ in range(3):
        await code(board)
    await sandbox.control("DELETE", "/faults")
    await sandbox.fault("slow", delay_seconds=2)
    await books.pause_is_over("aviationstack")
    await sandbox.control("DELETE", "/journal")

    outcomes = await asyncio.gather(*(code(board) for _ in range(40)))

    assert sorted(set(outcomes)) == ["answered", "failing"]
    assert outcomes.count("answered") == 1
    assert await sandbox.calls() == {BOARD: 1}
