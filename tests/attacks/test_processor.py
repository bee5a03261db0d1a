"""Attack: messages in the card processor's name; tests/payments/test_messages.py refuses those that are not signed."""

import json
import time
from typing import Any

import pytest

from sandbox.cards.webhooks import signature
from tests.ownership.conftest import Person
from tests.payments.support import held
from tests.payments.test_messages import SECRET, event, kept, told
from tests.support.client import Client
from tests.support.fleet import Fleet


async def test_a_real_message_says_another_booking_is_paid(ada: Person, fleet: Fleet, api: Client) -> None:
    """Even who has the secret gets no ticket: the processor itself is asked."""
    pnr = (await held(ada.client, fleet))["pnr"]

    await told(api, event("pi_that_was_made_up", payment=ada.ids["payments"]))

    assert (await ada.client.get(f"/bookings/{pnr}")).body["status"] == "held"


async def test_a_message_comes_a_hundred_times(api: Client, sql: Any) -> None:
    """It is kept once."""
    body = event("pi_again_and_again")

    answers = [await told(api, body) for _ in range(100)]

    assert {answer.status for answer in answers} == {204}
    assert len(await kept(sql, body)) == 1


@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 86_400], ids=str)
async def test_a_message_of_another_time(api: Client, sql: Any, seconds: int) -> None:
    """Recorded long ago, or made for later."""
    body = event("pi_of_another_time")

    answer = await told(api, body, signature(body, SECRET, int(time.time()) + seconds))

    assert answer.status == (400 if seconds < 0 else answer.status)
    assert (answer.status == 204) == bool(await kept(sql, body))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b'"x"', b"{}", b'{"id": 1}', b'{"id": "evt_1", "data": []}', b"\xff", b"{" * 5000],
)
async def test_what_is_signed_and_still_no_message(api: Client, content: bytes) -> None:
    """A refusal or nothing; never an error of ours."""
    assert (await told(api, content)).status in (204, 400, 422)


async def test_a_message_with_sql_and_markup_for_ids(api: Client) -> None:
    """They are values like others."""
    for evil in ("'; DROP TABLE payments;--", "<script>", "\u0000", "x" * 10_000):
        body = json.dumps({**json.loads(event("pi_1")), "id": evil, "type": evil}).encode()
        assert (await told(api, body)).status in (204, 400, 422), evil
