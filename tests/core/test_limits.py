"""A limit is kept by all processes together, and each of them answers out of a share without asking the others.

A `Limit` holds what one process knows, so several of them in one test are several processes on one Redis.
"""

import asyncio
import itertools
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import redis
from app.core.origin import customer
from app.core.web import limits
from app.core.web.limits import Limit, Policy

pytestmark = pytest.mark.usefixtures("address")

_numbers = itertools.count(1)


def somebody() -> str:
    """An address that nobody has asked from."""
    number = next(_numbers)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


async def asked(process: Limit, caller: str) -> bool:
    """As the outermost layer does it; whether the request is answered."""
    now = monotonic()
    return process.spend(caller, now) is not None or (await process.ask(caller, now))[1] is None


async def left(process: Limit, caller: str) -> bytes:
    now = monotonic()
    header = process.spend(caller, now) or (await process.ask(caller, now))[0]
    return header[1].partition(b"r=")[2].partition(b";")[0]


@settings(max_examples=40, deadline=None)
@given(quota=st.integers(1, 80), turns=st.lists(st.integers(0, 2), min_size=1, max_size=120))
async def test_all_processes_together_never_answer_more_than_the_limit(quota: int, turns: list[int]) -> None:
    """Whichever of them are asked, and in which order; nothing is lost once all have been asked to their end."""
    processes, caller = [Limit(Policy("together", quota)) for _ in range(3)], somebody()

    answered = sum([await asked(processes[turn], caller) for turn in turns])

    assert answered <= quota
    for process in processes:
        while await asked(process, caller):
            answered += 1
    assert answered == quota


@pytest.mark.parametrize("quota", [1, 7, 100])
async def test_requests_at_the_same_moment_are_counted_one_by_one(quota: int) -> None:
    """None of them sees a state in between, in one process or between two."""
    processes, caller = [Limit(Policy("rush", quota)) for _ in range(2)], somebody()

    answered = await asyncio.gather(*(asked(process, caller) for process in processes for _ in range(150)))

    assert sum(answered) == quota


async def test_a_process_answers_most_requests_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a sixteenth of what is left at a time."""
    process, caller, questions = Limit(Policy("alone", 1200)), somebody(), 0
    take_share = process._take_share

    async def counted(*arguments: object) -> None:
        nonlocal questions
        questions += 1
        await take_share(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(process, "_take_share", counted)
    answered = sum([await asked(process, caller) for _ in range(1300)])

    assert answered == 1200
    assert questions < 90


async def test_a_refused_caller_costs_redis_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the window is over there is nothing to be had."""
    process, caller = Limit(Policy("refused", 3)), somebody()
    assert [await asked(process, caller) for _ in range(4)] == [True] * 3 + [False]

    monkeypatch.setattr(redis, "_client", None)

    assert not any([await asked(process, caller) for _ in range(100)])


@pytest.mark.parametrize("here", [0, 1, 30, 59, 60, 61])
async def test_a_small_limit_is_exact_in_whatever_order_processes_are_asked(here: int) -> None:
    """Nothing of it is kept by a process that the caller has left."""
    first, second, caller = Limit(Policy("small", 60)), Limit(Policy("small", 60)), somebody()

    answered = [await asked(first, caller) for _ in range(here)]
    answered += [await asked(second, caller) for _ in range(70)]

    assert sum(answered) == 60


async def test_a_process_that_is_not_asked_again_gives_back_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A caller who stays with the other process has fifteen sixteenths at once, and all of it in a moment."""
    monkeypatch.setattr(limits, "SHARE_SECONDS", 0.1)
    once, often, caller = Limit(Policy("kept", 160)), Limit(Policy("kept", 160)), somebody()
    await asked(once, caller)
    at_once = sum([await asked(often, caller) for _ in range(200)])

    await asyncio.sleep(0.25)

    assert at_once >= 150
    assert at_once + sum([await asked(often, caller) for _ in range(200)]) == 159


async def test_what_was_given_back_is_not_spent_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often shares come and go, all together stay within the limit."""
    monkeypatch.setattr(limits, "SHARE_SECONDS", 0.01)
    processes, caller, answered = [Limit(Policy("back", 200)) for _ in range(3)], somebody(), 0
    for turn in range(40):
        answered += sum([await asked(processes[turn % 3], caller) for _ in range(4)])
        await asyncio.sleep(0.012)

    for process in processes * 3:
        answered += sum([await asked(process, caller) for _ in range(200)])
        await asyncio.sleep(0.03)

    assert answered == 200


