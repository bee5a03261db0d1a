"""What mails say: in every language, with every name, and nothing that does not belong in a mail."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.core import money
from app.notifications import letters, smtp
from app.notifications.kinds import BOOKING_KINDS, KINDS
from app.notifications.letters import Attachment
from app.notifications.wording import LANGUAGES, wording
from tests.notifications.support import TO, Mails

STOP = {"iata": "TOS", "name": "Tromsø Airport", "city": "Tromsø", "time_zone": "Europe/Oslo"}
THERE = {"iata": "BGO", "name": "Flesland", "city": "Bergen", "time_zone": "Europe/Oslo"}
SEGMENT = {
    "flight_id": "7Q100-20261224-TOS",
    "flight_number": "7Q100",
    "operated_by": "Larkspur & Sons",
    "origin": STOP,
    "destination": THERE,
    "departing_at": "2026-12-24T21:45:00+01:00",
    "arriving_at": "2026-12-24T23:45:00+01:00",
}
SCRIPTS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Pd"]), min_size=1, max_size=20)
HOSTILE = st.sampled_from(
    ["<script>alert(1)</script>", "{pnr}", "{{ 7 * 7 }}", "%s%n", "O'Neil & Söhne", '"><img src=x>']
)
EVENTS: list[dict[str, Any]] = [
    {},
    {"refund": {"amount": "12.50", "currency": "EUR"}, "amount": {"amount": "1200", "currency": "JPY"}},
    {"refund": {"amount": "0.00", "currency": "EUR"}},
    {
        "flight_id": "7Q100-20261224-TOS",
        "after": {"departs_at": "2026-12-24T22:00:00Z", "arrives_at": "2026-12-25T00:00:00Z"},
    },
    {"flight_id": "7Q100-20261224-TOS", "after": {"status": "cancelled"}},
    {"flight_id": "7Q100-20261224-TOS", "after": {"status": "reinstated"}},
    {"flight_id": "7Q999-20261224-TOS", "after": {"departs_at": "2026-12-24T22:00:00Z"}},
]


def booking(given_name: str = "Ada", family_name: str = "Lovelace") -> dict[str, Any]:
    return {
        "pnr": "K7QX2M",
        "status": "held",
        "price": {"total": {"amount": "1303.26", "currency": "USD"}},
        "passengers": [{"given_name": given_name, "family_name": family_name}],
        "slices": [{"segments": [SEGMENT]}],
        "hold_expires_at": "2026-11-22T20:10:31Z",
    }


def written(kind: str, language: str, data: dict[str, Any], **names: str) -> letters.Letter:
    words, one = wording(language), booking(**names)
    values = letters._values(words, one, data)
    if kind == "guest_link":
        values["valid_until"] = words.moment(datetime(2026, 12, 24, 12, tzinfo=UTC), "Europe/Oslo")
    told = letters.Told(words, values, "bookings/K7QX2M", letters._facts(kind, words, one), one)
    return letters.render(kind, told)


@settings(max_examples=25, deadline=None)
@given(given_name=SCRIPTS | HOSTILE, family_name=SCRIPTS | HOSTILE, data=st.sampled_from(EVENTS))
def test_every_kind_is_written_in_every_language(
    given_name: str, family_name: str, data: dict[str, Any]
) -> None:
    """Whoever travels: names stand there as they were given, and are never taken for markup or a template."""
    assume(
        "None" not in given_name + family_name
    )  # Somebody may be called so; below it is a value that is missing.
    for language in LANGUAGES:
        for kind in BOOKING_KINDS:
            known = {"flight_id": SEGMENT["flight_id"], **data}
            letter = written(kind, language, known, given_name=given_name, family_name=family_name)
            assert "K7QX2M" in letter.text
            assert "None" not in letter.subject + letter.text
            assert len(letter.subject) < 120
            assert "<script" not in letter.html
            assert "<img" not in letter.html
            if kind in ("booking_held", "booking_confirmed"):
                assert f"{given_name} {family_name}" in letter.text
                assert f"{given_name} {family_name}" in unescape(letter.html)


def test_languages_have_the_same_texts_with_the_same_blanks() -> None:
    """So that nothing is missing from a translation."""

    def blanks(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: blanks(inner) for name, inner in value.items()}
        return sorted(re.findall(r"{\w+}", str(value)))

    assert LANGUAGES == ("de", "en", "es", "fr")
    english = wording("en")._texts
    assert english.keys() == {"words", *KINDS}
    for language in LANGUAGES:
        assert blanks(wording(language)._texts) == blanks(english)


def test_a_sentence_that_needs_what_is_not_known_is_left_out() -> None:
    """No refund, no word about one."""
    paid = written("booking_cancelled", "de", EVENTS[1]).text
    unpaid = written("booking_cancelled", "de", EVENTS[2]).text

    assert "12,50\xa0€ gehen dorthin zurück" in paid
    assert "zurück" not in unpaid
    assert "wird" not in written("booking_changed", "en", EVENTS[4]).text
    assert "7Q100 will not be flown" in written("booking_changed", "en", EVENTS[4]).text
    assert "11:00" in written("booking_changed", "en", EVENTS[3]).text


@given(
    minor=st.integers(0, 10**12),
    currency=st.sampled_from(["USD", "EUR", "JPY", "KWD", "ISK", "HUF", "IQD", "CLF", "XAF"]),
    language=st.sampled_from(LANGUAGES),
)
def test_money_keeps_all_its_digits(minor: int, currency: str, language: str) -> None:
    """Whatever decimals a language is used to, no part of an amount is rounded away."""
    shown = wording(language).money(money.wire(minor, currency))

    digits = "".join(re.findall(r"\d", shown))
    exact = Decimal(money.amount(minor, currency))
    assert digits.rstrip("0").lstrip("0") == f"{exact:f}".replace(".", "").rstrip("0").lstrip("0")


def test_moments_are_told_by_the_clock_of_the_place() -> None:
    """The same instant in each language."""
    instant = datetime(2026, 7, 1, 18, 30, tzinfo=UTC)

    shown = {language: wording(language).moment(instant, "America/New_York") for language in LANGUAGES}

    assert shown == {
        "de": "01.07.2026, 14:30 (-0400)",
        "en": "Wed, 1 Jul 2026, 2:30\u202fPM (-0400)",
        "es": "1 jul 2026, 14:30 (-0400)",
        "fr": "1 juil. 2026, 14:30 (-0400)",
    }


@pytest.mark.parametrize(
    "subject", ["Hello\r\nBcc: everybody@example.com", "Hello\nX: y", "Hello\r\n\r\nbody"]
)
def test_nothing_can_add_a_header(subject: str) -> None:
    """Line ends in a subject are spaces."""
    letter = letters.Letter(subject, "text", "<p>html")

    raw = smtp.message(row(), letter).as_bytes()

    head = raw.partition(b"\r\n\r\n")[0]
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert set(names) == {
        *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Content-Language", b"Auto-Submitted"),
        *(b"MIME-Version", b"Content-Type"),
    }


@pytest.mark.parametrize(
    "recipient",
    [
        "ada@example.com\r\nBcc: everybody@example.com",
        "ada@example.com, bob@example.com",
        "<ada@example.com>",
        "",
    ],
)
def test_a_recipient_that_is_no_address_gets_no_mail(recipient: str) -> None:
    """Refused for good, before anything is sent."""
    with pytest.raises(smtp.Refused, match="not_an_address"):
        smtp.message({**row(), "recipient": recipient}, letters.Letter("s", "t", "h"))


def row() -> dict[str, Any]:
    return {
        "recipient": TO,
        "locale": "en",
        "message_id": "<1@example.com>",
        "created_at": datetime(2026, 12, 24, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("event", "status", "subject"),
    [
        ("booking.confirmed", "confirmed", "Booking {pnr} is confirmed: Tromsø to Bergen"),
        ("booking.cancelled", "cancelled", "Booking {pnr} is cancelled"),
        ("payment.failed", None, "Booking {pnr}: the payment has failed"),
        ("payment.refunded", "cancelled", "Booking {pnr}: your refund is on its way"),
        ("payment.refunded", "expired", "Booking {pnr}: your payment came too late and goes back"),
        ("booking.completed", "completed", None),
        ("payment.succeeded", "confirmed", None),
        ("booking.changed", "confirmed", None),
        ("booking.unheard_of", None, None),
    ],
)
async def test_which_mail_follows_which_event(
    mails: Mails, event: str, status: str | None, subject: str | None
) -> None:
    """Most events have none."""
    pnr = await mails.booked()
    await mails.sent()
    amount = {"amount": "21.00", "currency": "EUR"}
    await mails.happens(pnr, event, status, amount=amount, refund=amount)

    subjects = [mail["subject"] for mail in (await mails.sent())[1:]]

    assert subjects == ([subject.format(pnr=pnr)] if subject else [])


@pytest.mark.parametrize(
    ("status", "materiality", "asks"),
    [
        ("confirmed", "significant", True),
        ("confirmed", "cancelled", True),
        ("confirmed", "notable", False),
        ("held", "significant", False),
    ],
)
async def test_a_large_change_of_a_paid_flight_asks_for_an_answer(
    mails: Mails, status: str, materiality: str, asks: bool
) -> None:
    """Smaller ones, and those of flights that nobody has paid for, are only told."""
    pnr = await mails.booked()
    [flight] = (await mails.traveller.get(f"/bookings/{pnr}")).body["slices"][0]["segments"]
    after = {"departs_at": "2026-12-24T10:00:00Z", "arrives_at": "2026-12-24T12:00:00Z"}
    data = {"flight_id": flight["flight_id"], "materiality": materiality, "after": after}
    await mails.happens(pnr, "booking.changed", status, **data)

    mail = (await mails.sent())[-1]

    assert mail["subject"].startswith(f"Booking {pnr}: {'please answer' if asks else 'flight'}")
    assert "It now leaves Thu, 24 Dec 2026, 11:00" in mail["text"]


async def test_an_account_is_written_to_in_its_language(mails: Mails) -> None:
    """Chosen at signup; the address may be of any country."""
    data = {
        "email": "emil@example.com",
        "password": "a window seat, please",
        "full_name": "Emil",
        "locale": "de",
    }
    signed_up = await mails.traveller.post("/auth/signup", data)
    assert signed_up.body["user"]["locale"] == "de"
    mails.traveller.token = signed_up.body["access_token"]
    pnr = await mails.booked(
        "jörg@bücher.example", given_name="Ada Ωμέγα", latin_given_name="ADA OMEGA", family_name="Müller"
    )

    asked, mail = sorted(await mails.sent(), key=lambda one: str(one["to"]))

    assert (asked["to"], asked["subject"]) == (["emil@example.com"], "Bestätigen Sie Ihre Adresse")
    assert mail["subject"].startswith(f"Buchung {pnr}: reserviert bis")
    assert mail["to"] == ["jörg@bücher.example"]
    assert "Ada Ωμέγα Müller" in mail["text"]
    assert ["Content-Language", "de"] in mail["headers"]


async def test_a_mail_names_travellers_flights_and_the_price_and_nothing_else(mails: Mails) -> None:
    """No birthday, no telephone, no account."""
    pnr = await mails.booked()
    booked = (await mails.traveller.get(f"/bookings/{pnr}")).body

    [mail] = await mails.sent()

    for body in (mail["text"], unescape(mail["html"])):
        for shown in (pnr, "Ada", "Lovelace", "Tromsø", booked["price"]["total"]["amount"].rstrip("0")[-3:]):
            assert shown in body
        for private in ("1990", "441632960000", mails.traveller.user["id"], TO):
            assert private not in body


async def test_who_has_no_given_name_is_called_by_the_other(mails: Mails) -> None:
    """And by nothing that we made up."""
    await mails.booked(given_name=None, family_name="Sukarno")

    [mail] = await mails.sent()

    assert "Sukarno" in mail["text"]
    assert "None" not in mail["text"]


async def test_what_belongs_to_a_kind_is_attached(mails: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made from the booking, in the language of the mail."""

    async def itinerary(one: dict[str, Any], language: str) -> Attachment:
        return Attachment(f"{one['pnr']}-{language}.pdf", "application/pdf", b"%PDF-1.7")

    monkeypatch.setitem(letters.ATTACHED, "booking_confirmed", (itinerary,))
    pnr = await mails.booked()
    await mails.happens(pnr, "booking.confirmed", "confirmed")

    attached = [mail["attachments"] for mail in await mails.sent()]

    assert [[(one["name"], one["media_type"]) for one in each] for each in attached] == [
        [(f"{pnr}-en.pdf", "application/pdf")]
    ]


async def test_nothing_personal_is_logged(mails: Mails, caplog: pytest.LogCaptureFixture) -> None:
    """Neither addresses nor names, when a mail is refused and when it cannot be written."""
    await mails.sandbox.fault("mail_refused", "/smtp/canary@example.com")
    await mails.booked("canary@example.com", given_name="Canarina")

    await mails.sent()

    told = caplog.text.lower()
    assert await mails.states() == [("failed", "550")]
    assert "'reason': '550'" in told
    assert "canar" not in told
