"""The audit log: what comes into it, who may read it, and that nobody changes it."""

import uuid
from datetime import timedelta
from inspect import unwrap
from typing import Any

import pytest
import pytest_asyncio

from app.core import audit, clock, cursors, db, partitions
from app.core.config import settings
from app.core.partitions import month_after, month_of
from app.ops import tasks
from app.rules import service as rules
from app.rules.kinds import Kind
from tests.auth.keyring import made
from tests.bookings.paid import bought, cancelled
from tests.bookings.test_guest_link import Asking
from tests.notifications.support import Mails
from tests.rules.conftest import kind, weights
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.webhooks.support import Hooks

__all__ = ["kind"]

Row = dict[str, Any]


@pytest_asyncio.fixture
async def admin(api: Client, sql: Any) -> Client:
    """Somebody who may read it."""
    client = await api.signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=client.user["id"])
    return client


async def entries(admin: Client, **wanted: Any) -> list[Row]:
    answer = await admin.get("/admin/audit", **wanted)
    assert answer.status == 200, answer.body
    found: list[Row] = answer.body["data"]
    return found


def beside_accounts(found: list[Row]) -> list[Row]:
    """Without what people do with their own accounts, such as opening them."""
    return [one for one in found if not one["subject"].startswith("user:")]


async def test_money_is_in_it(admin: Client, traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Who paid, who cancelled, how much, from where and by which request; newest first."""
    pnr = (await bought(traveller, fleet, sql))["pnr"]
    await cancelled(traveller, pnr)

    newest, older = await entries(admin, subject=f"booking:{pnr}")

    assert [older["action"], newest["action"]] == ["payment.succeeded", "booking.cancelled"]
    assert older["actor"] == {"kind": "user", "id": traveller.user["id"]}
    assert older["data"]["amount"]["currency"] == "USD"
    assert (newest["network"], len(newest["request_id"])) == ("127.0.0.0/24", 32)
    assert newest["data"]["reason"] == "fare_rules"


async def test_what_a_key_does_is_the_keys(admin: Client, traveller: Client, hooks: Hooks) -> None:
    """So that its owner can be told from whoever has found it."""
    key = await made(traveller, "webhooks:write")
    hook = await hooks.subscribed("*", by=key)

    [entry] = await entries(admin, subject=f"webhook:{hook['id']}")

    assert (entry["action"], entry["actor"]) == ("webhook.created", {"kind": "api_key", "id": key.user["id"]})


async def test_who_tries_to_be_an_administrator_is_in_it(admin: Client, traveller: Client) -> None:
    """Although they were refused."""
    assert (await traveller.get("/admin/audit")).code == "admins_only"

    [entry] = await entries(admin, actor=traveller.user["id"], action="admin.refused")

    assert entry["data"] == {"code": "admins_only"}


async def test_what_opens_doors_is_in_it(
    admin: Client, hooks: Hooks, mails: Mails, traveller: Client, api: Client, fleet: Fleet, sql: Any
) -> None:
    """Webhooks, devices and guests' links, each step by its own name."""
    subscription = (await hooks.subscribed("*"))["id"]
    where = f"/webhooks/subscriptions/{subscription}"
    await traveller.send("PATCH", where, json={"description": "till"})
    await traveller.post(f"{where}/rotate-secret")
    await traveller.send("DELETE", where)
    device = (await traveller.post("/devices", {"token": uuid.uuid4().hex, "platform": "ios"})).body["id"]
    await traveller.post("/devices", {"token": uuid.uuid4().hex, "platform": "toaster"})
    await traveller.send("DELETE", f"/devices/{device}")
    pnr = await mails.booked()
    await Asking(mails, api, pnr).opened()

    told = beside_accounts(await entries(admin, actor=traveller.user["id"]))
    assert [(one["action"], one["subject"]) for one in reversed(told)] == [
        ("webhook.created", f"webhook:{subscription}"),
        ("webhook.changed", f"webhook:{subscription}"),
        ("webhook.secret_rotated", f"webhook:{subscription}"),
        ("webhook.deleted", f"webhook:{subscription}"),
        ("device.registered", f"device:{device}"),
        ("device.removed", f"device:{device}"),
    ]
    assert told[-2]["data"] == {"fields": ["description"]}
    [opened] = await entries(admin, subject=f"booking:{pnr}")
    assert (opened["action"], opened["actor"]) == ("guest.link_opened", {"kind": "guest", "id": None})


async def test_what_administrators_do_is_in_it(admin: Client, kind: Kind[Any]) -> None:
    """Jobs that they ask for, and rules that they publish; those in force once more are no change."""
    await rules.load()
    job = (await admin.post("/airlines/sync")).body["id"]
    for _ in range(2):
        published = {"tables": weights(feather=3), "note": "Feathers got heavier."}
        assert (await admin.post(f"/admin/rules/{kind.name}", published)).status == 201

    told = beside_accounts(await entries(admin, actor=admin.user["id"]))

    assert [(one["action"], one["actor"]["kind"], one["subject"], one["data"]) for one in told] == [
        ("rules.published", "admin", f"rules:{kind.name}", {"version": 2}),
        ("job.asked", "admin", f"job:{job}", {"kind": "airlines.sync"}),
    ]


async def test_it_is_read_page_by_page_and_narrowed(admin: Client, traveller: Client) -> None:
    """No entry twice and none missing, whatever comes in meanwhile."""
    mine = uuid.uuid4()
    async with db.transaction() as session:
        for number in range(5):
            await audit.record(session, "test.counted", by="user", actor=mine, number=number)
    first = (await admin.get("/admin/audit", actor=mine, limit=2)).body
    async with db.transaction() as session:
        await audit.record(session, "test.later", by="user", actor=mine)
    second = (await admin.get("/admin/audit", actor=mine, limit=2, cursor=first["next_cursor"])).body
    third = (await admin.get("/admin/audit", actor=mine, limit=2, cursor=second["next_cursor"])).body

    seen = [one["data"]["number"] for page in (first, second, third) for one in page["data"]]
    assert sorted(seen) == list(range(5))
    assert third["next_cursor"] is None
    assert [one["action"] for one in await entries(admin, actor=mine, action="test.later")] == ["test.later"]
    at = (await entries(admin, actor=mine, action="test.later"))[0]["at"]
    assert len(await entries(admin, actor=mine, until=at)) == 5
    assert [one["action"] for one in await entries(admin, actor=mine, since=at)] == ["test.later"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "bnVsbA",
        "WyJ4IiwieCJd",
        cursors.pack(["2026-01-01", "0" * 32]),
        cursors.pack(["0001-01-01T00:00:00+23:59", "0" * 32]),
        cursors.pack(["2026-01-01T00:00:00+00:00", 7]),
        cursors.pack(7),
    ],
)
async def test_a_cursor_that_nobody_gave(admin: Client, cursor: str) -> None:
    answer = await admin.get("/admin/audit", cursor=cursor)
    assert (answer.status, answer.body["errors"][0]["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    "query",
    [
        {"since": "0001-01-01T00:00:00+23:59"},
        {"until": "9999-12-31T23:59:59-23:59"},
        {"action": "a b"},
        {"subject": "a\n"},
        {"actor": "ada"},
    ],
)
async def test_a_question_that_makes_no_sense(admin: Client, query: dict[str, str]) -> None:
    """Is refused before the database is asked."""
    answer = await admin.get("/admin/audit", **query)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, next(iter(query)))


