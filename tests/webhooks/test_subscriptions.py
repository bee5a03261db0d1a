"""Subscriptions as their owner handles them."""

import asyncio
from typing import Any

import pytest

from app.core.config import settings
from tests.support.client import Client
from tests.webhooks.support import Hooks

_URL = "http://127.0.0.1:9999/hook"


async def created(client: Client, **more: Any) -> dict[str, Any]:
    answer = await client.post("/webhooks/subscriptions", {"url": _URL, "events": ["booking.held"], **more})
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


async def test_a_subscription_is_answered_with_its_secret_once(traveller: Client) -> None:
    """No other answer shows it."""
    made = await created(traveller, description="the shop")

    assert made["secret"].startswith("whsec_")
    assert (made["status"], made["url"], made["events"]) == ("active", _URL, ["booking.held"])
    read = await traveller.get(f"/webhooks/subscriptions/{made['id']}")
    listed = await traveller.get("/webhooks/subscriptions")
    del made["secret"]
    assert read.body == made
    assert listed.body == {"data": [made], "next_cursor": None}
    assert read.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (["flight.delayed", "booking.held", "flight.delayed"], ["flight.delayed", "booking.held"]),
        (["booking.held", "*"], ["*"]),
    ],
)
async def test_an_event_is_asked_for_once(traveller: Client, asked: list[str], kept: list[str]) -> None:
    """However often it is named; every event includes each of them."""
    made = await created(traveller, events=asked)

    assert made["events"] == kept
    changed = await traveller.send("PATCH", f"/webhooks/subscriptions/{made['id']}", json={"events": asked})
    assert changed.body["events"] == kept


async def test_secrets_are_sealed_in_the_database(traveller: Client, sql: Any) -> None:
    """Also in the answer that is kept for repetitions of the request."""
    body = {"url": _URL, "events": ["*"]}
    key = {"Idempotency-Key": "subscribe-once"}
    first = await traveller.post("/webhooks/subscriptions", body, headers=key)
    again = await traveller.post("/webhooks/subscriptions", body, headers=key)

    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status, again.raw) == (201, first.raw)
    secret = first.body["secret"].removeprefix("whsec_")
    for table in ("webhook_subscriptions", "idempotency_keys"):
        [found] = await sql(
            f"SELECT count(*) AS n FROM {table} t WHERE position(:secret IN t::text) > 0"
            f" OR position(encode(convert_to(:secret, 'UTF8'), 'hex') IN t::text) > 0",
            secret=secret,
        )
        assert found["n"] == 0
    assert len((await traveller.get("/webhooks/subscriptions")).body["data"]) == 1


async def test_another_user_finds_nothing(traveller: Client, api: Client) -> None:
    """404, whatever is asked."""
    made = await created(traveller)
    other = await api.signed_up()
    path = f"/webhooks/subscriptions/{made['id']}"

    answers = [
        await other.get(path),
        await other.send("PATCH", path, json={"status": "paused"}),
        await other.send("DELETE", path),
        await other.post(f"{path}/rotate-secret"),
        await other.get(f"{path}/deliveries"),
        await other.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
        await other.post("/webhooks/test", {"subscription_id": made["id"]}),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "subscription_not_found")] * 7
    assert (await traveller.get(path)).body["status"] == "active"


@pytest.mark.parametrize("wrong", ["whs_", "whs_zz", "1", f"whd_{'7' * 32}", f"whs_{'9' * 32}"])
async def test_ids_that_are_none_are_not_found(traveller: Client, wrong: str) -> None:
    """As if nobody had ever made them."""
    answer = await traveller.get(f"/webhooks/subscriptions/{wrong}")

    assert (answer.status, answer.code) == (404, "subscription_not_found")


