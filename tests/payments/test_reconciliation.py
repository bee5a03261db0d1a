"""Each day's books beside the card processor's: nothing may be in one and not in the other."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.core import clock
from app.core.metrics import LEDGER_DIFFERENCES
from app.payments import reconciliation, service
from tests.payments.later import swept
from tests.payments.support import bought
from tests.payments.test_refunds import cancelled
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


@pytest_asyncio.fixture
async def admin(api: Client, sql: Any) -> Client:
    """Somebody who may see the books."""
    client = await api.signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=client.user["id"])
    return client


@pytest_asyncio.fixture
async def today(sandbox: Sandbox, sql: Any) -> date:
    """A day of which neither side has anything yet: what other tests did was another day."""
    await sql("DELETE FROM reconciliations")
    await sql(
        "UPDATE payments SET captured_at = captured_at - interval '30 days' WHERE captured_at IS NOT NULL"
    )
    await sql(
        "UPDATE refunds SET succeeded_at = succeeded_at - interval '30 days' WHERE succeeded_at IS NOT NULL"
    )
    return datetime.now(UTC).date()


def facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((one["kind"], one["what"]) for one in found["differences"])


async def test_a_day_that_agrees(traveller: Client, fleet: Fleet, sql: Any, today: date) -> None:
    """Two charges and a refund, on both sides."""
    await bought(traveller, fleet)
    booked = await cancelled(traveller, fleet, "pm_card_visa")
    await swept(sql, booked["pnr"])

    found = await reconciliation.compare(today)

    assert found == {"day": str(today), "charges": 2, "refunds": 1, "differences": []}


async def lost_here(sql: Any) -> None:
    await sql("UPDATE payments SET intent = 'pi_lost_' || id WHERE captured_at > now() - interval '1 day'")


async def other_amount(sql: Any) -> None:
    await sql(
        "UPDATE payments SET amount_minor = amount_minor + 1 WHERE captured_at > now() - interval '1 day'"
    )


async def not_known_to_be_paid(sql: Any) -> None:
    await sql(
        "UPDATE payments SET status = 'failed', captured_at = NULL, next_look_at = NULL"
        " WHERE captured_at > now() - interval '1 day'"
    )


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lost_here, [("missing_here", "charge"), ("missing_there", "charge")]),
        (other_amount, [("amount_differs", "charge")]),
        (not_known_to_be_paid, [("missing_here", "charge")]),
    ],
)
async def test_a_charge_that_differs_is_found(
    traveller: Client,
    fleet: Fleet,
    sql: Any,
    today: date,
    damage: Callable[[Any], Awaitable[None]],
    expected: list[tuple[str, str]],
) -> None:
    """On whichever side it is missing, or with another amount."""
    await bought(traveller, fleet)
    await damage(sql)

    assert facts(await reconciliation.compare(today)) == expected


async def test_a_refund_that_differs_is_found(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, today: date
) -> None:
    """Made by hand at the processor, or only in our books."""
    booked = await bought(traveller, fleet)
    [intent] = [one["id"] for one in (await sandbox.control("GET", "/cards"))["intents"]]
    form = {"payment_intent": intent, "amount": "100"}
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    async with sandbox.session.post(f"{sandbox.base}/v1/refunds", data=form, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
    assert booked["pnr"]

    found = await reconciliation.compare(today)

    assert facts(found) == [("missing_here", "refund")]
    assert found["differences"][0]["theirs"] == {"amount": "1.00", "currency": "USD"}


async def test_a_refund_that_the_processor_has_not_is_found(
    traveller: Client, fleet: Fleet, sql: Any, today: date
) -> None:
    """We believe that the money went back."""
    booked = await cancelled(traveller, fleet, "pm_card_visa")
    await swept(sql, booked["pnr"])
    await sql("UPDATE refunds SET reference = 're_lost_' || id WHERE succeeded_at > now() - interval '1 day'")

    found = facts(await reconciliation.compare(today))

    assert found == [("missing_here", "refund"), ("missing_there", "refund")]


async def test_operators_see_the_days(
    traveller: Client, admin: Client, fleet: Fleet, sql: Any, today: date
) -> None:
    """The latest first, page by page, with every difference; and a gauge has their number."""
    await reconciliation.compare(today - timedelta(days=1))
    await bought(traveller, fleet)
    await other_amount(sql)
    await reconciliation.compare(today)

    first = await admin.get("/admin/reconciliations", limit=1)
    second = await admin.get("/admin/reconciliations", limit=1, cursor=first.body["next_cursor"])

    assert [one["day"] for one in first.body["data"]] == [str(today)]
    [difference] = first.body["data"][0]["differences"]
    assert (difference["kind"], difference["what"]) == ("amount_differs", "charge")
    assert difference["ours"] != difference["theirs"]
    assert [(one["day"], one["differences"]) for one in second.body["data"]] == [
        (str(today - timedelta(days=1)), [])
    ]
    assert second.body["next_cursor"] is None
    await service.measure()
    assert LEDGER_DIFFERENCES.labels().count == 1


async def test_only_operators_see_them(traveller: Client, api: Client) -> None:
    """403 for a traveller, 401 for nobody."""
    assert (await traveller.get("/admin/reconciliations")).status == 403
    assert (await api.get("/admin/reconciliations")).status == 401


async def test_days_are_compared_once_they_are_over(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At two in the morning, each once; after a pause at most the last week. From the first payment on."""
    await bought(traveller, fleet)
    night = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=2, minutes=1)
    moments = [
        night - timedelta(minutes=2),
        night,
        night,
        night + timedelta(days=2),
        night + timedelta(days=30),
    ]
    compared = []
    for moment in moments:
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        compared.append(await reconciliation.catch_up())

    assert compared == [1, 1, 0, 2, 7]
