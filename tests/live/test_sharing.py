"""One call to the vendor for all who look at the same part of the map, in however many processes."""

import asyncio
from typing import Any

import pytest

from app.core import redis
from app.live import shared, tiles
from app.live.areas import WORLD
from tests.live.support import EUROPE, LONDON, STATES, TOKENS, Sky
from tests.support.client import Client

WORLDS_KEYS = ("live:world", "live:world:fresh", "live:world:lock", "live:world:number")


async def test_a_hundred_viewers_in_two_processes_cause_one_call(
    api: Client, second_api: str, sky: Sky, sql: Any
) -> None:
    """And all see the same."""
    await sky.sandbox.fault("slow", STATES, delay_seconds=0.5)
    clients = [api, Client(api.session, second_api)] * 50
    answers = await asyncio.gather(*(client.get("/flights/live") for client in clients))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.raw for answer in answers}) == 1
    assert len(await sky.calls()) == 1
    spent = await sql("SELECT spent FROM provider_budgets WHERE provider = 'opensky' AND budget = 'states'")
    assert spent == [{"spent": 4}]


async def test_viewers_of_different_boxes_in_one_tile_share_it(api: Client, sky: Sky) -> None:
    boxes = [f"{west / 10},51,{west / 10 + 1},54" for west in range(1, 40)]
    await asyncio.gather(*(api.get("/flights/live", bbox=bbox) for bbox in boxes))

    [call] = await sky.calls()
    assert call["params"] == {"lamin": "50", "lomin": "0", "lamax": "55", "lomax": "5"}


async def test_nobody_looks_and_nobody_asks(api: Client, sky: Sky) -> None:
    """A picture that has grown old is not renewed for its own sake."""
    await api.get("/flights/live")
    await sky.grow_old()
    await asyncio.sleep(1)

    assert len(await sky.calls()) == 1


async def test_while_a_picture_is_fresh_nobody_is_asked(api: Client, sky: Sky) -> None:
    for _ in range(20):
        await api.get("/flights/live", bbox=LONDON)
        await api.get("/flights/live", bbox=LONDON, limit=1)

    calls = await sky.calls()
    # A box over two tiles of five degrees, or fewer.
    assert 1 <= len(calls) <= 2


async def test_without_redis_each_process_asks_for_itself(
    api: Client, sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for all of its viewers."""

    async def gone(operation: Any) -> None:
        operation.close()

    monkeypatch.setattr(redis, "or_none", gone)
    answers = await asyncio.gather(*(api.get("/flights/live") for _ in range(50)))

    assert {answer.status for answer in answers} == {200}
    assert len(await sky.calls()) == 1


async def test_who_died_while_fetching_is_replaced(
    api: Client, sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its lock has run out."""
    monkeypatch.setattr(shared, "_LOCK_SECONDS", 1)
    assert await shared.take("world") == 1

    answer = await api.get("/flights/live")

    assert (answer.status, answer.body["meta"]["stale"]) == (200, False)
    assert len(await sky.calls()) == 1


async def test_a_late_picture_does_not_replace_a_newer_one(sky: Sky) -> None:
    """The one who fetched it was held up until its lock had run out and another had fetched."""
    late = await shared.take("world")
    await redis.client().delete("live:world:lock")
    newer = await shared.take("world")
    assert (late, newer) == (1, 2)
    await shared.put("world", 2, b"newer", 5)
    await shared.put("world", 1, b"late", 5)

    stored = await shared.read("world", 0)
    assert stored is not None
    assert (stored.number, stored.body) == (2, b"newer")


async def test_who_was_held_up_does_not_open_anothers_lock(sky: Sky) -> None:
    await shared.take("world")
    await redis.client().delete("live:world:lock")
    await shared.take("world")
    await shared.give_back("world", 1)

    assert await shared.take("world") == 0


async def test_a_failure_is_known_to_the_other_processes(api: Client, sky: Sky) -> None:
    """They do not try the same at once."""
    await sky.sandbox.fault("opensky_500", STATES)
    assert (await api.get("/flights/live")).status == 503
    tiles.forget()

    refused = await api.get("/flights/live")

    assert (refused.status, refused.code) == (503, "positions_unavailable")
    assert len(await sky.calls()) == 1


async def test_redis_that_was_emptied_is_filled_again(api: Client, sky: Sky) -> None:
    await api.get("/flights/live")
    await redis.client().delete(*WORLDS_KEYS)
    tiles._held[WORLD].fresh_until = 0.0

    answer = await api.get("/flights/live")

    assert (answer.status, answer.body["meta"]["stale"]) == (200, False)
    assert await redis.client().exists("live:world") == 1
    assert len(await sky.calls()) == 2


async def test_metrics_tell_where_pictures_came_from(api: Client, sky: Sky) -> None:
    """Fresh ones, old ones, and those that were fetched; and what is left to spend."""
    await api.get("/flights/live", bbox=EUROPE)
    metrics = await api.get(
        "/admin/metrics", headers={"Authorization": "Bearer metrics-token-of-all-of-the-tests"}
    )
    text = metrics.raw.decode()

    assert 'jetway_live_tiles_total{source="fresh"}' in text
    assert 'jetway_live_tiles_total{source="upstream"}' in text
    assert "jetway_live_streams" in text
    assert len(await sky.calls(TOKENS)) == 1
