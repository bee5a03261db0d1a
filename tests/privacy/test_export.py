"""An export holds everything that is known about a person, and nothing that would let somebody else in."""

from datetime import UTC, datetime
from typing import Any

from tests.privacy.life import CANARIES, PASSWORD, SEALED, Life
from tests.support.client import Client


async def test_everything_that_was_said_is_told(life: Life) -> None:
    """With the numbers of documents in full, as a file that no cache keeps."""
    await life.go_on()
    secret = (await life.hooks.subscribed("*", path="/second", by=life.client))["secret"]

    answer = await life.client.post("/auth/export", {"password": PASSWORD})

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    text = answer.raw.decode()
    hidden = {"the password", "a device's token"}
    # What a receiver answered is the receiver's.
    told = (CANARIES | SEALED).keys() - hidden - {"what a receiver answered"}
    assert {what for what in told if (CANARIES | SEALED)[what] not in text} == set()
    assert {what for what in hidden if SEALED[what] in text} == set()
    assert secret not in text
    assert "sealed" not in text
    has_all_parts(answer.body)


def has_all_parts(told: dict[str, Any]) -> None:
    """Bookings with their payments, refunds, tickets and history, what was sent, and what the audit log says."""
    flown, cancelled = told["bookings"]
    assert [flown["status"], cancelled["status"]] == ["completed", "cancelled"]
    assert flown["passengers"][0]["ticket_number"]
    assert cancelled["refunds"][0]["status"] == "succeeded"
    assert [step["type"] for step in flown["timeline"]][:2] == ["booking.held", "payment.succeeded"]
    assert {mail["kind"] for mail in told["mails"]} >= {"booking_confirmed", "guest_link"}
    assert {push["kind"] for push in told["pushes"]} >= {"booking_confirmed"}
    assert {one["state"] for one in told["webhook_deliveries"]} == {"delivered"}
    assert told["account"]["email"] == CANARIES["the account's e-mail"]
    assert {"payment.succeeded", "payment.failed", "booking.cancelled", "webhook.created"} <= {
        entry["action"] for entry in told["audit"]
    }
    assert datetime.fromisoformat(told["exported_at"]) <= datetime.now(UTC)


async def test_nobody_elses_is_among_it(traveller: Client, api: Client) -> None:
    """Of two people each is told of their own."""
    other = await api.signed_up()

    told = await traveller.post("/auth/export", {"password": "a window seat, please"})

    assert traveller.user["id"] in told.raw.decode()
    assert other.user["id"] not in told.raw.decode()
    assert other.user["email"] not in told.raw.decode()


async def test_it_takes_the_password(traveller: Client) -> None:
    """A session alone is as much as an unlocked phone."""
    refused = [await traveller.post("/auth/export", {"password": f"not this {n}"}) for n in range(6)]
    right = await traveller.post("/auth/export", {"password": "a window seat, please"})

    assert [answer.code for answer in refused] == ["not_confirmed"] * 5 + ["rate_limited"]
    assert (right.status, int(right.headers["Retry-After"]) > 800) == (429, True)


async def test_twice_a_day_is_enough(traveller: Client, sql: Any) -> None:
    """A refusal counts for nothing; a day later it is given again."""
    password = {"password": "a window seat, please"}
    answers = [await traveller.post("/auth/export", password) for _ in range(3)]
    await sql("UPDATE attempts SET at = at - interval '1 day' WHERE policy = 'export'")
    later = await traveller.post("/auth/export", password)

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 80_000
    assert later.status == 200
