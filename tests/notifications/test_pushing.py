"""Each push once, whatever happens to senders, phones and the service that brings them."""

import asyncio
import json
from collections.abc import AsyncIterator
from time import perf_counter

import pytest
import pytest_asyncio

from app.core import redis
from app.core.config import settings
from app.notifications import sending, service
from app.providers import fcm
from tests.notifications.people import People, Person


@pytest_asyncio.fixture
async def ada(people: People) -> AsyncIterator[Person]:
    """A flight that she follows is late, and her phone is about to be told."""
    person, flight = await people.somebody(), await people.flight()
    await people.follow(person, flight)
    await people.delayed(flight, 45)
    yield person


async def waits_are_over(people: People) -> None:
    await people.sql("UPDATE pushes SET next_attempt_at = now() WHERE state = 'queued'")
    await service.push_due()


async def phones(people: People, person: Person) -> int:
    return len((await person.client.get("/devices")).body["data"])


async def test_five_senders_at_once_push_once(people: People, ada: Person) -> None:
    """However often the relay runs."""
    for _ in range(2):
        await people.relayed()
        await people.sql("UPDATE outbox SET dispatched_at = NULL WHERE id = (SELECT max(id) FROM outbox)")

    await asyncio.gather(*(service.push_due() for _ in range(5)))

    assert len(await people.received(ada)) == 1
    assert await people.states() == [("sent", None)]


@pytest.mark.parametrize(
    ("fault", "left", "state"),
    [
        ("push_unregistered", 0, []),
        ("push_not_a_token", 0, []),
        ("push_not_understood", 1, [("failed", "not_understood")]),
        ("push_another_project", 1, [("failed", "another_project")]),
    ],
)
async def test_a_phone_that_is_gone_is_dropped(
    people: People, ada: Person, fault: str, left: int, state: list[tuple[str, str]]
) -> None:
    """And one that is there is kept, whatever else the service does not like."""
    await people.sandbox.fault(fault, "/fcm/*")

    await people.told()

    assert (await phones(people, ada), await people.states()) == (left, state)


