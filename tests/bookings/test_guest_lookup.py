"""A reference and a family name show a little, and nobody finds them out by trying.

uvicorn trusts a proxy on this machine, so that each test comes from an address of its own.
"""

import asyncio
import itertools
import re
from typing import Any

import pytest
import pytest_asyncio

from app.core import redis
from tests.support.client import Answer, Client, adult
from tests.support.fleet import Fleet

_numbers = itertools.count(1)
PRIVATE = re.compile(r"ada@|Ada|Lovelace|1990|44163|price|amount|seat|contact|ticket|action|born")


class Guest:
    """Somebody without an account, at an address."""

    def __init__(self, client: Client, address: str) -> None:
        self.client, self.address = client, address

    async def looks_up(self, pnr: str, family_name: str, address: str | None = None) -> Answer:
        return await self.asks("/bookings/lookup", pnr, family_name, address)

    async def asks(self, path: str, pnr: str, family_name: str, address: str | None = None) -> Answer:
        headers = {"X-Forwarded-For": address or self.address}
        return await self.client.post(path, {"pnr": pnr, "family_name": family_name}, headers)


@pytest_asyncio.fixture
async def guest(api: Client, sql: Any) -> Guest:
    """Nobody has failed yet."""
    await sql("DELETE FROM guest_lookups")
    return Guest(api, f"198.51.100.{next(_numbers)}")


@pytest_asyncio.fixture
async def pnr(traveller: Client, fleet: Fleet) -> str:
    """Two travellers' booking."""
    offer = await fleet.offer(traveller, await fleet.flight(), adults=2)
    people = [adult(), adult(given_name="Jürgen", family_name="Łoß-O'Neil")]
    booked = await traveller.book(offer["id"], people)
    assert booked.status == 201, booked.body
    reference: str = booked.body["pnr"]
    return reference


@pytest.mark.parametrize(
    "family_name", ["Lovelace", "LOVELACE", " lovelace ", "Löveläce", "Łoß-O'Neil", "loss oneil"]
)
async def test_a_reference_and_any_travellers_name_show_the_journey(
    guest: Guest, pnr: str, family_name: str
) -> None:
    """As the ticket prints the name: case, accents and hyphens do not matter."""
    answer = await guest.looks_up(pnr.lower(), family_name)

    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.body.keys() == {"pnr", "status", "passengers", "slices"}
    assert answer.body["passengers"] == [{"initials": "A. L."}, {"initials": "J. Ł."}]


async def test_who_has_one_name_only_has_one_initial(guest: Guest, traveller: Client, fleet: Fleet) -> None:
    """Some passports have no given name."""
    offer = await fleet.offer(traveller, await fleet.flight())
    pnr = (await traveller.book(offer["id"], [adult(given_name=None, family_name="Sukarno")])).body["pnr"]

    answer = await guest.looks_up(pnr, "Sukarno")

    assert (answer.status, answer.body["passengers"]) == (200, [{"initials": "S."}])
    [segment] = answer.body["slices"][0]["segments"]
    assert (segment["origin"]["iata"], segment["destination"]["iata"]) == ("TOS", "BGO")
    assert PRIVATE.search(answer.raw.decode()) is None


async def test_a_hold_that_ran_out_shows_it(guest: Guest, fleet: Fleet, pnr: str) -> None:
    """As it does to its owner."""
    await fleet.run_out(pnr)

    assert (await guest.looks_up(pnr, "Lovelace")).body["status"] == "expired"


async def test_every_miss_is_the_same_answer(guest: Guest, pnr: str, sql: Any) -> None:
    """A wrong name, no such reference, no reference at all, a name of no letters, a given name."""
    misses = [(pnr, "Byron"), ("BBBBBB", "Lovelace"), ("AEIOU1", "Lovelace"), (pnr, "李"), (pnr, "Ada")]

    answers = [await guest.looks_up(*miss, address=f"192.0.2.{i}") for i, miss in enumerate(misses)]

    told = [{**answer.body, "request_id": ""} for answer in answers]
    assert told[0]["code"] == "booking_not_found"
    assert [answer.status for answer in answers] == [404] * len(misses)
    assert told == told[:1] * len(misses)
    assert len({frozenset(answer.headers.keys()) for answer in answers}) == 1


async def test_a_miss_and_a_hit_write_the_same(guest: Guest, pnr: str, sql: Any) -> None:
    """An attempt, and how it ended: neither costs more than the other."""
    for reference, name in ((pnr, "Lovelace"), (pnr, "Byron"), ("BBBBBB", "Lovelace")):
        await guest.looks_up(reference, name)

    found = await sql("SELECT matched FROM guest_lookups ORDER BY id")

    assert [row["matched"] for row in found] == [True, False, False]


