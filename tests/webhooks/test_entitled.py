"""Who is told of what: each event once to each subscription that may hear of it, and to no other."""

from typing import Any

from tests.support.client import Client, adult
from tests.support.fleet import Flight
from tests.webhooks.support import Hooks

_DELAY = {"delay_minutes": 40, "previous_delay_minutes": 0}


async def booked_on(
    hooks: Hooks, flight: Flight, by: Client | None = None, **passenger: Any
) -> dict[str, Any]:
    someone = by or hooks.traveller
    answer = await someone.book((await hooks.fleet.offer(someone, flight))["id"], [adult(**passenger)])
    assert answer.status == 201, answer.body
    booking: dict[str, Any] = answer.body
    return booking


def flight_of(booking: dict[str, Any]) -> str:
    name: str = booking["slices"][0]["segments"][0]["flight_id"]
    return name


async def test_only_the_events_that_were_asked_for(hooks: Hooks) -> None:
    """Each subscription has its own list."""
    await hooks.subscribed("booking.expired", path="/expired")
    await hooks.subscribed("booking.held", "booking.expired", path="/both")
    await hooks.subscribed("*", path="/all")
    pnr = await hooks.booked()
    await hooks.happens("booking.expired", pnr, pnr=pnr)
    await hooks.happens("payment.succeeded", pnr, pnr=pnr)
    await hooks.delivered()

    def types(path: str) -> list[str]:
        return sorted(one.event["type"] for one in hooks.receiver.at(path))

    assert types("/expired") == ["booking.expired"]
    assert types("/both") == ["booking.expired", "booking.held"]
    assert types("/all") == ["booking.expired", "booking.held", "payment.succeeded"]


async def test_a_flight_is_told_to_who_is_booked_on_it_and_to_who_follows_it(
    hooks: Hooks, api: Client
) -> None:
    """Once, however many bookings they have on it; and to nobody else."""
    follower, stranger = await api.signed_up(), await api.signed_up()
    await hooks.subscribed("flight.delayed", path="/traveller")
    await hooks.subscribed("flight.delayed", path="/follower", by=follower)
    await hooks.subscribed("flight.delayed", path="/stranger", by=stranger)
    flight = await hooks.fleet.flight()
    booking = await booked_on(hooks, flight)
    await booked_on(hooks, flight, given_name="Grace")
    for client in (follower, hooks.traveller):
        await hooks.sql(
            "INSERT INTO flight_follows (user_id, flight_id) VALUES (CAST(:user AS uuid), :flight)",
            user=client.user["id"],
            flight=flight.id,
        )

    await hooks.happens("flight.delayed", flight_of(booking), flight_id=flight_of(booking), **_DELAY)
    await hooks.delivered()

    assert sorted(one.path for one in hooks.receiver.arrivals) == ["/follower", "/traveller"]
    assert hooks.receiver.arrivals[0].event["data"]["delay_minutes"] == 40


async def test_a_booking_that_has_ended_makes_no_listener(hooks: Hooks) -> None:
    """Whoever cancelled does not fly."""
    await hooks.subscribed("flight.delayed")
    booking = await booked_on(hooks, await hooks.fleet.flight())
    await hooks.fleet.run_out(booking["pnr"])
    await hooks.traveller.get(f"/bookings/{booking['pnr']}")

    await hooks.happens("flight.delayed", flight_of(booking), **_DELAY)
    await hooks.delivered()

    assert hooks.receiver.arrivals == []


async def test_a_subscription_can_be_narrowed_to_a_booking(hooks: Hooks) -> None:
    """And to the flights of that booking."""
    one = await booked_on(hooks, await hooks.fleet.flight())
    other = await booked_on(hooks, await hooks.fleet.flight())
    await hooks.delivered()
    await hooks.subscribed("*", bookings=[one["pnr"].lower()])

    for booking in (one, other):
        await hooks.happens("booking.expired", booking["pnr"], pnr=booking["pnr"])
        await hooks.happens("flight.delayed", flight_of(booking), flight_id=flight_of(booking), **_DELAY)
    await hooks.delivered()

    assert sorted(arrival.event["type"] for arrival in hooks.receiver.arrivals) == [
        "booking.expired",
        "flight.delayed",
    ]
    data = {arrival.event["type"]: arrival.event["data"] for arrival in hooks.receiver.arrivals}
    assert data["booking.expired"]["pnr"] == one["pnr"]
    assert data["flight.delayed"]["flight_id"] == flight_of(one)


async def test_only_bookings_of_ones_own_can_be_named(hooks: Hooks, api: Client) -> None:
    """Somebody else's is as unknown as one that never was."""
    theirs = await booked_on(hooks, await hooks.fleet.flight(), by=await api.signed_up())
    own = await booked_on(hooks, await hooks.fleet.flight())

    body = {"url": hooks.receiver.url(), "events": ["*"], "bookings": [own["pnr"], theirs["pnr"], "K7QX2M"]}
    answer = await hooks.traveller.post("/webhooks/subscriptions", body)

    assert answer.status == 422
    assert [(one["pointer"], one["code"]) for one in answer.body["errors"]] == [
        ("/bookings/1", "booking_not_found"),
        ("/bookings/2", "booking_not_found"),
    ]


async def test_what_is_for_us_alone_is_told_to_nobody(hooks: Hooks) -> None:
    """A guest's link is a key to a booking."""
    await hooks.subscribed("*")
    pnr = await hooks.booked()
    await hooks.delivered()
    await hooks.happens("guest.link_requested", "guest-link:1", pnr=pnr, link_id="1")
    await hooks.happens("booking.secret", pnr, pnr=pnr)
    await hooks.delivered()

    assert [arrival.event["type"] for arrival in hooks.receiver.arrivals] == ["booking.held"]


async def test_who_subscribes_later_hears_of_what_comes_later(hooks: Hooks) -> None:
    """The past is not sent."""
    await hooks.booked()
    await hooks.relayed()
    await hooks.subscribed("*")
    later = await hooks.booked()
    await hooks.delivered()

    assert [arrival.event["data"]["pnr"] for arrival in hooks.receiver.arrivals] == [later]


async def test_an_event_that_is_relayed_twice_is_one_delivery(hooks: Hooks) -> None:
    """As after a relay that died before it could say that it was done."""
    subscription = await hooks.subscribed("*")
    pnr = await hooks.booked()
    await hooks.delivered()
    await hooks.sql("UPDATE outbox SET dispatched_at = NULL WHERE subject = :pnr", pnr=pnr)
    await hooks.delivered()

    assert len(hooks.receiver.arrivals) == 1
    assert len(await hooks.deliveries(subscription)) == 1