async def test_a_phone_that_has_come_back_meanwhile_is_kept(
    people: People, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service said that it was gone, and then the app was started again."""
    forget = service.repository.forget_device

    async def late(*args: object) -> None:
        await people.register(ada, ada.token)
        await forget(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(service.repository, "forget_device", late)
    await people.sandbox.fault("push_unregistered", "/fcm/*")

    await people.told()

    assert await phones(people, ada) == 1


async def test_a_token_that_has_run_out_is_renewed_once(people: People, ada: Person) -> None:
    """Without anybody noticing; when the new one is not taken either, it is tried later."""
    await people.sandbox.fault("push_token_expired", "/fcm/*", times=1)
    await people.told()
    assert await people.states() == [("sent", None)]
    assert (await people.sandbox.calls())["/token"] == 2

    await people.sql("UPDATE pushes SET state = 'queued', sent_at = NULL")
    await people.sandbox.fault("push_token_expired", "/fcm/*")
    await service.push_due()

    assert await people.states() == [("queued", "access_refused")]
    assert (await people.sandbox.calls())["/token"] == 3


async def test_one_token_serves_many(people: People, ada: Person) -> None:
    """It is asked for once, however many want it at once."""
    await asyncio.gather(*(fcm._access_token() for _ in range(5)))
    await people.told()

    assert (await people.sandbox.calls())["/token"] == 1


@pytest.mark.parametrize(
    ("fault", "rest"),
    [
        ("push_unavailable", 37),
        ("push_quota", 37),
        ("push_no_grant", 300),
        ("html_502", 15),
        ("garbage", 15),
        ("reset", 0),
    ],
)
async def test_an_outage_costs_one_attempt_and_loses_nothing(
    people: People, ada: Person, fault: str, rest: int
) -> None:
    """Others wait untried, as long as the service says; then each push comes once."""
    bob, flight = await people.somebody(), await people.flight()
    await people.follow(bob, flight)
    await people.delayed(flight, 45)
    await people.sandbox.fault(fault)
    await people.relayed()

    await service._work_off(service.PUSHING)

    waiting = await people.sql("SELECT *, extract(epoch FROM next_attempt_at - now()) AS wait FROM pushes")
    assert [row["state"] for row in waiting] == ["queued", "queued"]
    assert sorted(row["attempts"] for row in waiting) == [0, 1]
    assert min(row["wait"] for row in waiting) > rest - 3
    await people.sandbox.control("DELETE", "/faults")
    await waits_are_over(people)
    assert [len(await people.received(one)) for one in (ada, bob)] == [1, 1]


async def test_a_push_that_may_have_arrived_is_sent_again_as_the_same(people: People, ada: Person) -> None:
    """The service took it and hung up: it comes twice under one id, and one of both is seen."""
    await people.sandbox.fault("push_taken_and_dropped", "/fcm/*", times=1)
    await people.told()
    await waits_are_over(people)

    first, second = await people.received(ada)
    assert first["data"] == second["data"]
    assert first["data"]["id"]
    [phone] = (await people.sandbox.control("GET", "/phones"))["phones"]
    assert len(phone["screen"]) == 1


async def test_a_worker_that_is_lost_is_replaced(people: People, ada: Person) -> None:
    """Once its lease is over, and not before; what it has to say then is not kept."""
    await people.relayed()
    lost = await service.PUSHING.claim()
    assert lost is not None
    await service.push_due()
    assert await people.received(ada) == []

    await people.sql("UPDATE pushes SET lease_until = now() - interval '1 second'")
    await service.push_due()
    await people.sandbox.fault("push_not_understood", "/fcm/*")
    await service.PUSHING.attempt(lost)

    assert len(await people.received(ada)) == 1
    assert await people.states() == [("sent", None)]


async def test_a_slow_service_is_not_waited_for(
    people: People, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who is alive is never taken for lost: two calls and two tokens take less than a lease."""
    assert 4 * fcm._TIMEOUT_SECONDS < sending.LEASE_SECONDS
    monkeypatch.setattr(fcm, "_TIMEOUT_SECONDS", 0.3)
    await people.sandbox.fault("slow", "/fcm/*", delay_seconds=5)
    begun = perf_counter()

    await people.told()

    assert perf_counter() - begun < 3
    assert await people.states() == [("queued", "no_answer")]


async def test_emptying_redis_loses_nothing(people: People, ada: Person) -> None:
    """Rows are the queue."""
    await people.relayed()
    await redis.client().flushdb()

    await service.push_due()

    assert len(await people.received(ada)) == 1


async def test_without_an_account_nothing_is_pushed(
    people: People, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is kept that would never be sent."""
    monkeypatch.setattr(settings(), "fcm_service_account", "")

    await people.told()

    assert await people.rows() == []


async def test_old_pushes_are_dropped(people: People, ada: Person) -> None:
    """They tell who travels where; what waits is kept."""
    await people.told()
    flight = await people.flight()
    await people.follow(ada, flight)
    await people.delayed(flight, 45)
    await people.relayed()
    await people.sql("UPDATE pushes SET created_at = now() - interval '31 days'")

    async with service.db.transaction() as session:
        await service.purge(session)

    assert [state for state, _ in await people.states()] == ["queued"]


async def test_neither_tokens_nor_keys_are_logged(
    people: People, ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """In whatever goes wrong."""
    canary = "canary-token"
    assert (await people.register(ada, canary)).status == 201
    for fault in (
        "push_not_understood",
        "push_quota",
        "reset",
        "garbage",
        "push_no_grant",
        "push_unregistered",
    ):
        fcm.forget()
        await people.sandbox.fault(fault)
        await people.relayed()
        await waits_are_over(people)
        await people.sandbox.control("DELETE", "/faults")
    await people.register(ada, canary, locale="not a locale")

    told = caplog.text
    access = fcm._state.token or "none"
    for secret in (canary, ada.token[:20], access, json.dumps(settings().fcm_account["private_key"])[1:60]):
        assert secret not in told
    assert "not_understood" in told
    assert ada.client.user["email"] not in told
