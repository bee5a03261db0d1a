"""After an erasure: nothing lets anybody in, nothing is sent any more, and what comes too late is forgotten as well."""

import asyncio
import uuid
from inspect import unwrap
from typing import Any

import pytest

from app import subscribers
from app.bookings import service as bookings
from app.bookings.schemas import BookingIn
from app.core import db, outbox
from app.notifications import devices
from app.notifications.schemas import DeviceIn
from app.ops import tasks
from tests.bookings.paid import held
from tests.notifications.support import Mails
from tests.support.client import PASSWORD, Client, booking
from tests.support.fleet import Fleet


async def erased(traveller: Client) -> None:
    answer = await traveller.post("/auth/erasure", {"password": PASSWORD})
    assert answer.status == 204, answer.body


async def test_sessions_and_keys_are_ended_for_all_processes(traveller: Client, sql: Any) -> None:
    """The feed of what is revoked names each of them, and the refresh token is worth nothing."""
    user_id = traveller.user["id"]
    key = uuid.uuid4()
    await sql(
        "INSERT INTO api_keys (id, user_id, name, mode, shown, key_hash, scopes)"
        " VALUES (:key, :user_id, 'till', 'test', 'jtw', sha256(:key_text), '{a}')",
        key=key,
        key_text=str(key).encode(),
        user_id=user_id,
    )
    [session] = await sql("SELECT id FROM sessions WHERE user_id = :user_id", user_id=user_id)

    await erased(traveller)

    revoked = await sql(
        "SELECT id FROM revocations WHERE id = ANY(CAST(:ids AS uuid[]))", ids=[key, session["id"]]
    )
    assert len(revoked) == 2
    refreshed = await traveller.post("/auth/refresh", {"refresh_token": traveller.user["refresh_token"]})
    assert refreshed.status == 401
    assert await sql("SELECT 1 AS one FROM api_keys WHERE id = :key", key=key) == []


async def test_the_address_is_free_again(traveller: Client, api: Client) -> None:
    """For a new account, which has nothing of the old one."""
    await erased(traveller)

    account = {"email": traveller.user["email"], "password": PASSWORD, "full_name": "Ada Lovelace"}
    again = await api.post("/auth/signup", account)

    assert again.status == 201
    assert again.body["user"]["id"] != traveller.user["id"]


async def test_an_event_that_waited_is_mailed_to_nobody(
    mails: Mails, traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """It is handed on like any other, and keeps nobody from hearing theirs."""
    pnr = (await held(traveller, fleet))["pnr"]
    await fleet.run_out(pnr)
    await erased(traveller)
    notice = {"type": "account.password_changed", "subject": f"account-notice:{uuid.uuid4()}", "sequence": 1}
    async with db.transaction() as session:
        await outbox.record(session, [{**notice, "data": {"user_id": traveller.user["id"]}}])
    await mails.happens(pnr, "booking.expired")
    while await subscribers.relay():
        pass

    assert await sql("SELECT * FROM outbox WHERE dispatched_at IS NULL") == []
    assert await mails.rows() == []


async def test_what_comes_too_late_is_forgotten_by_the_next_sweep(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """A process that has not heard of the erasure yet may still book, or register a phone, for somebody who is gone."""
    user_id = uuid.UUID(traveller.user["id"])
    offer = await fleet.offer(traveller, await fleet.flight())
    await erased(traveller)
    phone = DeviceIn(token=uuid.uuid4().hex, platform="ios", name="Ada's phone")
    async with db.transaction() as session:
        pnr = (await bookings.create(session, user_id, BookingIn.model_validate(booking(offer["id"]))))["pnr"]
        await devices.register(session, user_id, phone)

    await unwrap(tasks.purge)()

    [left] = await sql(
        "SELECT b.contact, p.family_name FROM bookings b JOIN booking_passengers p ON p.booking_id = b.id"
        " WHERE b.pnr = :pnr",
        pnr=pnr,
    )
    assert left == {"contact": {}, "family_name": "Erased"}
    assert await sql("SELECT 1 AS one FROM devices WHERE user_id = :id", id=user_id) == []


async def test_who_is_gone_is_erased_no_more(traveller: Client, sql: Any) -> None:
    """The sweep finds nothing, so that nothing is written each hour."""
    await erased(traveller)
    await unwrap(tasks.purge)()

    entries = await sql(
        "SELECT actor_kind FROM audit_log WHERE action = 'privacy.erased' AND subject = :subject",
        subject=f"user:{traveller.user['id']}",
    )
    assert [entry["actor_kind"] for entry in entries] == ["user"]


async def test_twice_at_once_is_once(traveller: Client, sql: Any) -> None:
    """Whoever presses the button again has been forgotten already."""
    answers = await asyncio.gather(
        *(traveller.post("/auth/erasure", {"password": PASSWORD}) for _ in range(4))
    )

    assert [answer.status for answer in answers].count(204) == 1
    assert {answer.status for answer in answers} <= {204, 401, 403}
    [kept] = await sql(
        "SELECT count(*) AS n FROM audit_log WHERE action = 'privacy.erased' AND actor = :id",
        id=uuid.UUID(traveller.user["id"]),
    )
    assert kept["n"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET email = 'ada@example.com' WHERE id = :id",
        "UPDATE users SET full_name = 'Ada' WHERE id = :id",
        "UPDATE users SET password_hash = 'x' WHERE id = :id",
        "UPDATE users SET totp_secret = 'x' WHERE id = :id",
    ],
)
async def test_an_erased_account_gets_no_identity_back(traveller: Client, sql: Any, statement: str) -> None:
    """The database sees to it."""
    await erased(traveller)

    with pytest.raises(Exception, match="erased_without_identity"):
        await sql(statement, id=uuid.UUID(traveller.user["id"]))