async def test_a_share_is_not_given_back_to_the_next_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there would be more than the limit then."""
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 3)
    monkeypatch.setattr(limits, "SHARE_SECONDS", 3.9)
    old, new, other = [Limit(Policy("next", 160)) for _ in range(3)]
    caller = somebody()
    await asked(old, caller)
    await asyncio.sleep(3.1)
    in_the_next = sum([await asked(new, caller) for _ in range(200)])

    await asyncio.sleep(1.2)

    assert in_the_next == 160
    assert not await asked(other, caller)


async def test_what_is_left_is_told() -> None:
    """Down to nothing, and of a refused request too."""
    process, caller = Limit(Policy("told", 4)), somebody()

    assert [await left(process, caller) for _ in range(6)] == [b"3", b"2", b"1", b"0", b"0", b"0"]


async def test_callers_have_limits_of_their_own() -> None:
    """So has each limit."""
    first, second, caller, other = (
        Limit(Policy("first", 1)),
        Limit(Policy("second", 1)),
        somebody(),
        somebody(),
    )

    assert [await asked(first, caller), await asked(first, caller)] == [True, False]
    assert [await asked(first, other), await asked(second, caller)] == [True, True]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "192.0.2.2", False),
    ],
)
def test_an_ipv6_network_is_one_caller(one: str, other: str, same: bool) -> None:
    """Everybody has as many addresses in it as they like."""
    assert (customer(one) == customer(other)) is same


async def test_a_new_window_begins_with_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process that refused and in one that has something left of the old one."""
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 2)
    refused, rich, caller = Limit(Policy("window", 32)), Limit(Policy("window", 32)), somebody()
    await asked(rich, caller)
    while await asked(refused, caller):
        pass

    await asyncio.sleep(2.1)

    assert sum([await asked(process, caller) for _ in range(20) for process in (refused, rich)]) == 32


async def test_a_share_does_not_outlive_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long Redis took to answer: the window is counted from before the question."""
    process, caller = Limit(Policy("late", 160)), somebody()
    await asked(Limit(Policy("late", 160)), caller)
    lasts = await redis.client().pttl(f"limit:late:{caller}")
    evaluate = redis.client().eval

    async def slowly(*arguments: object) -> object:
        answer = await evaluate(*arguments)  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        return answer

    monkeypatch.setattr(redis.client(), "eval", slowly)
    before = monotonic()
    await asked(process, caller)

    assert process._accounts[caller].ends <= before + lasts / 1000 + 0.02


async def test_without_redis_each_process_counts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is refused because of it, and nobody is without a limit."""
    monkeypatch.setattr(redis, "_resting_until", monotonic() + 60)
    processes, caller = [Limit(Policy("away", 50)) for _ in range(2)], somebody()

    answered = [sum([await asked(process, caller) for _ in range(70)]) for process in processes]

    assert answered == [50, 50]


async def test_without_redis_processes_that_know_of_each_other_share_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And tell the part that they allow, as long as it is so."""
    processes, caller = [Limit(Policy("parted", 50), 2) for _ in range(2)], somebody()
    with monkeypatch.context() as away:
        away.setattr(redis, "_resting_until", monotonic() + 60)
        answered = [sum([await asked(process, caller) for _ in range(70)]) for process in processes]
        told = [process.policy[1] for process in processes]
    await asked(processes[0], somebody())

    assert answered == [25, 25]
    assert told == [b'"parted";q=25;w=60'] * 2
    assert processes[0].policy[1] == b'"parted";q=50;w=60'


async def test_what_redis_knows_counts_again_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the share that the process took meanwhile."""
    here, elsewhere, caller = Limit(Policy("again", 160)), Limit(Policy("again", 160)), somebody()
    while await asked(elsewhere, caller):
        pass
    with monkeypatch.context() as away:
        away.setattr(redis, "_resting_until", monotonic() + 60)
        assert await asked(here, caller)

    assert sum([await asked(here, caller) for _ in range(160)]) == 9


async def test_a_crowd_of_callers_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are forgotten here; Redis still knows what they have asked."""
    monkeypatch.setattr(limits, "_MOST_CALLERS", 10)
    process, first = Limit(Policy("crowd", 2)), somebody()
    assert [await asked(process, first) for _ in range(3)] == [True, True, False]

    for _ in range(50):
        await asked(process, somebody())

    assert len(process._accounts) == 10
    assert first not in process._accounts
    assert not await asked(process, first)


async def test_callers_whose_window_is_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the memory holds the last minute's callers and no more."""
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 0.05)
    process = Limit(Policy("over", 2))
    for _ in range(30):
        await asked(process, somebody())

    await asyncio.sleep(0.06)
    await asked(process, somebody())

    assert len(process._accounts) == 1
