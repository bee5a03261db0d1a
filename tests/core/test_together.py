"""What several ask for at the same time is done once, and never too early for one of them."""

import asyncio

import pytest

from app.core.together import Together


async def test_who_asks_while_it_runs_waits_for_the_next() -> None:
    """What a caller did before it asked is seen by the run that it waited for; who asked together shared one."""
    done: list[str] = []
    seen: list[list[str]] = []

    async def look() -> None:
        found = list(done)
        await asyncio.sleep(0.01)
        seen.append(found)

    together = Together(look)

    async def ask(name: str) -> None:
        done.append(name)
        await together()
        assert any(name in found for found in seen)

    async with asyncio.TaskGroup() as callers:
        for name in "abc":
            callers.create_task(ask(name))
        await asyncio.sleep(0.005)
        for name in "de":
            callers.create_task(ask(name))

    assert seen == [["a", "b", "c"], ["a", "b", "c", "d", "e"]]


async def test_a_failure_is_told_to_those_who_waited_and_is_over() -> None:
    """The next one to ask begins anew."""
    failures = iter([OSError("gone")])

    async def once_broken() -> None:
        for failure in failures:
            raise failure

    together = Together(once_broken)
    told = await asyncio.gather(together(), together(), return_exceptions=True)

    assert [type(one) for one in told] == [OSError, OSError]
    await together()


async def test_who_gives_up_does_not_stop_it_for_others() -> None:
    """A client that has gone takes nothing from another."""
    together = Together(lambda: asyncio.sleep(0.01))
    impatient, patient = asyncio.create_task(together()), asyncio.create_task(together())
    await asyncio.sleep(0)
    impatient.cancel()

    with pytest.raises(asyncio.CancelledError):
        await impatient
    await patient