async def test_an_address_has_five_failures(guest: Guest, pnr: str) -> None:
    """Then it waits, though it knows the name now; another address does not."""
    for _ in range(5):
        assert (await guest.looks_up(f"BBBBB{next(_numbers) % 8 + 2}", "Byron")).status == 404

    refused = await guest.looks_up(pnr, "Lovelace")

    assert (refused.status, refused.code) == (429, "rate_limited")
    assert 880 <= int(refused.headers["Retry-After"]) <= 900
    assert (await guest.looks_up(pnr, "Lovelace", "192.0.2.77")).status == 200


async def test_a_network_is_one_address(guest: Guest) -> None:
    """Of IPv6, where one customer has more addresses than anybody can count."""
    answers = [await guest.looks_up("BBBBBB", "Byron", f"2001:db8:1:2::{i}") for i in range(6)]

    assert [answer.status for answer in answers] == [404] * 5 + [429]


async def test_who_is_right_is_never_counted(guest: Guest, pnr: str) -> None:
    """Only failures are."""
    answers = [await guest.looks_up(pnr, "Lovelace") for _ in range(12)]

    assert {answer.status for answer in answers} == {200}


async def test_a_reference_has_ten_failures(guest: Guest, pnr: str) -> None:
    """From however many addresses, for an hour; other references are not concerned."""
    answers = [await guest.looks_up(pnr, "Byron", f"192.0.2.{i // 4 + 1}") for i in range(10)]
    assert {answer.status for answer in answers} == {404}

    refused = await guest.looks_up(pnr, "Lovelace", "192.0.2.99")

    assert refused.status == 429
    assert 3580 <= int(refused.headers["Retry-After"]) <= 3600
    assert (await guest.looks_up("BBBBBB", "Byron", "192.0.2.99")).status == 404


async def test_after_twenty_failures_everybody_needs_a_link(guest: Guest, pnr: str) -> None:
    """Of many addresses at many references: somebody is trying them out."""
    for i in range(20):
        assert (await guest.looks_up(f"BBBB{i // 8 + 2}{i % 8 + 2}", "Byron", f"192.0.2.{i}")).status == 404

    refused = await guest.looks_up(pnr, "Lovelace")

    assert refused.status == 429
    assert "lookup/link" in refused.body["detail"]
    assert 280 <= int(refused.headers["Retry-After"]) <= 300
    assert (await guest.asks("/bookings/lookup/link", pnr, "Lovelace")).status == 202


async def test_many_at_once_get_no_more_tries(guest: Guest, pnr: str, sql: Any) -> None:
    """An attempt is kept before it is compared; where all are kept before any is compared, all are refused."""
    answers = await asyncio.gather(*(guest.looks_up("BBBBBB", "Byron") for _ in range(40)))

    assert {answer.status for answer in answers} <= {404, 429}
    assert sum(answer.status == 404 for answer in answers) <= 5
    [counted] = await sql("SELECT count(*) AS failures FROM guest_lookups")
    assert counted["failures"] <= 5


async def test_emptying_redis_lifts_no_limit(guest: Guest, pnr: str) -> None:
    """Failures are in the database."""
    for _ in range(5):
        await guest.looks_up("BBBBBB", "Byron")
    await redis.client().flushdb()

    assert (await guest.looks_up(pnr, "Lovelace")).status == 429


async def test_a_limit_is_over_when_it_says(guest: Guest, pnr: str, sql: Any) -> None:
    """With the first failure that is old enough; who was refused meanwhile waits no longer for it."""
    for _ in range(5):
        await guest.looks_up("BBBBBB", "Byron")
    for _ in range(3):
        assert (await guest.looks_up(pnr, "Lovelace")).status == 429
    await sql(
        "UPDATE guest_lookups SET at = at - interval '15 minutes' WHERE id = (SELECT min(id) FROM guest_lookups)"
    )

    assert (await guest.looks_up(pnr, "Lovelace")).status == 200


async def test_old_attempts_are_dropped(guest: Guest, sql: Any) -> None:
    """A day later no limit counts them."""
    from app.bookings import guests
    from app.core import db

    await guest.looks_up("BBBBBB", "Byron")
    await sql("UPDATE guest_lookups SET at = at - interval '2 days'")
    await guest.looks_up("BBBBBB", "Byron")

    async with db.transaction() as session:
        await guests.purge(session)

    [counted] = await sql("SELECT count(*) AS attempts FROM guest_lookups")
    assert counted["attempts"] == 1
