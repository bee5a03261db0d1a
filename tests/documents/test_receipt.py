"""What the itinerary receipt says, on paper and on the page."""

import re
from html import unescape
from typing import Any

import pytest

from app.bookings.shapes import BookingOut
from app.documents import receipt
from app.documents.languages import Language
from tests.documents import papers
from tests.documents.support import (
    ENGLISH,
    GERMAN,
    ON,
    OVER,
    airline_change,
    at,
    booking,
    change,
    extra,
    one_slice,
    passenger,
    payment,
    refund,
    segment,
    ticket,
    usd,
)

SAID = (
    "K7QX2M",
    "Confirmed",
    "LOVELACE/ADA",
    "000-1234567890",
    "Not issued yet",
    "20:05",
    "Tue, 1 Dec 2026 · EST, UTC−5",  # noqa: RUF001
    "08:05 +1 day",
    "Wed, 2 Dec 2026 · GMT, UTC+0",
    "John F Kennedy International Airport · Terminal 4",
    "X05 Operated by Larkspur Airways 7 hrs · Airbus A321",
    "2 hrs in London · Change of terminal",
    "ZZ900 Operated by Sandbox Air 1 hr 35 mins",
    "Economy · Standard",
    "Class K",
    "Cabin bags: 1 Checked bags: 2",
    "Changes for US$75.00 Not refundable",
    "2 × Adult · Fare US$1,200.00",  # noqa: RUF001
    "D1 Passenger charge on departure US$41.80",
    "YQ Fuel surcharge US$170.60",
    "Total for 2 × Adult US$1,412.40",  # noqa: RUF001
    "Total for 1 × Child US$400.00",  # noqa: RUF001
    "Total US$1,812.40",
    "Payment Visa •••• 4242 Sun, 22 Nov 2026, 19:42 UTC US$1,812.40",
    "ada@example.com · +441632960000",
)


def on_page(made: dict[str, Any], language: Language = ENGLISH) -> str:
    """The words of the page, without its style."""
    page = re.sub(r"<style>.*?</style>", "", receipt.html(made, language), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def on_paper(made: dict[str, Any], language: Language = ENGLISH) -> str:
    return papers.text(receipt.pdf(made, language))


BOTH = pytest.mark.parametrize("read", [on_page, on_paper], ids=["page", "paper"])


def test_these_tests_print_what_the_api_shows() -> None:
    """The booking they start from has the shape of an answer."""
    BookingOut.model_validate(booking())


@BOTH
def test_the_receipt_says_everything(read: Any) -> None:
    """What a traveller, an employer and the law want to see."""
    text = read(booking())

    assert [said for said in SAID if said not in text] == []


def test_who_flies_stands_beside_each_flight_as_large_as_its_number() -> None:
    """14 CFR 257.5, and on the same page."""
    sizes = papers.sizes(receipt.pdf(booking(), ENGLISH))

    for number, disclosure in (
        ("X05", "Operated by Larkspur Airways"),
        ("ZZ900", "Operated by Sandbox Air"),
    ):
        assert sizes[disclosure] >= sizes[number]


@BOTH
@pytest.mark.parametrize(
    ("status", "until", "said"),
    [
        ("held", "2026-11-22T20:10:31Z", "by Sun, 22 Nov 2026, 20:10 UTC, or the seats are released"),
        ("cancelled", None, "Cancelled"),
        ("cancelled", None, "not valid for travel"),
        ("expired", None, "not valid for travel"),
    ],
)
def test_what_is_no_ticket_says_so(read: Any, status: str, until: str | None, said: str) -> None:
    """Nobody shall go to the airport with it."""
    assert said in read(booking(status=status, hold_expires_at=until))
    assert said not in read(booking())


@BOTH
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("material", {"departs_at": "2026-12-02T02:05:00Z"})], "times of this flight have changed"),
        ([("cancelled", {"status": "cancelled"})], "This flight was cancelled."),
        ([("withdrawn", {"status": "withdrawn"})], "This flight was cancelled."),
    ],
)
def test_what_became_of_a_flight_stands_beside_it(read: Any, changes: Any, said: str) -> None:
    """Once, at that flight."""
    changed = booking(schedule_changes=[change(OVER, *one) for one in changes])

    assert read(changed).count(said) == 1
    assert said not in read(booking())


