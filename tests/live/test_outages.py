"""OpenSky is slow, broken, closed to us or switched off: pictures grow old, and nothing else happens."""

import asyncio
from typing import Any

import pytest

from app.core.config import settings
from app.live import tiles
from app.live.areas import WORLD
from app.providers.base import ProviderError
from app.providers.opensky.client import OpenSky
from tests.live.support import LONDON, STATES, Sky, know
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.support.stack import free_port

BROKEN = [
    "opensky_500",
    "opensky_503",
    "opensky_403",
    "opensky_429",
    "opensky_429_hours",
    "opensky_401",
    "reset",
    "truncated",
    "garbage",
    "html_200",
    "html_502",
    "huge",
    "redirect",
]


@pytest.mark.parametrize("fault", BROKEN)
async def test_old_pictures_serve_while_the_vendor_is_broken(api: Client, sky: Sky, fault: str) -> None:
    """They are marked, and say when they were taken."""
    first = await api.get("/flights/live")
    await sky.sandbox.fault(fault, "/api/*")
    await sky.grow_old()

    old = await api.get("/flights/live")

    assert (old.status, old.body["meta"]["stale"]) == (200, True)
    assert old.body["data"] == first.body["data"]
    assert old.body["meta"]["fetched_at"] == first.body["meta"]["fetched_at"]


@pytest.mark.parametrize("fault", BROKEN)
async def test_with_no_picture_at_all_positions_are_unavailable(api: Client, sky: Sky, fault: str) -> None:
    await sky.sandbox.fault(fault, "/api/*")

    answer = await api.get("/flights/live")

    assert (answer.status, answer.code, answer.body["retryable"]) == (503, "positions_unavailable", True)
    assert "Retry-After" in answer.headers
    for word in ("opensky", "Something went wrong", "html", "Traceback"):
        assert word not in answer.raw.decode()


async def test_an_old_picture_of_the_world_serves_for_its_parts(api: Client, sky: Sky) -> None:
    await api.get("/flights/live")
    await sky.sandbox.fault("opensky_500", STATES)
    await sky.grow_old()

    answer = await api.get("/flights/live", bbox=LONDON)

    assert (answer.status, answer.body["meta"]["stale"]) == (200, True)


async def test_a_quarter_of_an_hour_is_the_end_of_a_picture(api: Client, sky: Sky) -> None:
    await api.get("/flights/live")
    held = tiles._held[WORLD]
    assert 890 < held.usable_until - asyncio.get_running_loop().time() <= 900


async def test_a_slow_vendor_holds_nobody_up_who_has_a_picture(api: Client, sky: Sky) -> None:
    """They wait for two seconds; then the old one is better than none."""
    await api.get("/flights/live")
    await sky.sandbox.fault("slow", STATES, delay_seconds=4)
    await sky.grow_old()
    begun = asyncio.get_running_loop().time()

    answers = await asyncio.gather(*(api.get("/flights/live") for _ in range(20)))

    assert asyncio.get_running_loop().time() - begun < 3
    assert {answer.body["meta"]["stale"] for answer in answers} == {True}


async def test_a_vendor_that_fails_is_left_alone(sky: Sky) -> None:
    """After five failures in a row."""
    await sky.sandbox.fault("opensky_500", STATES)
    for _ in range(10):
        with pytest.raises(ProviderError):
            await OpenSky().states(None)

    assert len(await sky.calls()) == 5


async def test_it_comes_back_by_itself(api: Client, sky: Sky, sql: Any) -> None:
    """The first call after the pause is a probe."""
    await sky.sandbox.fault("opensky_403", STATES)
    assert (await api.get("/flights/live")).status == 503
    await sky.sandbox.control("DELETE", "/faults")
    await sky.grow_old()
    assert (await api.get("/flights/live")).status == 503
    await sql("UPDATE provider_endpoints SET paused_until = now() WHERE provider = 'opensky'")
    await sky.grow_old()

    answer = await api.get("/flights/live")

    assert (answer.status, answer.body["meta"]["stale"]) == (200, False)
    assert len(await sky.calls()) == 2


async def test_booking_and_search_go_on(traveller: Client, sky: Sky, sql: Any) -> None:
    """While the vendor hangs and a hundred people look at maps."""
    flight = await Fleet(sql).flight()
    await sky.sandbox.fault("slow", "/api/*", delay_seconds=6)
    await sky.sandbox.fault("slow", "/auth/*", delay_seconds=6)
    boxes = [
        f"{west},{south},{west + 5},{south + 5}"
        for west in range(-100, 100, 20)
        for south in (10, 20, 30, 40, 50)
    ]
    looking = [asyncio.create_task(traveller.get("/flights/live", bbox=bbox)) for bbox in boxes * 2]
    await asyncio.sleep(0.3)

    begun = asyncio.get_running_loop().time()
    offer = await Fleet(sql).offer(traveller, flight)
    booked = await traveller.book(offer["id"])

    assert booked.status == 201, booked.body
    assert asyncio.get_running_loop().time() - begun < 3
    assert not all(task.done() for task in looking)
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    await sky.sandbox.control("DELETE", "/faults")


async def test_without_positions_a_known_flight_is_still_found(api: Client, sky: Sky, sql: Any) -> None:
    """With an estimate that says that it is one; of what is not known, nothing can be said."""
    flight = await sky.airborne()
    await know(sql, flight)
    await sky.sandbox.fault("opensky_500", STATES)

    answer = await api.get(f"/flights/track/{flight['flight']}")

    assert answer.status == 200
    assert answer.body["position"]["estimated"] is True
    assert (answer.body["matched_by"], answer.body["meta"], answer.body["track"]) == ("schedule", None, [])
    unknown = await api.get("/flights/track/ABC123")
    assert (unknown.status, unknown.code) == (503, "positions_unavailable")


async def test_positions_can_be_switched_off(
    api: Client, sky: Sky, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their use may need a licence. Nobody is asked then."""
    flight = await sky.airborne()
    await know(sql, flight)
    monkeypatch.setattr(settings(), "opensky_enabled", False)
    for path in ("/flights/live", "/flights/live/stream"):
        answer = await api.get(path)
        assert (answer.status, answer.code, answer.body["retryable"]) == (503, "positions_disabled", False)

    assert (await api.get(f"/flights/track/{flight['flight']}")).body["position"]["estimated"] is True
    assert (await api.get("/flights/track/ABC123")).status == 404
    assert await sky.calls() == []


async def test_a_vendor_that_is_not_there_is_found_out_quickly(
    api: Client, sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another network nobody answers at all."""
    monkeypatch.setattr(settings(), "opensky_base_url", f"http://127.0.0.1:{free_port()}/api")
    begun = asyncio.get_running_loop().time()
    answer = await api.get("/flights/live")

    assert answer.status == 503
    assert asyncio.get_running_loop().time() - begun < 4