async def test_what_is_named_changes_and_the_rest_stays(traveller: Client) -> None:
    """Null takes a limit or a description away."""
    made = await created(traveller, description="the shop")
    path = f"/webhooks/subscriptions/{made['id']}"

    changed = (
        await traveller.send("PATCH", path, json={"events": ["flight.delayed"], "status": "paused"})
    ).body
    assert (changed["events"], changed["status"], changed["description"], changed["url"]) == (
        ["flight.delayed"],
        "paused",
        "the shop",
        _URL,
    )
    changed = (await traveller.send("PATCH", path, json={"description": None, "status": "active"})).body
    assert (changed["events"], changed["status"], changed["description"]) == (
        ["flight.delayed"],
        "active",
        None,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"url": None},
        {"events": []},
        {"events": ["booking.sold"]},
        {"events": None},
        {"status": "disabled"},
        {"status": None},
        {"secret": "whsec_mine"},
        {"description": "two\nlines"},
    ],
)
async def test_changes_that_make_no_sense_are_refused(traveller: Client, body: dict[str, Any]) -> None:
    """With the member that is wrong."""
    made = await created(traveller)

    answer = await traveller.send("PATCH", f"/webhooks/subscriptions/{made['id']}", json=body)

    assert answer.status == 422
    assert answer.body["errors"][0]["pointer"].startswith("/" + next(iter(body)))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.com/", "not_https"),
        ("http://169.254.169.254/latest/meta-data", "address"),
        ("https://10.0.0.1/", "address"),
        ("https://user:secret@example.com/", "userinfo"),
        ("https://0x7f.1/", "host"),
        ("https://2130706433/", "host"),
        ("https://example.com:6379/", "port"),
        ("https://nobody.invalid/", "unresolvable"),
    ],
)
async def test_urls_that_lead_nowhere_good_are_refused(traveller: Client, url: str, code: str) -> None:
    """At registration, at a change, and before anything is kept."""
    made = await created(traveller)

    for answer in (
        await traveller.post("/webhooks/subscriptions", {"url": url, "events": ["*"]}),
        await traveller.send("PATCH", f"/webhooks/subscriptions/{made['id']}", json={"url": url}),
    ):
        assert (answer.status, answer.code) == (422, "url_not_allowed")
        assert (answer.body["errors"][0]["pointer"], answer.body["errors"][0]["code"]) == ("/url", code)
    assert len((await traveller.get("/webhooks/subscriptions")).body["data"]) == 1


async def test_an_account_has_so_many_subscriptions_and_no_more(
    traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when they are asked for at once; one that is deleted makes room."""
    monkeypatch.setattr(settings(), "webhook_subscriptions_per_user", 3)
    body = {"url": _URL, "events": ["*"]}

    answers = await asyncio.gather(*(traveller.post("/webhooks/subscriptions", body) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 5
    assert {answer.code for answer in answers if answer.status == 409} == {"too_many_subscriptions"}
    made = next(answer.body for answer in answers if answer.status == 201)
    assert (await traveller.send("DELETE", f"/webhooks/subscriptions/{made['id']}")).status == 204
    assert (await traveller.post("/webhooks/subscriptions", body)).status == 201


async def test_a_deleted_subscription_is_gone_and_so_are_its_secrets(hooks: Hooks) -> None:
    """What waited for it is not sent."""
    made = await hooks.subscribed("*")
    await hooks.booked()
    await hooks.relayed()

    path = f"/webhooks/subscriptions/{made['id']}"
    assert (await hooks.traveller.send("DELETE", path)).status == 204
    await hooks.delivered()

    assert hooks.receiver.arrivals == []
    assert (await hooks.traveller.get(path)).status == 404
    assert (await hooks.traveller.send("DELETE", path)).status == 404
    [kept] = await hooks.sql(
        "SELECT secrets, status FROM webhook_subscriptions WHERE url = :url", url=made["url"]
    )
    assert (kept["secrets"], kept["status"]) == ([], "deleted")


async def test_the_list_is_paged_newest_first(traveller: Client) -> None:
    """A cursor goes on where the page ended."""
    made = [await created(traveller) for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = (
            await traveller.get("/webhooks/subscriptions", limit=2, **({"cursor": cursor} if cursor else {}))
        ).body
        seen += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == [one["id"] for one in reversed(made)]


@pytest.mark.parametrize("cursor", ["bm8", "WzEsMl0", "WyJhIiwiYiJd", "WzFlOTksICJ4Il0", "!"])
async def test_cursors_of_others_are_refused(traveller: Client, cursor: str) -> None:
    """They are opaque, and ours alone."""
    answer = await traveller.get("/webhooks/subscriptions", cursor=cursor)

    assert (answer.status, answer.body["errors"][0]["code"]) == (422, "invalid_cursor")
