"""What somebody wants to hear, and that they hear nothing else."""

import asyncio
from typing import Any

import pytest

from tests.notifications.people import People, Person

UNSAID = {
    "bookings": {"email": True, "push": True},
    "flight_alerts": {"email": True, "push": True},
    "account": {"email": True, "push": None},
    "quiet_hours": None,
    "time_zone": None,
    "locale": "en",
}


async def preferences(person: Person) -> dict[str, Any]:
    answer = await person.client.get("/notifications/preferences")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    found: dict[str, Any] = answer.body
    return found


async def test_who_has_said_nothing_hears_what_they_would_expect(people: People) -> None:
    """Alerts by mail only until there is a phone."""
    ada = await people.nobody()
    assert await preferences(ada) == UNSAID

    await people.register(ada, "her-token")

    assert await preferences(ada) == UNSAID | {"flight_alerts": {"email": False, "push": True}}


async def test_each_part_is_changed_by_itself(people: People) -> None:
    """What is left out stays, null takes back what was said, and two at once lose nothing."""
    ada = await people.nobody()
    hours = {"from": "22:00", "to": "07:00"}
    await asyncio.gather(
        people.wants(ada, bookings={"push": False}),
        people.wants(ada, quiet_hours=hours, time_zone="Europe/Oslo"),
        people.wants(ada, flight_alerts={"email": False}),
        people.wants(ada, locale="de"),
    )
    said = UNSAID | {
        "bookings": {"email": True, "push": False},
        "flight_alerts": {"email": False, "push": True},
        "quiet_hours": hours,
        "time_zone": "Europe/Oslo",
        "locale": "de",
    }
    assert await preferences(ada) == said

    await people.wants(ada)
    assert await preferences(ada) == said
    await people.wants(
        ada, bookings={"push": None}, flight_alerts={"email": None}, quiet_hours=None, time_zone=None
    )
    assert await preferences(ada) == UNSAID | {"locale": "de"}
    assert (await ada.client.get("/auth/me")).body["locale"] == "de"


@pytest.mark.parametrize("category", ["bookings", "account"])
async def test_what_is_owed_in_writing_cannot_be_switched_off(people: People, category: str) -> None:
    """And nothing else of the request is done."""
    ada = await people.nobody()

    answer = await ada.client.send(
        "PATCH", "/notifications/preferences", json={category: {"email": False}, "time_zone": "Europe/Oslo"}
    )

    assert (answer.status, answer.code) == (422, "notification_required")
    assert answer.body["errors"][0]["pointer"] == f"/{category}/email"
    assert await preferences(ada) == UNSAID


async def test_what_cannot_be_wanted_is_refused(people: People) -> None:
    """With the field that is wrong."""
    ada = await people.nobody()
    wrong: dict[str, dict[str, Any]] = {
        "/quiet_hours/from": {"quiet_hours": {"from": "7:00", "to": "22:00"}},
        "/quiet_hours/to": {"quiet_hours": {"from": "22:00", "to": "24:00"}},
        "/quiet_hours": {"quiet_hours": {"from": "22:00", "to": "22:00"}},
        "/time_zone": {"time_zone": "CEST please"},
        "/locale": {"locale": "tlh"},
        "/account/push": {"account": {"push": True}},
        "/marketing": {"marketing": {"email": True}},
    }

    for pointer, body in wrong.items():
        answer = await ada.client.send("PATCH", "/notifications/preferences", json=body)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)


async def test_nobody_hears_what_they_do_not_want(people: People) -> None:
    """Switched off before it happened, or while it waited; each category and channel by itself."""
    calm, sudden, eager = [await people.somebody() for _ in range(3)]
    flight = await people.flight()
    for person in (calm, sudden, eager):
        await people.follow(person, flight)
    await people.wants(calm, flight_alerts={"push": False})
    await people.wants(eager, flight_alerts={"email": True}, bookings={"push": False})

    await people.delayed(flight, 45)
    await people.relayed()
    await people.wants(sudden, flight_alerts={"push": False})
    await people.told()

    assert [len(await people.received(one)) for one in (calm, sudden, eager)] == [0, 0, 1]
    assert [len(await people.mails(one)) for one in (calm, sudden, eager)] == [0, 0, 1]
    assert sorted(await people.states()) == [("failed", "unwanted"), ("sent", None)]


async def test_a_booking_s_mails_come_whatever_is_pushed(people: People) -> None:
    """They go to the booking's contact."""
    ada, flight = await people.somebody(), await people.bookable()
    await people.wants(ada, bookings={"push": False})
    pnr = await people.book(ada, flight)
    await people.happens("payment.failed", pnr, pnr=pnr, amount={"amount": "1.00", "currency": "EUR"})

    await people.told()

    assert await people.received(ada) == []
    [mail, _] = (await people.sandbox.control("GET", "/mail?to=ada@example.com"))["mails"]
    assert pnr in mail["subject"]
