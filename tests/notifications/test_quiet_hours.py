"""Nobody is woken for what can wait; what cannot comes at once."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from app.notifications.quiet import QuietHours
from tests.notifications.people import People

ZONES = [
    "UTC",
    "Europe/Oslo",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
]
MINUTE = timedelta(minutes=1)
clocks = st.times().map(lambda one: one.replace(second=0, microsecond=0))
# Around the nights in which clocks are moved, and on any other.
nights = st.sampled_from(["2026-03-29", "2026-10-25", "2026-11-01", "2027-04-04"]).map(
    lambda day: datetime.fromisoformat(f"{day}T00:00Z")
)
instants = st.builds(
    lambda night, minutes: night + minutes * MINUTE, nights, st.integers(-900, 1800)
) | st.integers(1_767_225_600, 1_830_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(instants, clocks, clocks, st.sampled_from(ZONES))
@example(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), time(22), time(2, 30), "Europe/Oslo")
@example(datetime(2026, 10, 25, 0, 45, tzinfo=UTC), time(22), time(2, 30), "Europe/Oslo")
def test_quiet_hours_end_when_the_clock_says_so(now: datetime, begins: time, ends: time, zone: str) -> None:
    """The first time that it does, whatever is done to clocks in that night; or when it would have, if it skips it."""
    if begins == ends:
        return
    place = ZoneInfo(zone)
    reading = now.astimezone(place).time()
    within = begins <= reading < ends if begins < ends else not ends <= reading < begins

    end = QuietHours(begins, ends, place).end(now)

    assert (end is not None) == within
    if end is None:
        return
    assert timedelta() < end - now <= timedelta(hours=25)
    start = now.replace(second=0, microsecond=0)
    minutes = [start + n * MINUTE for n in range(1, (end - start) // MINUTE)]
    assert ends not in [one.astimezone(place).time() for one in minutes]
    there = end.astimezone(place)
    if there.time() != ends:
        # The clock never reads so on that day: it has gone from before it to after it.
        skipped = datetime.combine(there.date(), ends, place).astimezone(UTC)
        assert skipped.astimezone(place).time() != ends
        assert skipped == end


async def test_an_alert_waits_until_the_night_is_over(people: People) -> None:
    """In the traveller's zone; waiting is no attempt, and another person hears it at once."""
    ada, bob, flight = await people.somebody(time_zone="UTC"), await people.somebody(), await people.flight()
    for person in (ada, bob):
        await people.follow(person, flight)
    await people.is_quiet(ada)
    await people.delayed(flight, 45)

    await people.told()
    assert [len(await people.received(one)) for one in (ada, bob)] == [0, 1]
    [waiting] = [row for row in await people.rows() if row["state"] == "queued"]
    assert (waiting["attempts"], waiting["last_error"]) == (0, "quiet_hours")
    await people.later(minutes=30)
    assert await people.received(ada) == []

    await people.later(minutes=31)
    assert len(await people.received(ada)) == 1


async def test_a_device_that_says_where_it_is_needs_no_zone_of_its_owner(people: People) -> None:
    """The hours are by the phone's clock, unless its owner names another, who then hears at once what has waited."""
    there = await people.somebody(time_zone="Asia/Kathmandu")
    local = datetime.now(ZoneInfo("Asia/Kathmandu"))
    flight = await people.flight()
    await people.follow(there, flight)
    hours = {"from": f"{local - timedelta(hours=1):%H:%M}", "to": f"{local + timedelta(hours=1):%H:%M}"}
    await people.wants(there, quiet_hours=hours)
    await people.delayed(flight, 45)
    await people.told()
    assert await people.received(there) == []

    await people.wants(there, time_zone="Pacific/Honolulu")
    await people.told()

    assert len(await people.received(there)) == 1


async def test_the_nearer_a_flight_the_less_can_wait(people: People) -> None:
    """Six hours before it leaves a delay or a gate is told at night, and a cancellation twelve hours before."""
    ada = await people.somebody(time_zone="UTC")
    await people.is_quiet(ada)
    told = set()
    for hours, what, comes in (
        (5, "late", True),
        (8, "late", False),
        (5, "gate", True),
        (8, "cancelled", True),
        (11, "cancelled", True),
        (14, "cancelled", False),
        (5, "diverted", True),
        (5, "departed", False),
        (5, "landed", False),
    ):
        flight = await people.flight(hours)
        await people.follow(ada, flight)
        match what:
            case "late":
                await people.delayed(flight, 45)
            case "gate":
                await people.leaves_from(flight, "A1")
                await people.leaves_from(flight, "B2")
            case status:
                await people.turns(flight, status)
        told |= {flight.id} if comes else set()

    await people.told()

    assert {push["data"]["flight_id"] for push in await people.received(ada)} == told


async def test_who_waits_is_woken_when_the_flight_comes_near(people: People) -> None:
    """The night ends an hour from now, and in half an hour there are six hours left."""
    ada, flight = await people.somebody(time_zone="UTC"), await people.flight(6.5)
    await people.follow(ada, flight)
    await people.is_quiet(ada)
    await people.delayed(flight, 45)

    await people.told()
    assert await people.received(ada) == []
    await people.later(minutes=31)

    assert len(await people.received(ada)) == 1


async def test_after_the_night_only_what_is_still_so_is_told(people: People) -> None:
    """Twenty minutes, then thirty-five, then fifty, while somebody slept; and they had unfollowed nothing."""
    ada, flight = await people.somebody(time_zone="UTC"), await people.flight()
    await people.follow(ada, flight)
    await people.is_quiet(ada)
    for minutes in (20, 35, 50):
        await people.delayed(flight, minutes)
        await people.told()

    await people.later(minutes=61)

    [push] = await people.received(ada)
    assert "50" in push["body"]


async def test_what_somebody_has_just_done_is_answered_at_once(people: People) -> None:
    """They have booked in the middle of their night, so they are awake."""
    ada, flight = await people.somebody(time_zone="UTC"), await people.bookable()
    pnr = await people.book(ada, flight)
    await people.sql("UPDATE bookings SET status = 'confirmed' WHERE pnr = :pnr", pnr=pnr)
    await people.is_quiet(ada)
    await people.happens("booking.confirmed", pnr, pnr=pnr)
    await people.happens("payment.refunded", pnr, pnr=pnr, amount={"amount": "1.00", "currency": "EUR"})

    await people.pushed()
    assert await people.titles(ada) == ["Your booking is confirmed"]
    await people.later(minutes=61)

    assert await people.titles(ada) == ["Your booking is confirmed", "Your refund is on its way"]


async def test_mails_keep_quiet_as_well(people: People) -> None:
    """An alert's mail waits like its push; a booking's own mail does not, for it wakes nobody and is owed."""
    ada, flight = await people.nobody(), await people.bookable()
    await people.book(ada, flight)
    await people.is_quiet(ada)
    await people.delayed(flight, 45)

    await people.told()
    assert await people.mails(ada) == []
    listed = (await people.sandbox.control("GET", "/mail?to=ada@example.com"))["mails"]
    assert len(listed) == 1

    await people.later(minutes=61)
    assert len(await people.mails(ada)) == 1
