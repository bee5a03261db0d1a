"""Search answers as ready bytes: repeated without work, forgotten when seats move, never needed."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from app.core import money, redis
from app.core.config import settings
from app.core.logging import BUSINESS
from app.offers import answers
from tests.flights.support import board, calls, time_to_try_again, until
from tests.support import ecs
from tests.support.asked import statements
from tests.support.client import Answer, Client, Sandbox, in_days


@pytest_asyncio.fixture
async def no_redis(address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Redis is where nobody listens; afterwards it is back, and used again."""
    with monkeypatch.context() as patch:
        patch.setattr(settings(), "redis_url", "redis://127.0.0.1:1/15")
        await redis.disconnect()
        redis.connect()
        yield
    await redis.disconnect()
    redis.connect()

    async def in_use() -> bool:
        return await redis.or_none(redis.client().ping()) is not None

    await until(in_use)


def answered(source: str) -> float:
    return REGISTRY.get_sample_value("jetway_search_answers_total", {"source": source}) or 0


def query(day: int, *, swapped: bool = False, **params: Any) -> str:
    """A question; swapped, it is the same question in other bytes, which no process remembers."""
    asked = {"origin": "FAE", "destination": "KEF", "departure_date": in_days(day)} | params
    pairs = list(asked.items())
    return "/flights/search?" + urlencode(pairs[::-1] if swapped else pairs)


def without_tokens(answer: Answer) -> Any:
    """The answer but for what names the minute in which it was made."""
    assert answer.status == 200, answer.body
    body = answer.body
    return body | {
        "data": [{k: v for k, v in o.items() if k not in ("id", "expires_at")} for o in body["data"]]
    }


async def test_a_question_repeated_at_once_costs_no_question_to_anybody(
    api: Client, sandbox: Sandbox
) -> None:
    """The same bytes, with neither the database nor the provider."""
    first = await api.get(query(260))
    hot = answered("hot")

    with statements() as asked:
        again = await api.get(query(260))

    assert again.raw == first.raw
    assert asked == []
    assert answered("hot") == hot + 1
    assert await calls(sandbox, "FAE", in_days(260)) == 1


async def test_the_same_question_in_other_words_comes_from_redis(api: Client) -> None:
    """Order, case and defaults do not matter."""
    first = await api.get(query(261))
    stored = answered("redis")

    with statements() as asked:
        others = [
            await api.get(query(261, swapped=True)),
            await api.get(query(261, adults=1, cabin="economy", limit=20)),
            await api.get(query(261).replace("FAE", "fae")),
        ]

    assert [other.raw for other in others] == [first.raw] * 3
    assert asked == []
    assert answered("redis") == stored + 3


async def test_equal_questions_at_the_same_time_share_the_work(api: Client) -> None:
    """One computes for all who wait; somebody may come just before the answer is stored."""
    await api.get(query(262, limit=99))

    with statements() as asked:
        await asyncio.gather(*(api.get(query(262, swapped=bool(i % 2))) for i in range(40)))

    assert 1 <= sum("FROM flights f" in statement for statement in asked) <= 3


async def test_a_client_that_still_has_the_answer_gets_304(api: Client) -> None:
    """From memory and from Redis, however its ETag is written."""
    first = await api.get(query(263))
    etag = first.headers["ETag"]

    for swapped in (False, True):
        for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = await api.get(query(263, swapped=swapped), headers={"If-None-Match": header})
            assert (again.status, again.raw) == (304, b"")
            assert again.headers["ETag"] == etag
            assert again.headers["Cache-Control"] == "no-cache"
            assert again.headers["X-Request-ID"]


@pytest.mark.parametrize("header", ['"other"', "", "nonsense", '"'])
async def test_a_client_with_another_answer_gets_this_one(api: Client, header: str) -> None:
    """In full."""
    first = await api.get(query(263))

    assert (await api.get(query(263), headers={"If-None-Match": header})).raw == first.raw


async def test_answers_have_their_own_request_ids(api: Client) -> None:
    """Repeated bytes, but not repeated headers."""
    one, two = await api.get(query(264)), await api.get(query(264))
    kept = await api.get(query(264), headers={"X-Request-ID": "caller-chose-this"})

    assert one.headers["X-Request-ID"] != two.headers["X-Request-ID"]
    assert kept.headers["X-Request-ID"] == "caller-chose-this"


async def test_an_emptied_redis_changes_nothing(traveller: Client) -> None:
    """It holds nothing that may not be lost: answers are computed again, offers can be booked."""
    first = await traveller.get(query(265))

    await redis.client().flushdb()
    second = await traveller.get(query(265, swapped=True))
    await redis.client().flushdb()
    booked = await traveller.book(first.body["data"][0]["id"])

    assert without_tokens(second) == without_tokens(first)
    assert booked.status == 201, booked.body


async def test_without_redis_searches_are_answered(traveller: Client, no_redis: None) -> None:
    """And seats are booked; the outage costs a request hardly anything."""
    started = perf_counter()
    results = [await traveller.get(query(266, limit=limit)) for limit in range(1, 21)]
    took = perf_counter() - started
    offer = results[0].body["data"][0]

    booked = await traveller.book(offer["id"])
    after = await traveller.get(query(266, swapped=True))

    assert {answer.status for answer in results} == {200}
    assert took < 10
    assert booked.status == 201
    left = {one["slices"][0]["segments"][0]["flight_id"]: one["seats_left"] for one in after.body["data"]}
    assert left[offer["slices"][0]["segments"][0]["flight_id"]] == offer["seats_left"] - 1


