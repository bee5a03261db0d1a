"""When the provider fails: a clear 503 while nothing is known, old answers marked stale when something is."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.config import settings
from tests.flights.support import age, at, board, calls, forget, segments, time_to_try_again, until
from tests.support.client import Answer, Client, Sandbox, in_days

TRANSIENT = [
    "error_500",
    "error_php",
    "html_502",
    "html_200",
    "garbage",
    "truncated",
    "error_in_200",
    "reset",
    "jsonp",
]
FINAL = ["rate_limited", "quota_exhausted", "legacy_envelope", "message_only", "redirect"]
SLOW = ["slow", "drip"]
HARMLESS = ["bom", "wrong_content_type", "bad_records", "wrong_types"]
EVERY = TRANSIENT + FINAL + SLOW + ["huge"]


def assert_unavailable(answer: Answer) -> None:
    assert answer.status == 503, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.code == "provider_unavailable"
    assert answer.body["retryable"] is True
    assert int(answer.headers["Retry-After"]) > 0


def shown(answer: Answer) -> list[Any]:
    """What a traveller sees of the flights, without the tokens, which name the minute."""
    assert answer.status == 200, answer.body
    return [(offer["slices"], offer["price"], offer["fare_brand"]) for offer in answer.body["data"]]


@pytest.mark.parametrize("fault", EVERY)
async def test_a_first_search_is_refused_until_the_provider_answers(
    api: Client, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Nothing is known yet: 503, at once when asked again, and 200 as soon as it may be tried again."""
    day = in_days(150 + EVERY.index(fault))
    await forget(sql, "BGO")
    if fault in SLOW:
        monkeypatch.setattr(settings(), "aviationstack_timeout_seconds", 0.2)
    await sandbox.fault(fault, delay_seconds=3)

    assert_unavailable(await api.search("BGO", "OSL", day))
    asked = await calls(sandbox, "BGO", day)
    assert asked == (1 if fault in FINAL else 2)

    assert_unavailable(await api.search("BGO", "OSL", day, limit=7))
    assert await calls(sandbox, "BGO", day) == asked

    await sandbox.control("DELETE", "/faults")
    await time_to_try_again(sql)
    assert shown(await api.search("BGO", "OSL", day, limit=8))


WAITS = [
    ("error_500", "server_error", 5),
    ("rate_limited", "rate_limited", 60),
    ("message_only", "access_refused", 300),
    ("quota_exhausted", "quota_exhausted", 3600),
    ("legacy_envelope", "quota_exhausted", 3600),
]


@pytest.mark.parametrize(("fault", "failure", "seconds"), WAITS)
async def test_how_long_a_failure_is_not_repeated_depends_on_it(
    api: Client, sandbox: Sandbox, sql: Any, fault: str, failure: str, seconds: int
) -> None:
    """A fault of the server passes soon, a quota does not."""
    day = in_days(180 + WAITS.index((fault, failure, seconds)))
    await forget(sql, "BGO")
    await sandbox.fault(fault)

    await api.search("BGO", "OSL", day)

    known = await board(sql, "BGO", day)
    assert known["failure"] == failure
    assert round((known["retry_at"] - known["failed_at"]).total_seconds()) == seconds
    assert known["lease_token"] is None