@BOTH
def test_a_flight_that_flies_again_says_nothing(read: Any) -> None:
    """The last word counts."""
    changes = [
        change(OVER, "cancelled", {"status": "cancelled"}),
        change(OVER, "reinstated", {"status": "reinstated"}),
    ]

    assert "cancelled" not in read(booking(schedule_changes=changes))


@BOTH
@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"allowed": True, "fee": usd("0.00")}, "Refundable without a fee"),
        ({"allowed": True, "fee": usd("150.00")}, "Refundable less US$150.00"),
        ({"allowed": False, "fee": None}, "Not refundable"),
    ],
)
def test_conditions_are_put_into_words(read: Any, condition: Any, said: str) -> None:
    """Free, for a fee, or not at all."""
    conditions = {"change": {"allowed": False, "fee": None}, "refund": condition}

    assert f"No changes {said}" in read(booking(conditions=conditions))


@BOTH
def test_the_date_line_is_crossed_backwards(read: Any) -> None:
    """Apia to Pago Pago arrives on the day before, 50 minutes later."""
    hop = segment("ZZ7", "APW", "PPG", at("2026-11-10 08:00", "APW"), at("2026-11-09 08:50", "PPG"))

    said = read(booking(slices=[one_slice(hop)]))

    assert "08:50 −1 day Mon, 9 Nov 2026" in said  # noqa: RUF001
    assert "50 mins" in said


@BOTH
def test_seats_and_extras_stand_by_the_flight_and_in_the_price(read: Any) -> None:
    """The total is what all of it costs."""
    sitting = [
        passenger(seats=[{"flight_id": OVER, "seat": "12A"}, {"flight_id": ON, "seat": "3C"}]),
        passenger("Charles", "Babbage", seats=[{"flight_id": OVER, "seat": "12B"}]),
    ]
    bought = [extra("seat", "35.00"), extra("bag", "60.00", passenger=1, quantity=2)]

    said = read(booking(passengers=sitting, extras=bought))

    assert "Seat 12A, 12B" in said
    assert "Seat 12A · X05 · Ada Lovelace US$35.00" in said
    assert "Checked bags: 2 · JFK – FRA · Charles Babbage US$60.00" in said  # noqa: RUF001
    assert "Total US$1,907.40" in said


@BOTH
@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"status": "pending"}, "On its way by Thu, 3 Dec 2026"),
        ({"status": "failed"}, "Delayed, due Thu, 3 Dec 2026"),
        ({"status": "succeeded", "succeeded_at": "2026-11-24T09:30:00Z"}, "Tue, 24 Nov 2026, 09:30 UTC"),
    ],
)
def test_a_refund_says_how_far_it_is(read: Any, facts: Any, said: str) -> None:
    """On its way, by when; or when it was made."""
    assert f"Refund {said} −US$400.00" in read(booking(refunds=[refund("400.00", **facts)]))  # noqa: RUF001


@BOTH
def test_only_money_that_came_is_a_payment(read: Any) -> None:
    """With what it was for; a card that was declined is nobody's business."""
    changing = payment("80.00", purpose="change", card={"brand": "mastercard", "last4": "4444"})
    declined = payment(
        "80.00",
        status="failed",
        captured_at=None,
        card={"brand": "visa", "last4": "0002"},
        failure="declined",
    )

    said = read(booking(payments=[payment("1812.40"), declined, changing]))

    assert "Payment for the change Mastercard •••• 4444" in said
    assert "0002" not in said


@BOTH
def test_a_hold_says_what_is_to_be_paid_by_when(read: Any) -> None:
    """The fare with the seats that were chosen."""
    hold = booking(
        status="held",
        hold_expires_at="2026-11-22T20:10:31Z",
        amount_due=usd("1847.40"),
        extras=[extra("seat", "35.00", status="pending")],
        payments=[],
    )

    said = read(hold)

    assert "pay US$1,847.40 by Sun, 22 Nov 2026, 20:10 UTC" in said
    assert "Still to be paid US$1,847.40" in said
    assert "Still to be paid" not in read(booking())


@BOTH
def test_every_ticket_of_a_long_journey_is_named(read: Any) -> None:
    """A ticket has four coupons, so five flights are on two; what was exchanged for them is no ticket any more."""
    flights = [f"ZZ{number}-20261201-JFK" for number in range(5)]
    tickets = [
        ticket("0001234567700", *flights, status="E", issued_at="2026-11-20T08:00:00Z"),
        ticket("0001234567890", *flights[:4]),
        ticket("0001234567891", *flights[4:]),
    ]

    said = read(booking(passengers=[passenger(tickets=tickets)]))

    assert "000-1234567890 000-1234567891" in said
    assert "000-1234567700" not in said