async def test_it_is_for_administrators(api: Client, traveller: Client) -> None:
    """Nobody else learns who did what."""
    assert (await api.get("/admin/audit")).status == 401
    assert (await traveller.get("/admin/audit")).status == 403


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = NULL",
        "UPDATE audit_log SET action = 'test.gone' WHERE action = 'test.kept'",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE action = 'test.kept'",
        "DELETE FROM {month}",
        "UPDATE {month} SET at = at + interval '1 day'",
        "TRUNCATE audit_log",
    ],
)
async def test_nobody_changes_it(sql: Any, statement: str) -> None:
    """Not even who speaks to the database with the product's own account."""
    async with db.transaction() as session:
        await audit.record(session, "test.kept", by="system")

    with pytest.raises(Exception, match="only ever added"):
        await sql(statement.format(month=f"audit_log_{clock.now():%Y_%m}"))


async def test_months_are_made_ahead_and_dropped_when_they_are_old(sql: Any) -> None:
    """Three of them; one is dropped as a whole when every day of it has been kept for long enough."""
    old, young = (month_of(clock.now() - timedelta(days=settings().audit_days + more)) for more in (60, -40))
    async with db.transaction() as session:
        for month in (old, young):
            await partitions.make(session, [audit.TABLE], month)

    await unwrap(tasks.keep_audit_months)()
    await unwrap(tasks.keep_audit_months)()

    async with db.transaction() as session:
        kept = await partitions.partitions(session, audit.TABLE)
    month = month_of(clock.now())
    for _ in range(4):
        assert f"audit_log_{month:%Y_%m}" in kept
        month = month_after(month)
    assert f"audit_log_{young:%Y_%m}" in kept
    assert f"audit_log_{old:%Y_%m}" not in kept


async def test_what_had_no_month_gets_one(sql: Any) -> None:
    """An installation that stood still for months loses nothing, and what was written meanwhile stays as firm."""
    await sql(
        "INSERT INTO audit_log (action, actor_kind, at) VALUES ('test.astray', 'system', now() - interval '95 days')"
    )
    [before] = await sql(
        "SELECT tableoid::regclass::text AS place, id FROM audit_log WHERE action = 'test.astray'"
    )

    await unwrap(tasks.keep_audit_months)()

    [after] = await sql(
        "SELECT tableoid::regclass::text AS place, id, at FROM audit_log WHERE action = 'test.astray'"
    )
    assert (before["place"], before["id"]) == ("audit_log_rest", after["id"])
    assert after["place"] == f"audit_log_{after['at']:%Y_%m}"
    with pytest.raises(Exception, match="only ever added"):
        await sql("DELETE FROM audit_log WHERE action = 'test.astray'")
    await sql("INSERT INTO audit_log (action, actor_kind, at) VALUES ('test.rest', 'system', '2001-01-01Z')")
    with pytest.raises(Exception, match="only ever added"):
        await sql("DELETE FROM audit_log_rest")