async def test_a_spent_budget_is_looked_at_again_within_the_hour(
    api: Client, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The month may be long, but an operator may buy more calls today."""
    day = in_days(187)
    await forget(sql, "BGO")
    with monkeypatch.context() as patch:
        patch.setattr(settings(), "aviationstack_calls_per_month", 0)
        refused = await api.search("BGO", "OSL", day)

    assert_unavailable(refused)
    assert int(refused.headers["Retry-After"]) <= 3600
    known = await board(sql, "BGO", day)
    assert known["failure"] == "budget_spent"
    assert known["retry_at"] - known["failed_at"] <= timedelta(hours=1)
    assert await calls(sandbox, "BGO", day) == 0
    await time_to_try_again(sql)
    assert shown(await api.search("BGO", "OSL", day, limit=9))


@pytest.mark.parametrize("fault", HARMLESS)
async def test_oddities_are_no_outage(api: Client, sandbox: Sandbox, fault: str) -> None:
    """Every flight of the day is found all the same."""
    day = in_days(201 + HARMLESS.index(fault))
    await sandbox.fault(fault)
    real = (await sandbox.control("GET", f"/flights?origin=BGO&destination=OSL&date={day}"))["flights"]

    answer = await api.search("BGO", "OSL", day, limit=100)

    assert real
    found = {one["segments"][0]["flight_number"] for offer in shown(answer) for one in offer[0]}
    assert found == {flight["flight"] for flight in real}


async def test_one_hiccup_is_not_noticed(api: Client, sandbox: Sandbox) -> None:
    """A call that fails for a moment is made again."""
    await sandbox.fault("reset", times=1)

    assert shown(await api.search("BGO", "OSL", in_days(206)))
    assert await calls(sandbox, "BGO", in_days(206)) == 2


async def test_no_departures_is_an_answer(api: Client, sandbox: Sandbox) -> None:
    """For an airport of which nothing is known, an empty board is believed for some minutes."""
    await sandbox.fault("empty")

    answer = await api.search("USH", "AEP", in_days(207))

    assert answer.status == 200
    assert (answer.body["data"], answer.body["meta"]["total"], answer.body["meta"]["stale"]) == ([], 0, False)


async def test_an_empty_board_of_a_busy_airport_is_not_believed(
    api: Client, sandbox: Sandbox, sql: Any
) -> None:
    """No day at such an airport is without departures; what is known stays."""
    known, unknown = in_days(208), in_days(209)
    before = await api.search("BGO", "OSL", known, limit=100)
    await age(sql, "BGO", known)
    await sandbox.fault("empty")

    assert_unavailable(await api.search("BGO", "OSL", unknown))
    after = await api.search("BGO", "OSL", known, limit=99)

    assert (await board(sql, "BGO", unknown))["failure"] == "implausibly_empty"
    assert shown(after) == shown(before)
    assert after.body["meta"]["stale"] is True


async def test_an_old_board_is_served_while_it_is_fetched_again(
    api: Client, sandbox: Sandbox, sql: Any
) -> None:
    """The traveller does not wait; one call renews the board behind the answer."""
    day = in_days(210)
    before = await api.search("BGO", "OSL", day, limit=100)
    await age(sql, "BGO", day)
    await sandbox.fault("slow", delay_seconds=1.5, times=1)

    old = await api.search("BGO", "OSL", day, limit=99)

    assert old.body["meta"]["stale"] is True
    assert old.body["meta"]["fetched_at"] == before.body["meta"]["fetched_at"]
    assert shown(old) == shown(before)

    async def renewed() -> bool:
        return bool((await board(sql, "BGO", day))["fresh"])

    assert not await renewed()
    await until(renewed)
    assert await calls(sandbox, "BGO", day) == 2
    new = await api.search("BGO", "OSL", day, limit=98)
    assert new.body["meta"]["stale"] is False
    assert shown(new) == shown(before)


async def test_old_flights_are_sold_throughout_an_outage(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """Stale, complete, without hammering the provider; and fresh again after it."""
    day = in_days(211)
    before = await api.search("BGO", "OSL", day, limit=100)
    await age(sql, "BGO", day)
    await sandbox.fault("html_502")

    async def failed() -> bool:
        return bool((await board(sql, "BGO", day))["failure"])

    first = await api.search("BGO", "OSL", day, limit=99)
    await until(failed)
    asked = await calls(sandbox, "BGO", day)
    later = [await api.search("BGO", "OSL", day, limit=98 - i) for i in range(5)]

    for answer in (first, *later):
        assert answer.body["meta"]["stale"] is True
        assert shown(answer) == shown(before)
    assert asked == 3
    assert await calls(sandbox, "BGO", day) == asked

    await sandbox.control("DELETE", "/faults")
    await age(sql, "BGO", day)
    await api.search("BGO", "OSL", day, limit=90)

    async def recovered() -> bool:
        known = await board(sql, "BGO", day)
        return bool(known["fresh"]) and known["failure"] is None

    await until(recovered)
    assert (await api.search("BGO", "OSL", day, limit=89)).body["meta"]["stale"] is False


async def test_one_end_of_a_city_may_be_unknown(api: Client, sandbox: Sandbox) -> None:
    """What is known of the other airports is shown, marked stale."""
    day = in_days(212)
    await sandbox.fault("rate_limited", times=1)

    answer = await api.search("MIL", "FCO", day)

    assert answer.status == 200
    assert answer.body["meta"]["stale"] is True


async def test_reading_flights_needs_no_provider(api: Client, sandbox: Sandbox) -> None:
    """Only searching asks for anything."""
    flight = (await api.first_offer("BGO", "OSL", in_days(213)))["slices"][0]["segments"][0]["flight_id"]
    await sandbox.control("DELETE", "/journal")
    await sandbox.fault("reset")

    assert (await api.get(f"/flights/{flight}")).status == 200
    assert await sandbox.calls() == {}


@pytest.mark.parametrize("page", [3, 1000])
async def test_boards_of_many_pages_are_complete(
    api: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """However many rows a call brings."""
    day = in_days(214 + (page == 3))
    monkeypatch.setattr(settings(), "aviationstack_page_size", page)
    real = (await sandbox.control("GET", f"/flights?origin=BGO&destination=OSL&date={day}"))["flights"]

    answer = await api.search("BGO", "OSL", day, limit=100)

    assert answer.body["meta"]["total"] == 3 * len(real)
    assert (await calls(sandbox, "BGO", day) > 1) is (page == 3)


async def test_a_hostile_row_is_not_stored(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """A flight that would take two days is left out; its neighbours are sold."""
    day = in_days(216)
    departs = at("FAE", day, "10:00")
    await sandbox.flight("FAE", "KEF", departs, at("KEF", in_days(218), "10:00"), number="9810")
    await sandbox.flight("FAE", "KEF", departs, at("KEF", day, "11:30"), number="9811")

    answer = await api.search("FAE", "KEF", day, limit=100)

    assert "ZZ9811" in segments(answer)
    assert "ZZ9810" not in segments(answer)
