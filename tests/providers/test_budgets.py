"""No more is spent than was allowed, whoever spends and however many at once."""

import asyncio
import sys
from typing import Any

import pytest

from app.providers import governor, repository
from tests.providers.support import Books, allowance, call, outcome, refused
from tests.support.stack import ROOT

HALF_WAY = 0.4  # With the head start of a tenth, half of what follows the clock may be spent.
LEFT_SECONDS = 5000.0


@pytest.fixture
def half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four tenths of every period have passed."""

    async def period(*_: Any) -> tuple[float, float]:
        return HALF_WAY, LEFT_SECONDS

    monkeypatch.setattr(repository, "period", period)


async def test_fifty_payers_in_two_processes_share_twenty_calls(books: Books) -> None:
    """Exactly twenty are admitted; a call that is counted in one process is spent in the other."""
    paid_from = allowance(20)
    arguments = ("-m", "tests.providers.payer", paid_from.provider, "20", "25")
    pipe = asyncio.subprocess.PIPE
    other = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdin=pipe, stdout=pipe
    )
    assert other.stdout is not None
    assert other.stdin is not None
    assert await other.stdout.readline() == b"ready\n"

    other.stdin.write(b"go\n")
    here = await asyncio.gather(*(outcome(call(paid_from)) for _ in range(25)))
    there = int(await other.stdout.readline())
    await other.communicate()

    assert there + here.count("admitted") == 20
    assert set(here) <= {"admitted", "budget_spent"}
    assert await books.spent(paid_from) == (20, 0)
    assert await outcome(call(paid_from)) == "budget_spent"


async def test_a_refused_call_costs_nothing(books: Books) -> None:
    """Nor does it take the endpoint's turn."""
    paid_from = allowance(5)
    await governor.admit(call(paid_from, cost=3))

    assert (await refused(call(paid_from, cost=3, spacing_seconds=60))).code == "budget_spent"

    assert await books.spent(paid_from) == (3, 0)
    await governor.admit(call(paid_from, cost=2))
    assert await books.spent(paid_from) == (5, 0)


async def test_a_call_dearer_than_the_whole_allowance_is_never_made(books: Books) -> None:
    """The first of a period too."""
    paid_from = allowance(5)

    assert await outcome(call(paid_from, cost=6)) == "budget_spent"
    assert await books.spent(paid_from) == (0, 0)


async def test_who_has_spent_all_hears_when_the_next_period_begins(half_way: None) -> None:
    """Nothing changes before."""
    paid_from = allowance(1)
    await governor.admit(call(paid_from))

    assert (await refused(call(paid_from))).retry_after_seconds == LEFT_SECONDS


async def test_the_background_keeps_to_its_share_and_requests_may_have_the_rest(
    books: Books, half_way: None
) -> None:
    """Half of the calls are the background's, and of these half by now; thirty want them at once."""
    paid_from = allowance(20)
    with governor.background_work():
        behind = await asyncio.gather(*(outcome(call(paid_from)) for _ in range(30)))
        soon = await refused(call(paid_from))

    assert behind.count("admitted") == 5
    assert (soon.code, soon.retry_after_seconds) == ("background_budget_spent", 60)

    asked = await asyncio.gather(*(outcome(call(paid_from)) for _ in range(30)))

    assert asked.count("admitted") == 15
    assert await books.spent(paid_from) == (20, 5)


async def test_requests_do_not_eat_the_backgrounds_share_alone(books: Books, half_way: None) -> None:
    """The share is a ceiling: what is spent is spent, and the background gets what is left."""
    paid_from = allowance(20)
    for _ in range(18):
        await governor.admit(call(paid_from))

    with governor.background_work():
        behind = [await outcome(call(paid_from)) for _ in range(4)]

    assert behind == ["admitted"] * 2 + ["background_budget_spent"] * 2
    assert await books.spent(paid_from) == (20, 2)


async def test_a_paced_allowance_leaves_something_for_later(books: Books, half_way: None) -> None:
    """Everybody waits when it is spent faster than time goes by, and not for long."""
    paid_from = allowance(20, paced=True)

    outcomes = [await outcome(call(paid_from)) for _ in range(12)]

    assert outcomes == ["admitted"] * 10 + ["budget_spent"] * 2
    assert (await refused(call(paid_from))).retry_after_seconds == 60


async def test_every_period_has_its_own_count(books: Books, sql: Any) -> None:
    """What was spent last month stays to be read, and hinders nobody."""
    paid_from = allowance(2)
    await governor.admit(call(paid_from, cost=2))
    assert await outcome(call(paid_from)) == "budget_spent"
    await sql(
        "UPDATE provider_budgets SET period_start = period_start - interval '1 month' WHERE provider = :provider",
        provider=paid_from.provider,
    )

    assert await outcome(call(paid_from)) == "admitted"
    assert await books.spent(paid_from) == (3, 0)


async def test_budgets_of_one_vendor_are_apart() -> None:
    """As OpenSky counts states and tracks."""
    states = allowance(1, budget="states")
    tracks = allowance(1, budget="tracks", provider=states.provider)

    assert [await outcome(call(one)) for one in (states, tracks, states)] == ["admitted"] * 2 + [
        "budget_spent"
    ]


async def test_the_vendors_own_count_is_believed_when_it_is_higher(books: Books) -> None:
    """Somebody else spends from the same account; a count that is behind ours changes nothing."""
    paid_from = allowance(10)
    await governor.admit(call(paid_from, cost=4))

    await governor.vendor_counts(paid_from, left=8)
    assert await books.spent(paid_from) == (4, 0)
    await governor.vendor_counts(paid_from, left=1)
    assert await books.spent(paid_from) == (9, 0)
    await governor.vendor_counts(paid_from, left=7)

    assert [await outcome(call(paid_from)) for _ in range(2)] == ["admitted", "budget_spent"]


async def test_the_overview_says_what_is_left(half_way: None) -> None:
    """Of a budget nobody has touched, too."""
    paid_from = allowance(10, period="day")
    [untouched], _ = await governor.overview([paid_from])
    await governor.admit(call(paid_from, cost=3))

    [budget], endpoints = await governor.overview([paid_from])

    assert (untouched["spent"], untouched["left"]) == (0, 10)
    assert (budget["spent"], budget["left"], budget["background_limit"]) == (3, 7, 5)
    assert (budget["period_end"] - budget["period_start"]).total_seconds() == 86_400
    assert "things" in {one["endpoint"] for one in endpoints if one["provider"] == paid_from.provider}
