"""Keys for servers: made, listed, used, revoked."""

import asyncio
import hashlib
import re
import uuid
from typing import Any

import orjson
import pytest

from app.auth import keys, repository
from app.core.config import settings
from tests.auth.keyring import ALL, asked, made
from tests.auth.two import at, seconds_until
from tests.bookings.paid import held
from tests.bookings.streamed import closed, opened
from tests.support.client import PASSWORD, Client, booking
from tests.support.fleet import Fleet


async def test_a_key_is_shown_once(traveller: Client, sql: Any) -> None:
    """Lists show how it begins, and the database holds its hash."""
    answer = await asked(traveller, "bookings:write", expires_in_days=30)
    [listed] = (await traveller.get("/auth/api-keys")).body["data"]

    assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
    key = answer.body.pop("key")
    assert re.fullmatch(r"jtw_test_[A-Za-z0-9_-]{43}", key)
    assert listed == answer.body
    assert key.startswith(listed["shown"].removesuffix("…"))
    assert len(listed["shown"]) == 14
    stored = await sql("SELECT * FROM api_keys WHERE id = CAST(:id AS uuid)", id=listed["id"])
    assert stored[0]["key_hash"] == hashlib.sha256(key.encode()).digest()
    assert key not in str(stored)
    assert (stored[0]["expires_at"] - stored[0]["created_at"]).days == 30


