"""Calls to an endpoint are so far apart as its vendor wants, whichever process makes them."""

import asyncio
from time import monotonic

import pytest

from app.providers import governor
from tests.providers.support import Books, allowance, call, outcome, refused

SPACING = 0.15


async def test_callers_wait_for_their_turn() -> None:
    """Five at once go one after another."""
    wanted = call(spacing_seconds=SPACING, patience_seconds=5)
    started = monotonic()

    async def turn() -> float:
        await governor.admit(wanted)
        return monotonic() - started

    turns = sorted(await asyncio.gather(*(turn() for _ in range(5))))

    assert all(at >= number * SPACING for number, at in enumerate(turns))
    assert turns[-1] < 4 * SPACING + 1


async def test_nobody_waits_longer_than_their_patience(books: Books) -> None:
    """Who would have to is told how long, and pays nothing."""
    paid_from = allowance()
    wanted = call(paid_from, spacing_seconds=1, patience_seconds=1.5)

    outcomes = await asyncio.gather(*(outcome(wanted) for _ in range(6)))
    late = await refused(call(paid_from, spacing_seconds=60))

    assert sorted(outcomes) == ["admitted"] * 2 + ["rate_limited"] * 4
    assert (late.code, late.retry_after_seconds <= 2) == ("rate_limited", True)
    assert await books.spent(paid_from) == (2, 0)


async def test_a_refusal_does_not_move_the_queue(books: Books) -> None:
    """However often the impatient ask."""
    paid_from = allowance()
    await governor.admit(call(paid_from, spacing_seconds=30))
    before = await books.endpoint(paid_from.provider)

    for _ in range(5):
        assert await outcome(call(paid_from, spacing_seconds=30)) == "rate_limited"

    assert await books.endpoint(paid_from.provider) == before | {"pause": None}


async def test_without_spacing_nobody_waits(books: Books) -> None:
    """Twenty at once, without patience."""
    paid_from = allowance()

    outcomes = await asyncio.gather(*(outcome(call(paid_from)) for _ in range(20)))

    assert set(outcomes) == {"admitted"}
    assert await books.spent(paid_from) == (20, 0)


async def test_endpoints_have_turns_of_their_own() -> None:
    """The boards are slow, the rest is not."""
    paid_from = allowance()
    await governor.admit(call(paid_from, "boards", spacing_seconds=60))

    assert await outcome(call(paid_from, "flights", spacing_seconds=60)) == "admitted"
    assert await outcome(call(paid_from, "boards", spacing_seconds=60)) == "rate_limited"


async def test_a_killed_caller_loses_its_own_turn_only(books: Books) -> None:
    """It has paid for a call it never made; who comes after waits for the turn after it."""
    paid_from = allowance()
    wanted = call(paid_from, spacing_seconds=0.3, patience_seconds=5)
    started = monotonic()
    await governor.admit(wanted)
    waiting = asyncio.create_task(governor.admit(wanted))
    while await books.spent(paid_from) != (2, 0):  # noqa: ASYNC110  It happens in the database.
        await asyncio.sleep(0.01)
    waiting.cancel()

    await governor.admit(wanted)

    assert 0.6 <= monotonic() - started < 2
    assert await books.spent(paid_from) == (3, 0)


async def test_what_the_vendor_wants_is_learned_and_never_unlearned(books: Books) -> None:
    """The longest spacing that was heard of holds, also for processes that were told a shorter one."""
    paid_from = allowance()
    wanted = call(paid_from)
    await governor.admit(wanted)

    await governor.keep_apart(wanted, 60)
    await governor.keep_apart(wanted, 10)
    await governor.admit(wanted)

    assert (await books.endpoint(paid_from.provider))["spacing_seconds"] == 60
    assert (await refused(wanted)).retry_after_seconds == pytest.approx(60, abs=5)
