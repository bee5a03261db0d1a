"""A session that was ended is honoured no more: at once here, within a second there, and not even in streams."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.auth import repository, revoked
from app.core import db
from tests.auth.two import at, seconds_until
from tests.bookings.paid import held
from tests.bookings.streamed import closed, opened
from tests.support.client import Client, booking
from tests.support.fleet import Fleet


async def log_out(client: Client) -> None:
    assert (await client.post("/auth/logout", {"refresh_token": client.user["refresh_token"]})).status == 204


@asynccontextmanager
async def behind(monkeypatch: pytest.MonkeyPatch, seconds: float) -> AsyncIterator[None]:
    """This process reads no revocations by itself, and has not for so many seconds."""

    async def nothing() -> None:
        pass

    with monkeypatch.context() as patch:
        patch.setattr(revoked, "_read_on", nothing)
        await asyncio.sleep(0.1)  # One that has begun comes to its end.
        patch.setattr(revoked._state, "read_at", revoked.monotonic() - seconds)
        yield


async def test_it_counts_at_once_where_it_was_ended(traveller: Client) -> None:
    """Reading and writing."""
    assert (await traveller.get("/bookings")).status == 200
    await log_out(traveller)

    for answer in (await traveller.get("/bookings"), await traveller.post("/bookings", {})):
        assert (answer.status, answer.code) == (401, "invalid_token")


async def test_it_counts_in_another_process_within_a_second(traveller: Client, second_api: str) -> None:
    """A write is refused within one second, a read within five, by a process that heard nothing of it."""
    there = at(second_api, traveller)
    assert (await there.post("/webhooks/test", {})).status == 422
    await log_out(traveller)

    writing = seconds_until("invalid_token", lambda: there.post("/webhooks/test", {}))
    reading = seconds_until("invalid_token", lambda: there.get("/bookings"))
    took_to_write, took_to_read = await asyncio.gather(writing, reading)

    assert took_to_write <= 1
    assert took_to_read <= 5


async def test_the_hot_path_of_booking_refuses_as_well(traveller: Client, fleet: Fleet) -> None:
    """Which reads tokens by itself."""
    offer = await fleet.offer(traveller, await fleet.flight())
    await log_out(traveller)

    answer = await traveller.post("/bookings", booking(offer["id"]))

    assert (answer.status, answer.code) == (401, "invalid_token")


async def test_every_place_that_reads_a_token_asks(traveller: Client, fleet: Fleet) -> None:
    """The booking itself, its documents, its events and the metrics."""
    pnr = (await held(traveller, fleet))["pnr"]
    await log_out(traveller)

    for path in (f"/bookings/{pnr}", f"/bookings/{pnr}/itinerary.ics", f"/bookings/{pnr}/events"):
        assert (await traveller.get(path)).code == "invalid_token", path
    assert (await traveller.get("/admin/metrics")).code == "invalid_token"


async def test_a_stream_ends_with_its_session(traveller: Client, fleet: Fleet, second_api: str) -> None:
    """Within five seconds, in another process too."""
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as here, opened(at(second_api, traveller), pnr) as there:
        await here.next()
        await there.next()
        await log_out(traveller)

        assert await here.ended(5)
        assert await there.ended(5)
    await closed()


async def test_a_process_that_fell_behind_asks_the_database(
    traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It trusts what it has read for 0.9 seconds to let somebody write, and for 4.5 to let them read."""
    user = uuid.UUID(traveller.user["id"])
    async with behind(monkeypatch, 2):
        async with db.transaction() as session:
            await repository.revoke_sessions(session, user, "elsewhere")
        assert (await traveller.get("/bookings")).status == 200
        assert (await traveller.post("/webhooks/test", {})).code == "invalid_token"
    async with behind(monkeypatch, 4.6):
        assert (await traveller.get("/bookings")).code == "invalid_token"


async def test_a_request_of_somebody_signed_in_asks_nothing(
    traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the copy is fresh, no query is spent on whether the session is good; later, one for many at once."""

    asked: list[Any] = []
    revocations = repository.revocations

    async def noted(session: Any, since: Any, kept: int) -> Any:
        asked.append(since)
        await asyncio.sleep(0.1)
        return await revocations(session, since, kept)

    async with behind(monkeypatch, 0):
        monkeypatch.setattr(repository, "revocations", noted)
        assert (await traveller.get("/bookings")).status == 200
        assert (await traveller.post("/webhooks/test", {})).status == 422
        assert asked == []
    async with behind(monkeypatch, 5):
        asked.clear()
        answers = await asyncio.gather(*(traveller.get("/bookings") for _ in range(20)))
        assert {answer.status for answer in answers} == {200}
    assert 1 <= len(asked) <= 3


async def test_a_process_that_starts_knows_what_was_revoked_before(traveller: Client, sql: Any) -> None:
    """And one that commits late is seen although its row tells of an earlier time."""
    [late, long_ago] = [uuid.uuid4(), uuid.uuid4()]
    async with db.transaction() as session:
        now, _ = await repository.revocations(session, None, 960)
    await sql("INSERT INTO revocations (id, at) VALUES (:id, now() - interval '20 seconds')", id=late)
    await sql("INSERT INTO revocations (id, at) VALUES (:id, now() - interval '1 hour')", id=long_ago)

    async with db.transaction() as session:
        _, since = await repository.revocations(session, now, 960)
        _, first = await repository.revocations(session, None, 960)

    assert late in since
    assert late in first
    assert long_ago not in first


async def test_ids_are_forgotten_when_their_tokens_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds the revocations of a quarter of an hour, and not those of always."""
    monkeypatch.setattr(revoked, "_state", revoked._State())
    old, new = uuid.uuid4(), uuid.uuid4()
    monkeypatch.setattr(revoked, "monotonic", lambda: 1000.0)
    revoked._learn([old])
    monkeypatch.setattr(revoked, "monotonic", lambda: 1970.0)
    revoked._learn([new])
    revoked._forget()

    assert list(revoked._state.ids) == [new]
