"""A person signs up, searches, books and reads the booking back."""

from datetime import datetime

from tests.support.client import Client, adult, as_offered, in_days


async def test_a_search_becomes_a_booking_that_reads_the_same(api: Client) -> None:
    """The whole main path, over HTTP."""
    traveller = await api.signed_up()
    offer = await traveller.first_offer("JFK", "LHR", in_days(30), adults=2)

    booked = await traveller.book(offer["id"], [adult(1), adult(2)])

    assert booked.status == 201, booked.body
    assert booked.body["status"] == "held"
    assert booked.body["price"] == offer["price"]
    assert as_offered(booked.body) == offer["slices"]
    again = await traveller.get(f"/bookings/{booked.body['pnr']}")
    assert again.body == booked.body
    listed = await traveller.get("/bookings")
    assert [one["pnr"] for one in listed.body["data"]] == [booked.body["pnr"]]


async def test_a_return_trip_has_two_slices_priced_together(traveller: Client) -> None:
    """Out and back, in one offer and one booking."""
    there, back = in_days(40), in_days(47)
    offer = await traveller.first_offer("LHR", "JFK", there, return_date=back.isoformat())

    booked = await traveller.book(offer["id"])

    assert [(s["origin"], s["destination"]) for s in booked.body["slices"]] == [
        ("LHR", "JFK"),
        ("JFK", "LHR"),
    ]
    departures = [
        datetime.fromisoformat(s["segments"][0]["departing_at"]).date() for s in booked.body["slices"]
    ]
    assert departures == [there, back]


async def test_booked_seats_are_gone_from_the_next_search(traveller: Client) -> None:
    """Cached answers are forgotten when seats move."""
    day = in_days(33)
    before = await traveller.first_offer("SIN", "SYD", day, sort="departure")

    await traveller.book(before["id"])

    after = await traveller.first_offer("SIN", "SYD", day, sort="departure")
    assert after["slices"] == before["slices"]
    assert after["seats_left"] == before["seats_left"] - 1


async def test_another_users_booking_does_not_exist(traveller: Client, api: Client) -> None:
    """404, never 403."""
    offer = await traveller.first_offer("JFK", "LHR", in_days(30))
    pnr = (await traveller.book(offer["id"])).body["pnr"]

    stranger = await api.signed_up()

    assert (await stranger.get(f"/bookings/{pnr}")).code == "booking_not_found"
    assert (await stranger.get("/bookings")).body["data"] == []
    assert (await api.get(f"/bookings/{pnr}")).status == 401