@BOTH
def test_a_cancelled_booking_names_the_tickets_it_had(read: Any) -> None:
    """So that its owner can ask about the refund."""
    tickets = [ticket("0001234567700", OVER, status="E", issued_at="2026-11-20T08:00:00Z")]
    tickets.append(ticket("0001234567890", OVER, status="R"))

    said = read(booking(status="cancelled", passengers=[passenger(tickets=tickets)]))

    assert "000-1234567890" in said
    assert "000-1234567700" not in said


@BOTH
def test_who_no_longer_travels_is_told_from_who_does(read: Any) -> None:
    """One of two has cancelled."""
    people = [passenger(), passenger("Charles", "Babbage", status="cancelled")]

    said = read(booking(passengers=people))

    assert "Charles Babbage Cancelled" in said
    assert "Ada Lovelace Cancelled" not in said


@BOTH
def test_meals_help_and_memberships_stand_below_the_name(read: Any) -> None:
    """As they were asked for."""
    asked = {"code": "VGML", "name": "Vegan meal", "kind": "meal", "segments": [OVER], "text": None}
    dog = {"code": "SVAN", "name": "Service animal", "kind": "pet", "segments": [OVER], "text": "Dog, 20 kg"}
    member = {"airline": "ZZ", "number": "123456789"}

    said = read(booking(passengers=[passenger(loyalty=[member], services=[asked, dog])]))

    assert "Ada Lovelace ZZ 123456789 VGML Vegan meal SVAN Service animal (Dog, 20 kg)" in said


@BOTH
def test_who_has_one_name_only_has_no_other_invented(read: Any) -> None:
    """A null given name is no word."""
    assert "None" not in read(booking(passengers=[passenger(None, "Sukarno", ticket_name="SUKARNO/FNU")]))


@BOTH
def test_it_says_until_when_cancelling_is_free(read: Any) -> None:
    """The later of the law's and our own day; no longer in a booking that has ended."""
    terms = {
        "free_until": "2026-11-23T19:42:00Z",
        "free_rule": "us-24-hours",
        "void_until": "2026-11-22T23:59:59Z",
    }
    said = "Cancellation is free until Mon, 23 Nov 2026, 19:42 UTC"

    assert said in read(booking(cancellation=terms))
    assert said not in read(booking(cancellation=terms, status="cancelled"))
    assert "Cancellation is free" not in read(booking())


@BOTH
def test_a_change_that_waits_for_an_answer_says_until_when(read: Any) -> None:
    """At the flight; an answered one is over."""
    said = "Please choose what becomes of it by Wed, 25 Nov 2026, 12:00 UTC."

    assert said in read(booking(airline_changes=[airline_change(ON)]))
    assert said not in read(booking(airline_changes=[airline_change(ON, status="accepted")]))


@BOTH
def test_other_languages_say_the_same(read: Any) -> None:
    """The reference and the amounts as well."""
    said = read(
        booking(extras=[extra("bag", "60.00")], refunds=[refund("400.00")], amount_due=usd("60.00")), GERMAN
    )

    for words in (
        "K7QX2M",
        "Bestätigt",
        "Aufgegebene Gepäckstücke: 1 · JFK",
        "Noch zu zahlen",
        "spätestens am",
    ):
        assert words in said


@BOTH
def test_an_unpaid_booking_says_so(read: Any) -> None:
    """An empty table would leave doubt."""
    assert "Nothing has been paid." in read(booking(payments=[]))


@BOTH
@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "#panic() *b* _i_ $x$ @a", "{{ pnr }} & \\ \" '"]
)
def test_names_are_never_markup(read: Any, name: str) -> None:
    """They are printed as they were typed."""
    assert name in read(booking(passengers=[passenger(given=name, family="X")]))


def test_the_page_runs_nothing_that_was_typed() -> None:
    """Its source holds no tag out of a name."""
    page = receipt.html(booking(passengers=[passenger("<script>alert(1)</script>")]), ENGLISH)

    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_receipt_of_many_passengers_goes_over_several_pages() -> None:
    """None of them is lost, and pages are counted."""
    people = [passenger(f"Given {number}", "Family") for number in range(18)]
    trips = booking()["slices"] * 4

    said = on_paper(booking(passengers=people, slices=trips))

    assert all(f"Given {number} Family" in said for number in range(18))
    assert re.search(r"Page 2 of [23]", said)