async def test_it_books_for_its_owner(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Wherever the owner's token would do, streams included; when it was used is noted to the minute."""
    key = await made(traveller)
    offer = await fleet.offer(key, await fleet.flight())

    booked = await key.post("/bookings", booking(offer["id"]), {"Idempotency-Key": "trip-1"})

    assert booked.status == 201
    pnr = booked.body["pnr"]
    assert (await traveller.get(f"/bookings/{pnr}")).status == 200
    assert (await key.get(f"/bookings/{pnr}/itinerary.ics")).status == 200
    async with opened(key, pnr) as stream:
        assert (await stream.next())["event"] == "snapshot"
    await closed()
    [listed] = (await traveller.get("/auth/api-keys")).body["data"]
    assert listed["last_used_at"] is not None
    [first] = await sql("SELECT last_used_at FROM api_keys WHERE id = CAST(:id AS uuid)", id=listed["id"])
    keys._known.clear()
    await key.get("/bookings")
    assert [first] == await sql(
        "SELECT last_used_at FROM api_keys WHERE id = CAST(:id AS uuid)", id=listed["id"]
    )


async def test_a_request_with_a_known_key_asks_nothing(
    traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who it is is looked up once a minute; what nobody has is looked up each time, and not remembered."""
    looked_up: list[bytes] = []
    use_key = repository.use_key

    async def noted(session: Any, key_hash: bytes) -> Any:
        looked_up.append(key_hash)
        return await use_key(session, key_hash)

    monkeypatch.setattr(repository, "use_key", noted)
    key = await made(traveller)
    known = len(keys._known)
    for _ in range(3):
        assert (await key.get("/bookings")).status == 200
    assert len(looked_up) == 1
    assert len(keys._known) == known + 1

    for n in range(3):
        unknown = Client(traveller.session, traveller.base, f"jtw_test_{n:043d}")
        assert (await unknown.get("/bookings")).code == "invalid_token"
    assert len(looked_up) == 4
    assert len(keys._known) == known + 1

    monkeypatch.setattr(keys, "monotonic", lambda: 1e12)
    assert (await key.get("/bookings")).status == 200
    assert len(looked_up) == 5


async def test_the_keys_in_memory_are_bounded(traveller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes, and is looked up when it comes again."""
    monkeypatch.setattr(keys, "_known", {})
    monkeypatch.setattr(keys, "_MOST_KNOWN", 2)
    for key in [await made(traveller) for _ in range(3)]:
        assert (await key.get("/bookings")).status == 200

    assert len(keys._known) == 2


async def test_a_revoked_key_is_refused(traveller: Client, second_api: str, sql: Any) -> None:
    """At once here, and by another process, which knows it, within a second for what writes."""
    key = await made(traveller)
    there = at(second_api, key)
    assert (await there.post("/webhooks/test", {})).status == 422
    assert (await key.get("/bookings")).status == 200

    answer = await traveller.send("DELETE", f"/auth/api-keys/{key.user['id']}")

    assert (answer.status, answer.raw) == (204, b"")
    assert (await key.get("/bookings")).code == "invalid_token"
    assert await seconds_until("invalid_token", lambda: there.post("/webhooks/test", {})) <= 1
    assert (await traveller.get("/auth/api-keys")).body == {"data": [], "next_cursor": None}
    again = await traveller.send("DELETE", f"/auth/api-keys/{key.user['id']}")
    assert (again.status, again.code) == (404, "api_key_not_found")
    noted = await sql(
        "SELECT action FROM audit_log WHERE actor = :id AND action LIKE 'api_key.%' ORDER BY at",
        id=uuid.UUID(traveller.user["id"]),
    )
    assert [row["action"] for row in noted] == ["api_key.created", "api_key.revoked"]


async def test_a_stream_ends_with_its_key(traveller: Client, fleet: Fleet) -> None:
    """As it would with a session."""
    pnr = (await held(traveller, fleet))["pnr"]
    key = await made(traveller, "bookings:read")
    async with opened(key, pnr) as stream:
        await stream.next()
        await traveller.send("DELETE", f"/auth/api-keys/{key.user['id']}")
        assert await stream.ended(5)
    await closed()


async def test_a_key_ends_on_its_day(traveller: Client, sql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is known and has seconds left."""
    key = await made(traveller, expires_in_days=1)
    await sql(
        "UPDATE api_keys SET expires_at = now() + interval '20 seconds' WHERE id = CAST(:id AS uuid)",
        id=key.user["id"],
    )
    assert (await key.get("/bookings")).status == 200
    later = keys.monotonic() + 21
    await sql("UPDATE api_keys SET expires_at = now() WHERE id = CAST(:id AS uuid)", id=key.user["id"])
    assert (await key.get("/bookings")).status == 200
    monkeypatch.setattr(keys, "monotonic", lambda: later)

    assert (await key.get("/bookings")).code == "invalid_token"


async def test_somebody_elses_key_is_not_there(traveller: Client, api: Client) -> None:
    """404, as for one that nobody has; and it goes on."""
    key, other = await made(traveller), await api.signed_up()

    for key_id in (key.user["id"], str(uuid.uuid4())):
        answer = await other.send("DELETE", f"/auth/api-keys/{key_id}")
        assert (answer.status, answer.code) == (404, "api_key_not_found")
    assert (await other.get("/auth/api-keys")).body["data"] == []
    assert (await key.get("/bookings")).status == 200


async def test_a_key_needs_the_password(traveller: Client) -> None:
    """A session that somebody found open makes none, and guessing is stopped, for the right one too."""
    for _ in range(5):
        wrong = await asked(traveller, password="not the password")
        assert (wrong.status, wrong.code) == (403, "not_confirmed")

    assert (await asked(traveller)).code == "rate_limited"
    assert (await traveller.get("/auth/api-keys")).body["data"] == []


async def test_repeating_a_request_makes_no_second_key(traveller: Client, sql: Any) -> None:
    """The first answer comes again with the key in it; neither the key nor the password is kept for that in clear."""
    once = {"Idempotency-Key": "first-key"}
    first, again = [await asked(traveller, headers=once) for _ in range(2)]
    other = await asked(traveller, headers=once, name="Another")

    assert first.raw == again.raw
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.code == "idempotency_key_reused"
    assert len((await traveller.get("/auth/api-keys")).body["data"]) == 1
    [kept] = await sql("SELECT * FROM idempotency_keys WHERE key = 'first-key'")
    assert first.body["key"].encode() not in bytes(kept["body"])
    body = {"name": "Nightly export", "scopes": ALL, "password": PASSWORD}
    assert (
        bytes(kept["fingerprint"]) != hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
    )


async def test_an_account_has_twenty_at_most(traveller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are asked for at once; revoked ones make room."""
    assert keys.MOST_EACH == 20
    monkeypatch.setattr(keys, "MOST_EACH", 3)

    answers = await asyncio.gather(*(asked(traveller) for _ in range(5)))

    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 2
    assert {answer.code for answer in answers if answer.status == 409} == {"too_many_api_keys"}
    first = (await traveller.get("/auth/api-keys")).body["data"][0]
    await traveller.send("DELETE", f"/auth/api-keys/{first['id']}")
    assert (await asked(traveller)).status == 201


async def test_who_says_the_right_password_is_never_told_to_wait(traveller: Client) -> None:
    """An app that makes several keys at once says it as often; only wrong ones are counted."""
    answers = await asyncio.gather(*(asked(traveller) for _ in range(8)))

    assert [answer.status for answer in answers] == [201] * 8, [answer.body for answer in answers]


async def test_a_key_of_the_other_mode_is_refused(traveller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a key of the wrong deployment is noticed as that."""
    live = Client(traveller.session, traveller.base, "jtw_live_" + "A" * 43)
    answer = await live.get("/bookings")
    assert (answer.status, answer.code) == (401, "wrong_key_mode")
    test = await made(traveller)

    monkeypatch.setattr(settings(), "app_env", "production")

    assert (await test.get("/bookings")).code == "wrong_key_mode"
    assert (await made(traveller)).token.startswith("jtw_live_")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "key", ["jtw_", "jtw_test_", "jtw_test_" + "A" * 42, "jtw_test_" + "A" * 44, "jtw_prod_" + "A" * 43,
            "JTW_TEST_" + "A" * 43, "jtw_test_" + "é" * 43, "jtw_test_" + "'" * 43, "jtw_test_" + "A" * 43],
)  # fmt: skip
async def test_what_is_no_key_is_refused(api: Client, key: str) -> None:
    """Whatever it looks like."""
    answer = await api.get("/bookings", headers={"Authorization": f"Bearer {key}"})

    assert (answer.status, answer.code) == (401, "invalid_token")


async def test_a_key_in_the_address_is_not_read(traveller: Client, api: Client) -> None:
    """Addresses end up in logs."""
    key = await made(traveller)

    for name in ("api_key", "key", "access_token"):
        assert (await api.get("/bookings", **{name: key.token})).code == "unauthorized"
    assert (await api.get("/bookings", headers={"X-API-Key": key.token or ""})).code == "unauthorized"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["admin"]}, "/scopes/0"),
        ({"scopes": ["bookings:*"]}, "/scopes/0"),
        ({"expires_in_days": 0}, "/expires_in_days"),
        ({"expires_in_days": 10**9}, "/expires_in_days"),
        ({"mode": "live"}, "/mode"),
    ],
)
async def test_what_is_asked_for_is_checked(traveller: Client, change: dict[str, Any], pointer: str) -> None:
    """With a pointer to what is wrong."""
    answer = await asked(traveller, **change)

    assert (answer.status, [one["pointer"] for one in answer.body["errors"]]) == (422, [pointer])
