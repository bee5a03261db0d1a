"""`Idempotency-Key`: a request that may be repeated without fear."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from tests.support.client import Answer, Client, adult, booking
from tests.support.fleet import Fleet

COPIES = 50


async def book(traveller: Client, offer_id: str, key: str, **more: Any) -> Answer:
    return await traveller.post("/bookings", booking(offer_id) | more, {"Idempotency-Key": key})


async def test_a_repetition_gives_the_first_answer_again(traveller: Client, fleet: Fleet) -> None:
    """To the byte, marked as a repetition, and no second seat is taken."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)

    first = await book(traveller, offer["id"], "once")
    again = await book(traveller, offer["id"], "once")

    assert (first.status, again.status) == (201, 201)
    assert again.raw == first.raw
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await fleet.counts(flight))["held"] == 1


async def test_the_first_answer_stays_when_the_booking_has_moved_on(traveller: Client, fleet: Fleet) -> None:
    """It is the answer to that request, not the state of today."""
    offer = await fleet.offer(traveller, await fleet.flight())
    first = await book(traveller, offer["id"], "once")
    await fleet.run_out(first.body["pnr"])
    assert (await traveller.get(f"/bookings/{first.body['pnr']}")).body["status"] == "expired"

    assert (await book(traveller, offer["id"], "once")).raw == first.raw


async def test_without_a_key_a_repetition_is_a_request_of_its_own(traveller: Client, fleet: Fleet) -> None:
    """The negative control: it is not answered like the first, and refused as a trip that is booked already."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)

    first, again = [await traveller.post("/bookings", booking(offer["id"])) for _ in range(2)]

    assert (first.status, again.status, again.code) == (201, 409, "duplicate_trip")
    assert (await fleet.counts(flight))["held"] == 1


async def test_a_key_is_not_for_another_body(traveller: Client, fleet: Fleet) -> None:
    """422, and the first answer stays as it was."""
    offer = await fleet.offer(traveller, await fleet.flight())
    first = await book(traveller, offer["id"], "once")

    other = await book(traveller, offer["id"], "once", passengers=[adult(7)])

    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert (await book(traveller, offer["id"], "once")).raw == first.raw


async def test_the_order_of_members_and_blanks_does_not_matter(traveller: Client, fleet: Fleet) -> None:
    """The same JSON is the same body."""
    offer = await fleet.offer(traveller, await fleet.flight())
    first = await book(traveller, offer["id"], "once")
    turned = dict(reversed(booking(offer["id"]).items()))
    headers = {"Idempotency-Key": "once", "Content-Type": "application/json"}

    again = await traveller.send("POST", "/bookings", data=json.dumps(turned, indent=3), headers=headers)

    assert (again.status, again.raw) == (201, first.raw)


async def test_fifty_copies_at_once_are_one_booking(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """One booking, one claim, one event, and one answer for all."""
    flight = await fleet.flight(COPIES)
    offer = await fleet.offer(traveller, flight)

    answers = await asyncio.gather(*(book(traveller, offer["id"], "storm") for _ in range(COPIES)))

    assert Counter(a.status for a in answers if a.code != "idempotency_in_progress").keys() == {201}
    assert len({answer.raw for answer in answers if answer.status == 201}) == 1
    assert sum(a.status == 201 and "Idempotency-Replayed" not in a.headers for a in answers) == 1
    assert all("Retry-After" in answer.headers for answer in answers if answer.status == 409)
    pnr = next(answer.body["pnr"] for answer in answers if answer.status == 201)
    assert [one["pnr"] for one in (await traveller.get("/bookings")).body["data"]] == [pnr]
    assert (await sql("SELECT count(*) AS n FROM outbox WHERE subject = :pnr", pnr=pnr))[0]["n"] == 1
    assert (await fleet.counts(flight))["claimed"] == (await fleet.counts(flight))["held"] == 1


async def test_fifty_copies_of_the_last_seat_are_all_answered_alike(traveller: Client, fleet: Fleet) -> None:
    """A copy is never told that the seat it got is sold out."""
    flight = await fleet.flight(1)
    offer = await fleet.offer(traveller, flight)

    answers = await asyncio.gather(*(book(traveller, offer["id"], "storm") for _ in range(COPIES)))

    assert {answer.code for answer in answers} <= {None, "idempotency_in_progress"}


async def test_a_copy_that_waits_too_long_is_told_to_come_back(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 with `Retry-After` while the first is at work, and its answer afterwards."""
    from app.bookings import service

    offer = await fleet.offer(traveller, await fleet.flight())
    working, may_finish, stored = asyncio.Event(), asyncio.Event(), service._stored

    async def slow(*args: Any) -> Any:
        working.set()
        await may_finish.wait()
        return await stored(*args)

    monkeypatch.setattr(service, "_stored", slow)
    first = asyncio.create_task(book(traveller, offer["id"], "slow"))
    await working.wait()
    copy = await book(traveller, offer["id"], "slow")
    may_finish.set()

    assert (copy.status, copy.code, copy.headers["Retry-After"]) == (409, "idempotency_in_progress", "1")
    assert copy.body["retryable"] is True
    assert (await first).status == 201
    assert (await book(traveller, offer["id"], "slow")).raw == (await first).raw


