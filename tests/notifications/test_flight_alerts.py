"""Whoever is booked on a flight or follows it hears of it: once, only what is news, and in their language."""

import pytest

from app.notifications import repository
from tests.notifications.people import People
from tests.support.asked import statements


async def test_a_person_hears_it_once_on_each_phone(people: People) -> None:
    """Booked twice and following as well; somebody else hears it too, and a third person nothing."""
    ada, bob, eve = [await people.somebody() for _ in range(3)]
    tablet = ada.token + "tablet"
    await people.register(ada, tablet, platform="ios", locale="de-AT")
    flight, other = await people.bookable(), await people.flight()
    pnrs = [await people.book(ada, flight) for _ in range(2)]
    for person, followed in ((ada, flight), (bob, flight), (eve, other)):
        await people.follow(person, followed)

    await people.delayed(flight, 80)
    for _ in range(2):
        await people.told()

    [push], [followers] = await people.received(ada), await people.received(bob)
    number = flight.id.partition("-")[0]
    assert push["title"] == f"Flight {number} is delayed"
    assert "from Tromsø to Bergen is delayed by 1\u00a0hr 20\u00a0min." in push["body"].replace(
        " hr", "\u00a0hr"
    ).replace(" min", "\u00a0min")
    assert push["data"]["flight_id"] == followers["data"]["flight_id"] == flight.id
    assert push["data"]["pnr"] in pnrs
    assert push["data"]["path"] == f"/bookings/{push['data']['pnr']}"
    assert (followers["data"]["path"], "pnr" in followers["data"]) == (f"/flights/{flight.id}", False)
    ada.token = tablet
    assert await people.titles(ada) == [f"Flug {number} ist verspätet"]
    assert await people.received(eve) == []


async def test_a_day_of_trouble_is_told_step_by_step(people: People) -> None:
    """What takes the other's place on the screen has its subject."""
    ada, flight = await people.somebody(), await people.flight()
    await people.follow(ada, flight)
    await people.leaves_from(flight, "A1")

    for step in ("late", "gate", "on time", "departed", "landed"):
        match step:
            case "late":
                await people.delayed(flight, 45)
            case "gate":
                await people.leaves_from(flight, "B2")
            case "on time":
                await people.delayed(flight, 0)
            case status:
                await people.turns(flight, status)
        await people.told()

    number = flight.id.partition("-")[0]
    assert await people.titles(ada) == [
        f"Flight {number} is delayed",
        f"Flight {number}: gate B2",
        f"Flight {number} is on time again",
        f"Flight {number} has left",
        f"Flight {number} has landed",
    ]
    [phone] = (await people.sandbox.control("GET", f"/phones?token={ada.token}"))["phones"]
    assert len(phone["screen"]) == 4
    late, *_, landed = [one["message"] for one in phone["received"][::-1]]
    assert late["android"]["collapse_key"] == late["apns"]["headers"]["apns-collapse-id"]
    assert late["android"]["collapse_key"] == f"{flight.id}/flight_delayed"
    assert 0 < int(landed["android"]["ttl"].removesuffix("s")) <= 3 * 3600


async def test_only_the_newest_of_a_delay_is_told(people: People) -> None:
    """It has grown three times before anybody was told."""
    ada, flight = await people.somebody(), await people.flight()
    await people.follow(ada, flight)
    for minutes in (20, 35, 50):
        await people.delayed(flight, minutes)

    await people.told()

    [push] = await people.received(ada)
    assert "50" in push["body"]
    assert sorted(await people.states()) == [("failed", "outdated"), ("failed", "outdated"), ("sent", None)]


async def test_who_did_not_hear_of_a_delay_does_not_hear_of_its_end(people: People) -> None:
    """Who did does."""
    ada, bob, flight = await people.somebody(), await people.somebody(), await people.flight()
    await people.follow(ada, flight)
    await people.delayed(flight, 45)
    await people.told()
    await people.follow(bob, flight)

    await people.delayed(flight, 0)
    await people.told()

    assert [len(await people.received(person)) for person in (ada, bob)] == [2, 0]


async def test_the_same_is_not_said_again_within_the_hour(people: People) -> None:
    """A gate went to and fro faster than it could be told; an hour later it may be told again."""
    ada, flight = await people.somebody(), await people.flight()
    await people.follow(ada, flight)
    await people.leaves_from(flight, "A1")
    await people.leaves_from(flight, "B2")
    await people.told()

    for _ in range(2):
        await people.leaves_from(flight, "A1")
        await people.leaves_from(flight, "B2")
        await people.told()
        await people.sql("UPDATE pushes SET sent_at = sent_at - interval '61 minutes' WHERE state = 'sent'")

    assert [one["title"].partition(": ")[2] for one in await people.received(ada)] == ["gate B2", "gate B2"]
    assert [reason for _, reason in await people.states()] == [
        *(None, "outdated", "said_already"),
        *("outdated", None),
    ]


