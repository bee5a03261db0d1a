"""Who gets the booking's mail is let in: once per link, for a while, and to read."""

import re
from datetime import timedelta
from time import time
from typing import Any

import jwt
import pytest
import pytest_asyncio

from app.bookings import guests
from app.core.config import settings
from tests.notifications.support import Mails
from tests.support.client import Client

ASK = "/bookings/lookup/link"


class Asking:
    """A booking, somebody without an account, and the mails to the booking's address."""

    def __init__(self, mails: Mails, api: Client, pnr: str) -> None:
        self.mails, self.api, self.pnr = mails, api, pnr

    async def link(self) -> str:
        """The token of the newest link that was mailed."""
        answer = await self.api.post(ASK, {"pnr": self.pnr, "family_name": "lovelace"})
        assert answer.status == 202
        return await self.token()

    async def token(self) -> str:
        mail = (await self.mails.sent())[-1]
        [token] = re.findall(r"/bookings/guest#token=([\w-]{43})\s", mail["text"])
        assert f'guest#token={token}"' in mail["html"]
        return str(token)

    async def opened(self) -> dict[str, Any]:
        answer = await self.api.post("/bookings/guest", {"token": await self.link()})
        assert answer.status == 200, answer.body
        body: dict[str, Any] = answer.body
        return body

    async def with_token(self, token: str) -> Client:
        return Client(self.api.session, self.api.base, token)


@pytest_asyncio.fixture
async def asking(mails: Mails, api: Client, sql: Any) -> Asking:
    await sql("DELETE FROM guest_links")
    pnr = await mails.booked()
    await mails.sent()
    return Asking(mails, api, pnr)


async def test_a_link_opens_the_booking_and_lets_read_it_again(asking: Asking) -> None:
    """Whole, as its owner sees it."""
    opened = await asking.opened()

    owners = (await asking.mails.traveller.get(f"/bookings/{asking.pnr}")).body
    assert opened["booking"] == owners
    assert opened["expires_in"] == 1800
    guest = await asking.with_token(opened["guest_token"])
    assert (await guest.get(f"/bookings/{asking.pnr.lower()}")).body == owners


async def test_a_link_works_once(asking: Asking) -> None:
    """And one that has expired or never was does not, in the same words."""
    token = await asking.link()
    assert (await asking.api.post("/bookings/guest", {"token": token})).status == 200

    again = await asking.api.post("/bookings/guest", {"token": token})
    never = await asking.api.post("/bookings/guest", {"token": "x" * 43})
    late = await asking.link()
    await asking.mails.sql("UPDATE guest_links SET expires_at = now()")
    over = await asking.api.post("/bookings/guest", {"token": late})

    told = [{**answer.body, "request_id": ""} for answer in (again, never, over)]
    assert (told[0]["status"], told[0]["code"]) == (404, "guest_link_not_found")
    assert told == told[:1] * 3


async def test_asking_is_answered_alike_whether_or_not_there_is_a_booking(asking: Asking) -> None:
    """And writes a row either way; a mail goes only where both belong together."""
    asked = [(asking.pnr, "Lovelace"), (asking.pnr, "Byron"), ("BBBBBB", "Lovelace"), ("AEIOU1", "Lovelace")]

    answers = [await asking.api.post(ASK, {"pnr": pnr, "family_name": name}) for pnr, name in asked]

    assert {(answer.status, answer.raw) for answer in answers} == {(202, answers[0].raw)}
    kept = await asking.mails.sql(
        "SELECT booking_id IS NOT NULL AS is_one FROM guest_links ORDER BY created_at"
    )
    assert [row["is_one"] for row in kept] == [True, False, False, False]
    assert len(await asking.mails.sent()) == 2


async def test_a_booking_gets_three_links_and_an_address_asks_for_ten(asking: Asking) -> None:
    """Nobody's mailbox is filled; the answer does not tell."""
    other = await asking.mails.booked()
    for pnr in [asking.pnr] * 6 + ["BBBBBB"] * 7 + [other]:
        assert (await asking.api.post(ASK, {"pnr": pnr, "family_name": "Lovelace"})).status == 202

    arrived = await asking.mails.sent()

    assert sum("link" in mail["subject"] for mail in arrived) == 3
    [kept] = await asking.mails.sql("SELECT count(*) AS links FROM guest_links")
    assert kept["links"] == 10