async def test_a_key_belongs_to_its_user(traveller: Client, api: Client, fleet: Fleet) -> None:
    """Another user's request under the same key is another request."""
    offer = await fleet.offer(traveller, await fleet.flight())
    other = await api.signed_up()

    mine, theirs = await book(traveller, offer["id"], "same"), await book(other, offer["id"], "same")

    assert (mine.status, theirs.status) == (201, 201)
    assert mine.body["pnr"] != theirs.body["pnr"]
    assert "Idempotency-Replayed" not in theirs.headers


async def test_a_refused_request_frees_its_key(traveller: Client, fleet: Fleet) -> None:
    """What was refused had no effect, so it may be tried again, also corrected."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    refused = await book(traveller, offer["id"], "again", passengers=[adult(1), adult(2)])
    assert refused.code == "passengers_mismatch"

    assert (await book(traveller, offer["id"], "again")).status == 201


async def test_a_request_that_found_no_seat_may_find_one_later(traveller: Client, fleet: Fleet) -> None:
    """Sold out is the answer of that moment."""
    flight = await fleet.flight(1)
    offer = await fleet.offer(traveller, flight)
    holder = await traveller.book(offer["id"])
    assert (await book(traveller, offer["id"], "patient")).code == "sold_out"
    await fleet.run_out(holder.body["pnr"])

    assert (await book(traveller, offer["id"], "patient")).status == 201


async def test_keys_are_forgotten_after_three_days(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Then the same request is a new one; not an hour before."""
    from app.core import db, idempotency

    offer = await fleet.offer(traveller, await fleet.flight())
    first = await book(traveller, offer["id"], "ages ago".replace(" ", "-"))
    for hours, replayed in ((71, True), (2, False)):
        await sql(
            "UPDATE idempotency_keys SET created_at = created_at - make_interval(hours => :hours) WHERE key = :key",
            hours=hours,
            key="ages-ago",
        )
        async with db.transaction() as session:
            await idempotency.purge(session)
        again = await book(traveller, offer["id"], "ages-ago")
        assert (again.raw == first.raw) is replayed


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "x" * 256, "tab\there"])
async def test_a_key_is_visible_ascii(traveller: Client, key: str) -> None:
    """1 to 255 characters of it."""
    answer = await book(traveller, "off_x", key)

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "idempotency-key")


async def test_the_longest_key_works(traveller: Client, fleet: Fleet) -> None:
    """With every visible character."""
    key = "".join(map(chr, range(0x21, 0x7F))).ljust(255, "~")
    offer = await fleet.offer(traveller, await fleet.flight())

    first = await book(traveller, offer["id"], key)

    assert (await book(traveller, offer["id"], key)).raw == first.raw