async def test_after_an_outage_redis_is_used_again(api: Client) -> None:
    """Without a restart."""
    await api.get(query(267))
    stored = answered("redis")

    await api.get(query(267, swapped=True))

    assert answered("redis") == stored + 1


async def test_an_answer_is_forgotten_when_its_seats_move(traveller: Client) -> None:
    """In memory and in Redis, at once for the process that moved them."""
    first = await traveller.get(query(268, sort="departure"))
    assert (await traveller.get(query(268, sort="departure"))).raw == first.raw

    await traveller.book(first.body["data"][0]["id"])

    for swapped in (False, True):
        after = await traveller.get(query(268, sort="departure", swapped=swapped))
        assert after.body["data"][0]["seats_left"] == first.body["data"][0]["seats_left"] - 1
        assert after.headers["ETag"] != first.headers["ETag"]


async def test_an_answer_in_redis_is_forgotten_by_all_processes(traveller: Client, second_api: str) -> None:
    """One process stored it, another moved the seats."""
    other = Client(traveller.session, second_api, traveller.token)
    first = await other.get(query(269, sort="departure"))
    assert (await traveller.get(query(269, sort="departure"))).raw == first.raw

    await traveller.book(first.body["data"][0]["id"])

    after = await other.get(query(269, sort="departure", swapped=True))
    assert after.body["data"][0]["seats_left"] == first.body["data"][0]["seats_left"] - 1


async def test_answers_about_other_markets_stay(traveller: Client) -> None:
    """Seats that move elsewhere are no reason to compute again."""
    kept = await traveller.get(query(270))
    offer = (await traveller.get(query(271))).body["data"][0]["id"]

    await traveller.book(offer)
    with statements() as asked:
        again = await traveller.get(query(270, swapped=True))

    assert again.raw == kept.raw
    assert asked == []


async def test_two_processes_compute_the_same_bytes(api: Client, second_api: str) -> None:
    """Within a minute, each for itself: a customer behind a load balancer sees one shop."""
    other = Client(api.session, second_api)
    await api.get(query(272, limit=99))
    # The minute may turn between the two, and one may know already what another test has changed of airlines.
    for limit in range(20, 10, -1):
        await redis.client().flushdb()
        mine = await api.get(query(272, limit=limit))
        await redis.client().flushdb()
        theirs = await other.get(query(272, limit=limit))
        if theirs.raw == mine.raw:
            break
        await asyncio.sleep(1)

    assert mine.body["data"]
    assert theirs.raw == mine.raw
    assert theirs.headers["ETag"] == mine.headers["ETag"]


async def test_a_stale_answer_is_not_kept_for_long(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """Seconds, so that the renewed board is soon seen."""
    day = in_days(273)
    await api.get(query(273, limit=99))
    await sandbox.fault("rate_limited")
    await sql(
        "UPDATE schedule_boards SET fresh_until = now() WHERE airport = 'FAE' AND local_date = :day", day=day
    )
    await redis.client().flushdb()

    answer = await api.get(query(273))

    assert answer.body["meta"]["stale"] is True
    (key,) = [key async for key in redis.client().scan_iter("search:*")]
    assert 0 < await redis.client().ttl(key) <= 5

    async def failed() -> bool:
        return bool((await board(sql, "FAE", day))["failure"])

    await until(failed)


async def test_refusals_are_not_remembered(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """Neither in memory nor in Redis."""
    await sandbox.fault("rate_limited", times=1)

    refused = await api.get(query(274))
    await time_to_try_again(sql)
    answer = await api.get(query(274))

    assert (refused.status, answer.status) == (503, 200)
    assert (await api.get(query(274, adults=10))).status == 422


async def test_only_get_takes_the_short_way(api: Client) -> None:
    """Another method on the same path is told so."""
    await api.get(query(275))

    assert (await api.send("PUT", query(275))).status == 405


async def test_every_search_is_counted_once(
    api: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is repeated from memory with the others of its kind, a little later; a further page not at all."""
    monkeypatch.setattr(settings(), "log_level", "INFO")
    monkeypatch.setattr(answers, "_TOLD_SECONDS", 0.5)
    answers._tell_of_repeats()  # Those of other tests.
    capsys.readouterr()
    found = await api.get(query(77, adults="2", limit="1"))
    for _ in range(3):
        assert (await api.get(query(77, adults="2", limit="1"))).body == found.body
    await api.get(query(77, swapped=True, adults="2", limit="1"))
    await api.get(query(77, adults="2", limit="1", cursor=found.body["next_cursor"]))
    await asyncio.sleep(0.7)

    told = [line for line in ecs.read(capsys.readouterr().out) if line["event.dataset"] == BUSINESS]

    assert {one["jetway.search.source"]: one["jetway.search.count"] for one in told} == {
        "computed": 1,
        "redis": 1,
        "hot": 3,
    }
    assert len(told) == 3
    assert [one for one in told if ecs.misfits(one)] == []
    price, meta = found.body["data"][0]["price"]["total"], found.body["meta"]
    for one in told:
        assert one["jetway.search.results"] == meta["total"]
        assert one["jetway.search.lowest_price"] == money.minor(meta["facets"]["price"]["lowest"])
        assert (one["jetway.search.adults"], one["jetway.search.trip"]) == (2, "one_way")
        assert one["jetway.money.currency"] == price["currency"]
