"""A vendor that fails is left alone, and asked again carefully."""

import asyncio
from typing import Any

import pytest

from app.providers import governor
from app.providers.base import ProviderError
from app.providers.governor import Call
from tests.providers.support import Books, call, outcome, refused

TRANSIENT = ["no_answer", "server_error", "unreadable"]


async def fails(wanted: Call, *codes: str) -> None:
    """Calls that were made and failed so, one after another."""
    for code in codes:
        await governor.admit(wanted)
        await governor.failed(wanted, ProviderError(code))


@pytest.fixture
async def failing() -> Call:
    """A call to an endpoint that has just been paused."""
    wanted = call()
    await fails(wanted, *["server_error"] * 5)
    return wanted


async def test_four_failures_are_bad_luck_five_are_a_pause(books: Books) -> None:
    """Of any transient kind; for half a minute or so."""
    wanted = call()
    await fails(wanted, *TRANSIENT, "server_error")
    assert await outcome(wanted) == "admitted"

    await governor.failed(wanted, ProviderError("no_answer"))

    refusal = await refused(wanted)
    assert (refusal.code, 23 < refusal.retry_after_seconds <= 36) == ("failing", True)
    assert await books.spent(wanted.allowance) == (5, 0)


@pytest.mark.parametrize("answer", ["refused", "success"])
async def test_any_answer_begins_the_count_anew(answer: str) -> None:
    """Also one that refuses: the vendor is there."""
    wanted = call()
    await fails(wanted, *["server_error"] * 4)

    await governor.admit(wanted)
    if answer == "success":
        await governor.succeeded(wanted)
    else:
        await governor.failed(wanted, ProviderError(answer))
    await fails(wanted, *["server_error"] * 4)

    assert await outcome(wanted) == "admitted"


async def test_refusals_pause_nothing() -> None:
    """A bad parameter is no outage, however often it is sent."""
    wanted = call()

    await fails(wanted, *["refused"] * 12)

    assert await outcome(wanted) == "admitted"


async def test_a_pause_is_of_one_endpoint(failing: Call) -> None:
    """The others go on."""
    assert await outcome(failing) == "failing"
    assert await outcome(call(failing.allowance, "others")) == "admitted"


async def test_after_the_pause_one_call_tries_while_the_others_wait(books: Books, failing: Call) -> None:
    """Twenty come at once when it is over."""
    await books.pause_is_over(failing.provider)

    outcomes = await asyncio.gather(*(outcome(failing) for _ in range(20)))

    assert sorted(outcomes) == ["admitted"] + ["failing"] * 19


async def test_a_probe_that_succeeds_ends_the_pause(books: Books, failing: Call) -> None:
    """For everybody, and the failures are forgotten."""
    await books.pause_is_over(failing.provider)
    await governor.admit(failing)

    await governor.succeeded(failing)

    assert await asyncio.gather(*(outcome(failing) for _ in range(5))) == ["admitted"] * 5
    state = await books.endpoint(failing.provider)
    assert (state["failures"], state["paused_until"], state["pause_reason"]) == (0, None, None)


async def test_each_probe_that_fails_makes_the_next_pause_longer(books: Books, failing: Call) -> None:
    """Up to ten minutes or so, with some jitter."""
    pauses = []
    for _ in range(7):
        await books.pause_is_over(failing.provider)
        await fails(failing, "no_answer")
        pauses.append((await books.endpoint(failing.provider))["pause"])

    for pause, seconds in zip(pauses, (60, 120, 240, 480, 600, 600, 600), strict=True):
        assert 0.8 * seconds - 5 < pause <= 1.2 * seconds


async def test_a_probe_that_never_comes_back_holds_others_up_for_seconds_only(
    books: Books, failing: Call
) -> None:
    """Its process was killed; the next one tries."""
    await books.pause_is_over(failing.provider)
    await governor.admit(failing)
    assert 0 < (await refused(failing)).retry_after_seconds <= 15

    await books.pause_is_over(failing.provider)

    assert await outcome(failing) == "admitted"


async def test_calls_that_fail_together_make_one_short_pause(books: Books) -> None:
    """Twenty were under way when the vendor went down: that is one outage, not twenty."""
    wanted = call()
    for _ in range(20):
        await governor.admit(wanted)

    for _ in range(20):
        await governor.failed(wanted, ProviderError("no_answer"))

    state = await books.endpoint(wanted.provider)
    assert (state["failures"], state["pause"] <= 36) == (5, True)


@pytest.mark.parametrize("late", ["success", "server_error", "refused"])
@pytest.mark.parametrize("reason", ["rate_limited", "plan_restricted"])
async def test_who_was_under_way_does_not_end_a_pause(books: Books, late: str, reason: str) -> None:
    """Only a probe does, whatever becomes of a call that was admitted before."""
    wanted = call()
    await governor.admit(wanted)
    await governor.admit(wanted)
    await governor.failed(wanted, ProviderError(reason, retry_after_seconds=60))

    if late == "success":
        await governor.succeeded(wanted)
    else:
        await governor.failed(wanted, ProviderError(late))

    assert (await refused(wanted)).code == reason


async def test_when_a_vendor_last_answered_is_known(books: Books, sql: Any) -> None:
    """And when it last failed, whichever endpoint it was."""
    wanted = call()
    assert await governor.last_outcomes(wanted.provider) == (None, None)
    await fails(wanted, "server_error")
    await governor.admit(call(wanted.allowance, "others"))
    await governor.succeeded(call(wanted.allowance, "others"))

    answered, failed = await governor.last_outcomes(wanted.provider)

    assert answered is not None
    assert failed is not None
    assert answered >= failed
    assert (await books.endpoint(wanted.provider))["last_failure"] == "server_error"