async def test_no_token_is_kept(asking: Asking) -> None:
    """Who reads the tables has no link; the one that was mailed cannot be made without the secret key."""
    token = await asking.link()

    tables = await asking.mails.sql(
        "SELECT (SELECT string_agg(l::text, '') FROM guest_links l) || (SELECT string_agg(e::text, '') FROM emails e)"
        " || (SELECT string_agg(o::text, '') FROM outbox o WHERE type = 'guest.link_requested') AS everything"
    )

    assert token not in tables[0]["everything"]
    assert guests._hash(token).hex() in tables[0]["everything"]


async def test_a_link_that_is_mailed_twice_is_one_link(asking: Asking) -> None:
    """The server took the mail and hung up, so it was sent again."""
    await asking.mails.sandbox.fault("mail_taken_and_dropped", "/smtp/*", times=1)
    first = await asking.link()
    await asking.mails.waits_are_over()

    assert await asking.token() == first


async def test_a_link_outlives_a_new_secret_key(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for before the key was rotated and is mailed after."""
    assert (await asking.api.post(ASK, {"pnr": asking.pnr, "family_name": "Lovelace"})).status == 202
    monkeypatch.setattr(settings(), "secret_key", settings().secret_key + ",another-key-0123456789")

    token = await asking.token()

    assert (await asking.api.post("/bookings/guest", {"token": token})).status == 200


async def test_a_link_that_is_over_before_it_is_mailed_is_not(asking: Asking) -> None:
    """The mail server was away for too long."""
    await asking.api.post(ASK, {"pnr": asking.pnr, "family_name": "Lovelace"})
    await asking.mails.sql("UPDATE guest_links SET expires_at = now()")

    assert len(await asking.mails.sent()) == 1
    assert (await asking.mails.states())[-1] == ("failed", "outdated")


async def test_a_guests_token_is_for_reading_one_booking(asking: Asking) -> None:
    """No other booking, no list, nothing that changes anything, no account."""
    guest = await asking.with_token((await asking.opened())["guest_token"])
    other = await asking.mails.booked()
    offer = await asking.mails.fleet.offer(asking.mails.traveller, await asking.mails.fleet.flight())

    answers = {
        "another booking": await guest.get(f"/bookings/{other}"),
        "the list": await guest.get("/bookings"),
        "a new booking": await guest.book(offer["id"]),
        "the account": await guest.get("/auth/me"),
    }

    assert {name: (answer.status, answer.code) for name, answer in answers.items()} == {
        "another booking": (404, "booking_not_found"),
        "the list": (401, "invalid_token"),
        "a new booking": (401, "invalid_token"),
        "the account": (401, "invalid_token"),
    }


async def test_a_guests_token_ends(asking: Asking) -> None:
    """After half an hour, and one that was tampered with never works."""
    token = (await asking.opened())["guest_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == timedelta(minutes=30).total_seconds()
    header = jwt.get_unverified_header(token)
    forged = jwt.encode(claims, "x" * 40, "HS256", headers=header)
    ended = jwt.encode(claims | {"exp": int(time()) - 10}, settings().jwt_secret, "HS256", headers=header)

    answers = [
        await (await asking.with_token(one)).get(f"/bookings/{asking.pnr}") for one in (forged, ended, "x")
    ]

    assert [(answer.status, answer.code) for answer in answers] == [
        (401, "invalid_token"),
        (401, "token_expired"),
        (401, "invalid_token"),
    ]


async def test_links_reach_the_booking_and_nobody_else(asking: Asking) -> None:
    """Whatever the asker says, the mail goes to the booking's contact, and other mails hold no link."""
    await asking.link()

    arrived = await asking.mails.arrived()

    assert [mail["to"] for mail in arrived] == [["ada@example.com"]] * 2
    assert ["#token" in mail["text"] for mail in arrived] == [False, True]
