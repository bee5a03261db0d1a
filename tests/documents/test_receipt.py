"""What the itinerary receipt says, on paper and on the page."""

import re
from html import unescape
from typing import Any

import pytest

from app.bookings.shapes import BookingOut
from app.documents import receipt
from app.documents.languages import Language
from tests.documents import papers
from tests.documents.support import ENGLISH, at, booking, change, one_slice, passenger, segment, usd

OVER = "X05-20261201-JFK"
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
        ("held", "2026-11-22T20:10:31Z", "pay by Sun, 22 Nov 2026, 20:10 UTC"),
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
def test_seats_extras_and_refunds_are_printed_where_there_are_any(read: Any) -> None:
    """With the flight, in the price, and among the payments."""
    said = read(
        booking(
            seats=[{"flight_id": OVER, "seat": "12A"}, {"flight_id": OVER, "seat": "12B"}],
            extras=[{"name": "Second bag", "amount": usd("60.00")}],
            refunds=[{"amount": usd("400.00"), "created_at": "2026-11-24T08:00:00Z"}],
        )
    )

    assert "Seat 12A, 12B" in said
    assert "Second bag US$60.00" in said
    assert "Refund Tue, 24 Nov 2026, 08:00 UTC US$400.00" in " ".join(said.split())


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