@pytest.mark.parametrize("status", ["cancelled", "diverted"])
async def test_what_was_taken_back_is_not_told(people: People, status: str) -> None:
    """The flight is flown after all, or has landed where it should, before anybody could be told."""
    ada, flight = await people.somebody(), await people.flight()
    await people.follow(ada, flight)
    await people.turns(flight, status)
    await people.relayed()
    await people.turns(flight, "scheduled" if status == "cancelled" else "landed")

    await people.told()

    assert not [title for title in await people.titles(ada) if status in title]


async def test_old_news_are_not_told(people: People) -> None:
    """It has landed four hours ago, and nobody could be told since."""
    ada, flight = await people.somebody(), await people.flight()
    await people.follow(ada, flight)
    await people.turns(flight, "landed")
    await people.relayed()

    await people.later(hours=4)

    assert await people.received(ada) == []
    assert {reason for _, reason in await people.states()} == {"outdated"}


async def test_who_is_booked_and_has_no_phone_is_mailed(people: People) -> None:
    """To the account's own address; a follower is when they ask for it, and who has a phone is not."""
    booked, phone, follower, asking = (
        await people.nobody(),
        await people.somebody(),
        await people.nobody(),
        await people.nobody(),
    )
    flight = await people.bookable()
    for person in (booked, phone):
        await people.book(person, flight)
    for person in (follower, asking):
        await people.follow(person, flight)
    await people.wants(asking, flight_alerts={"email": True})
    await people.sql("UPDATE outbox SET dispatched_at = now()")

    await people.delayed(flight, 90)
    await people.told()

    assert [len(await people.mails(one)) for one in (booked, phone, follower, asking)] == [1, 0, 0, 1]
    [mail] = await people.mails(booked)
    assert mail["subject"].startswith(f"Flight {flight.id.partition('-')[0]} is delayed by 1")
    assert "Booking reference: " in mail["text"]
    assert "Booking reference" not in (await people.mails(asking))[0]["text"]


async def test_an_address_that_nobody_has_verified_gets_no_alerts(people: People) -> None:
    """It may be a stranger's; pushes come all the same, and once it is verified mails do."""
    asking = await people.somebody()
    await people.wants(asking, flight_alerts={"email": True})
    flight, email = await people.flight(), asking.client.user["email"]
    await people.follow(asking, flight)
    await people.sql("UPDATE users SET email_verified = false WHERE email = :email", email=email)
    await people.delayed(flight, 45)
    await people.told()
    assert (len(await people.received(asking)), len(await people.mails(asking))) == (1, 0)

    await people.sql("UPDATE users SET email_verified = true WHERE email = :email", email=email)
    await people.delayed(flight, 90)
    await people.told()

    assert len(await people.mails(asking)) == 1


async def test_a_cancelled_booking_brings_no_more_alerts(people: People) -> None:
    """Nor does a flight that is followed no longer."""
    ada, bob, flight = await people.somebody(), await people.somebody(), await people.bookable()
    pnr = await people.book(ada, flight)
    await people.follow(bob, flight)
    await people.sql("UPDATE bookings SET status = 'cancelled' WHERE pnr = :pnr", pnr=pnr)
    await bob.client.send("DELETE", f"/flights/{flight.id}/follow")

    await people.delayed(flight, 45)
    await people.told()

    assert await people.rows() == []


async def test_an_app_is_told_what_becomes_of_its_bookings(people: People) -> None:
    """A change that needs an answer stands beside the flight's own alert."""
    ada, flight = await people.somebody(), await people.bookable()
    pnr = await people.book(ada, flight)
    await people.sql("UPDATE bookings SET status = 'confirmed' WHERE pnr = :pnr", pnr=pnr)
    await people.happens("booking.confirmed", pnr, pnr=pnr)
    change = {"flight_id": flight.id, "materiality": "cancelled", "after": {"status": "cancelled"}}
    await people.happens("booking.changed", pnr, pnr=pnr, **change)
    await people.happens("payment.captured", pnr, pnr=pnr)

    await people.pushed()

    assert sorted(await people.titles(ada)) == [
        "Your booking is confirmed",
        "Your flight has changed, and we need your answer",
    ]
    assert {one["data"]["path"] for one in await people.received(ada)} == {f"/bookings/{pnr}"}


async def test_many_events_cost_no_more_statements_than_one(people: People) -> None:
    """However many people hear of them."""
    await people.relayed()  # What other tests have left costs statements as well.
    persons = [await people.somebody() for _ in range(2)]

    async def cost(flights: int) -> int:
        for _ in range(flights):
            flight = await people.flight()
            for person in persons:
                await people.follow(person, flight)
            await people.delayed(flight, 45)
        with statements() as asked:
            await people.relayed()
        return len(asked)

    assert await cost(1) == await cost(4) < 15
    assert len(await people.rows()) == 2 * 5


async def test_a_flight_with_many_followers_is_told_to_all(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some at a time."""
    monkeypatch.setattr(repository, "_A_BATCH", 2)
    persons, flight = [await people.somebody() for _ in range(5)], await people.flight()
    for person in persons:
        await people.follow(person, flight)
    await people.delayed(flight, 45)

    await people.pushed()

    assert [len(await people.received(person)) for person in persons] == [1] * 5
