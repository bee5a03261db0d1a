"""The wire breaks on an event's way to its receivers: at each commit of it, and at the request itself."""

import re
from collections import Counter
from typing import Any, get_args

import pytest
from sqlalchemy.exc import SQLAlchemyError

from app.core import db, outbox, strangers
from app.core.db import Row, Session
from app.webhooks import courier, health
from tests.support.cuts import Side, Wire
from tests.webhooks.crowds import Crowd
from tests.webhooks.support import Hooks

# By what only this commit has in it.
COMMITS = {
    "fan-out": re.compile(rb"INSERT INTO webhook_deliveries"),
    "lease": re.compile(rb"SET state = 'sending'"),
    "health": re.compile(rb"UPDATE webhook_subscriptions"),
    "result": re.compile(rb"INSERT INTO webhook_attempts .*FROM kept", re.DOTALL),
    "taken back": re.compile(rb"INSERT INTO webhook_attempts .*FROM back", re.DOTALL),
}
SIDES: tuple[Side, ...] = get_args(Side)


@pytest.fixture
async def crowd(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    """Three events for two receivers, of which one refuses whatever it hears first."""
    monkeypatch.setattr(courier, "_RESTS_SECONDS", 0.01)
    crowd = Crowd(hooks)
    await crowd.listens("/well", "/late")
    await crowd.tell(3)
    hooks.receiver.answer(500, "/late")
    return crowd


async def delivered(crowd: Crowd) -> None:
    """What the workers do by themselves as time passes, until there is nothing left to do."""
    crowd.hooks.receiver.answer(200, "/late")
    for _ in range(3):
        await crowd.lost_leases_end()
        await health.sweep()
        await crowd.hooks.waits_are_over()
        await crowd.hooks.delivered()
    await crowd.all_delivered(0.1)
    assert await crowd.broken() == {}


async def ends(crowd: Crowd) -> Counter[Any]:
    """How the attempts ended, by their error or status, over all deliveries."""
    found = await crowd.hooks.sql(
        "SELECT coalesce(a.error, a.status::text) AS ended FROM webhook_attempts a JOIN webhook_deliveries d"
        " ON d.id = a.delivery_id WHERE d.subscription_id = ANY(CAST(:ids AS uuid[]))",
        ids=crowd.ids,
    )
    return Counter(row["ended"] for row in found)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("commit", [name for name in COMMITS if name != "taken back"])
async def test_a_cut_at_any_commit_loses_no_event_and_repeats_none(
    crowd: Crowd, wire: Wire, commit: str, side: Side
) -> None:
    """Who still knows a result writes it again. What was leased and never sent counts as an attempt of nobody's."""
    wire.arm(1, side, counting=COMMITS[commit])
    raised = False
    try:
        await crowd.hooks.delivered()
    except (SQLAlchemyError, OSError):
        raised = True

    assert wire.disarm()
    assert raised == (commit in ("fan-out", "lease"))
    await delivered(crowd)
    assert crowd.repeats() == 3 * (not raised)  # Those that were refused at first.
    # As long as a receiver has not answered, one is leased at a time.
    never_sent = 2 * (commit == "lease" and side == "after")
    assert await ends(crowd) == Counter({"200": 6, "status": 3 * (not raised), "worker_lost": never_sent})


async def test_no_event_is_blamed_for_a_database_that_goes_away(
    crowd: Crowd, caplog: pytest.LogCaptureFixture
) -> None:
    """In the middle of handing on: none is tried alone and put off, and all are handed on next time."""

    async def goes_away(session: Session, events: list[Row]) -> bool:
        await db.rows(session, "SELECT pg_terminate_backend(pg_backend_pid())")
        raise AssertionError

    with pytest.raises(SQLAlchemyError):
        async with db.transaction() as session:
            await outbox.relay(session, [goes_away], 500)

    assert caplog.records == []
    await delivered(crowd)


@pytest.mark.parametrize("side", SIDES)
async def test_what_is_taken_back_from_a_lost_sender_is_taken_back_once(
    crowd: Crowd, wire: Wire, side: Side
) -> None:
    """Also if whoever does it is lost as well."""
    await crowd.hooks.relayed()
    wire.arm(1, "after", counting=COMMITS["lease"])
    with pytest.raises((SQLAlchemyError, OSError)):
        await crowd.hooks.courier.deliver_due()
    assert await crowd.lost_leases_end() == 2
    wire.arm(1, side, counting=COMMITS["taken back"])

    with pytest.raises((SQLAlchemyError, OSError)):
        await health.sweep()

    assert wire.disarm()
    await delivered(crowd)
    assert await ends(crowd) == Counter({"200": 6, "worker_lost": 2})
    assert crowd.repeats() == 0


@pytest.mark.parametrize("side", SIDES)
async def test_a_request_that_is_cut_is_made_again(crowd: Crowd, side: Side) -> None:
    """Before it arrives the receiver hears of it once, after that twice: with the same id and the same bytes."""
    crowd.hooks.receiver.hang_up("/well", heard=side == "after")

    await crowd.hooks.delivered()

    assert len(crowd.hooks.receiver.at("/well")) == 3 * (side == "after")
    crowd.hooks.receiver.answer(200, "/well")
    await delivered(crowd)
    assert crowd.repeats() == 3 + 3 * (side == "after")
    assert await ends(crowd) == Counter({"200": 6, "status": 3, "connection": 3})


async def test_an_answer_that_comes_too_late_is_no_answer(crowd: Crowd) -> None:
    """The time that a request may take is over; the receiver has it and gets it again."""
    strangers.connect(total_seconds=0.2)
    crowd.hooks.receiver.hang("/well")

    await crowd.hooks.delivered()

    crowd.hooks.receiver.answer(200, "/well")
    await delivered(crowd)
    assert crowd.repeats() == 6
    assert await ends(crowd) == Counter({"200": 6, "status": 3, "timeout": 3})
