"""Streams of bookings end, are counted, and cost nothing while nobody reads them."""

import asyncio
from time import time
from typing import Any

import jwt
import pytest

from app.auth import tokens
from app.bookings import events
from app.core import db
from app.core.config import settings
from app.core.web import sse
from tests.bookings.paid import held
from tests.bookings.streamed import closed, happens, nothing_lent, opened, refused
from tests.support.client import Client
from tests.support.fleet import Fleet


def ending_in(token: str, seconds: float) -> str:
    """The same token with another end."""
    claims = jwt.decode(token, options={"verify_signature": False})
    claims["exp"] = int(time() + seconds) - tokens.LEEWAY_SECONDS
    header = jwt.get_unverified_header(token)
    return jwt.encode(claims, settings().jwt_secret, "HS256", headers=header)


async def test_a_stream_ends_with_the_token(traveller: Client, fleet: Fleet) -> None:
    """Properly, so that the client comes again, with a newer one."""
    pnr = (await held(traveller, fleet))["pnr"]
    token = ending_in(traveller.token or "", 2)
    brief = Client(traveller.session, traveller.base, token)
    async with opened(brief, pnr) as stream:
        await stream.next()
        assert await stream.ended(4)

    assert (await refused(brief, pnr)).code == "token_expired"
    await closed()


async def test_a_stream_ends_after_an_hour(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which this test waits for a moment."""
    assert events.LONGEST_SECONDS == 3600
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0.5)
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as stream:
        assert await stream.ended(2)


async def test_a_silent_stream_is_kept_open(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a comment every 15 seconds."""
    assert events._HEARTBEAT_SECONDS <= 15
    monkeypatch.setattr(events, "_HEARTBEAT_SECONDS", 0.1)
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as stream:
        await stream.next()
        assert await stream.response.content.readuntil(b"\n\n") == b": keep-alive\n\n"


@pytest.mark.parametrize("limit", ["most", "most_each"])
async def test_there_is_an_end_to_streams(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Of a process and of a user; one that is closed makes room."""
    assert (events.crowd.most, events.crowd.most_each) == (1000, 20)
    monkeypatch.setattr(events.crowd, limit, 2)
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr), opened(traveller, pnr):
        told = await refused(traveller, pnr)
        assert (told.status, told.code) == (429, "too_many_event_streams")
        assert (told.headers["Retry-After"], told.body["retryable"]) == ("30", True)
    await closed()
    async with opened(traveller, pnr) as stream:
        await stream.next()


async def test_one_user_does_not_keep_others_out(
    traveller: Client, api: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody has a limit of their own."""
    monkeypatch.setattr(events.crowd, "most_each", 1)
    other = await api.signed_up()
    async with opened(traveller, (await held(traveller, fleet))["pnr"]):
        async with opened(other, (await held(other, fleet))["pnr"]) as stream:
            assert (await stream.next())["event"] == "snapshot"


async def test_open_streams_are_counted(traveller: Client, api: Client, fleet: Fleet) -> None:
    """For operators."""
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as stream:
        await stream.next()
        assert await counted(api) == "1.0"
    await closed()
    assert await counted(api) == "0.0"


async def counted(api: Client) -> str:
    metrics = await api.get(
        "/admin/metrics", headers={"Authorization": "Bearer metrics-token-of-all-of-the-tests"}
    )
    lines = metrics.raw.decode().splitlines()
    [line] = [line for line in lines if line.startswith('jetway_live_streams{kind="bookings"}')]
    return line.split()[1]


async def test_a_stream_that_waits_holds_no_connection(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the database; and when the last one has gone, nobody asks any more."""
    monkeypatch.setattr(events, "_PAUSE_SECONDS", 60.0)
    pnr = (await held(traveller, fleet))["pnr"]
    streams = [opened(traveller, pnr) for _ in range(settings().database_pool_size + 2)]
    for stream in streams:
        await (await stream.__aenter__()).next()
    await asyncio.sleep(0.1)
    await nothing_lent()
    asking = events._state.asking
    for stream in streams:
        await stream.__aexit__(None, None, None)
    await closed()
    assert (events._state.watches, events._state.asking) == (set(), None)
    assert asking is not None
    assert asking.done()


async def test_the_database_may_be_away_for_a_while(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams stay open, and go on."""
    monkeypatch.setattr(events, "_REST_SECONDS", 0.1)
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as stream:
        await stream.next()
        with monkeypatch.context() as away:
            away.setattr(db, "_engine", None)
            await asyncio.sleep(0.5)
        await happens(sql, pnr, "booking.confirmed")
        assert (await stream.next())["event"] == "booking.confirmed"


async def test_a_slow_reader_is_asked_for_nothing_more(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has not read stays in the database, and others hear at once. In the end it is given up."""
    monkeypatch.setattr(sse, "_STUCK_SECONDS", 1.5)
    pnr = (await held(traveller, fleet))["pnr"]
    async with db.transaction() as session:
        beginning = await events.begin(session, pnr, None)
    stuck, pieces = asyncio.Event(), []

    async def send(message: Any) -> None:
        pieces.append(message.get("body", b""))
        if b"booking.changed" in pieces[-1]:
            await stuck.wait()

    async def receive() -> Any:
        await asyncio.Event().wait()

    slow = asyncio.create_task(events.BookingStream(beginning, "slow", 60)({"type": "http"}, receive, send))
    async with opened(traveller, pnr) as quick:
        await quick.next()
        for _ in range(5):
            await happens(sql, pnr, "booking.changed")
            assert (await quick.next())["event"] == "booking.changed"
        [watch] = [one for one in events._state.watches if one.news.done()]
        assert [event["sequence"] for event in watch.news.result()] == [2] == [watch.position.sequence]
        await asyncio.wait_for(slow, 3)
    assert sum(b"booking.changed" in piece for piece in pieces) == 1
    await closed()
