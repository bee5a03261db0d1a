"""Passports: checked against the trip, seen by nobody, and forgotten in time."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app import cli
from app.bookings import documents, tasks
from app.core import crypto
from app.core.config import Settings
from tests.support.client import Answer, Client, adult, booking, in_days
from tests.support.fleet import Fleet, Flight

NUMBER = "PX8830614"
FORMER, LATTER = "f" * 40, "l" * 40


@pytest_asyncio.fixture
async def flight(fleet: Fleet) -> Flight:
    return await fleet.flight(50)


def passport(**more: Any) -> dict[str, Any]:
    return {
        "type": "passport",
        "number": NUMBER,
        "issuing_country": "GB",
        "nationality": "IE",
        "expires_on": in_days(3000).isoformat(),
        **more,
    }


async def book(traveller: Client, fleet: Fleet, flight: Flight, **document: Any) -> Answer:
    offer = await fleet.offer(traveller, flight)
    data = booking(offer["id"], [adult(document=passport(**document))])
    return await traveller.post("/bookings", data, {"Idempotency-Key": "with-a-passport"})


def refusal(answer: Answer) -> tuple[int, str | None, str]:
    return answer.status, answer.code, answer.body["errors"][0]["pointer"]


async def test_a_document_is_shown_masked(traveller: Client, fleet: Fleet, flight: Flight) -> None:
    """When it is given, when it is read, in the list, and in an answer that is repeated."""
    booked = await book(traveller, fleet, flight)
    repeated = await book(traveller, fleet, flight)

    read = await traveller.get(f"/bookings/{booked.body['pnr']}")
    listed = await traveller.get("/bookings")

    assert booked.body["passengers"][0]["document"] == passport(number="••••0614")
    for answer in (repeated, read):
        assert answer.body["passengers"] == booked.body["passengers"]
    assert listed.body["data"] == [read.body]


@pytest.mark.parametrize(
    ("given_number", "shown"),
    [("px 88-30614", "••••0614"), ("AB12345", "••••345"), ("AB123", "••••3"), ("AB12", "••••")],
)
async def test_a_short_number_shows_less(
    traveller: Client, fleet: Fleet, flight: Flight, given_number: str, shown: str
) -> None:
    """At least four characters stay hidden."""
    booked = await book(traveller, fleet, flight, number=given_number)

    assert booked.body["passengers"][0]["document"]["number"] == shown


@given(st.text("ABCXYZ0123456789", min_size=4, max_size=20))
def test_a_mask_shows_the_end_and_hides_four(number: str) -> None:
    """However long the number is, the mask before it has one length."""
    mask = documents.masked(number)

    assert mask.startswith("••••")
    assert len(mask) - 4 == min(4, len(number) - 4)
    assert number.endswith(mask[4:])


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"type": "visa"}, "type"),
        ({"number": "A1"}, "number"),
        ({"number": "A" * 21}, "number"),
        ({"number": "PX_88306"}, "number"),
        ({"number": "ЯЖ883061"}, "number"),
        ({"issuing_country": "XX"}, "issuing_country"),
        ({"issuing_country": "GBR"}, "issuing_country"),
        ({"nationality": "ZZ"}, "nationality"),
        ({"expires_on": None}, "expires_on"),
        ({"place_of_birth": "London"}, "place_of_birth"),
    ],
)
async def test_a_document_has_a_form(
    traveller: Client, fleet: Fleet, flight: Flight, document: dict[str, Any], pointer: str
) -> None:
    """A passport or identity card, a number, and countries that exist."""
    answer = await book(traveller, fleet, flight, **document)

    assert refusal(answer) == (422, "validation_error", f"/passengers/0/document/{pointer}")


@pytest.mark.parametrize(("days", "status"), [(-1, 422), (0, 201)])
async def test_a_document_is_valid_until_the_last_arrival(
    traveller: Client, fleet: Fleet, days: int, status: int
) -> None:
    """By the date where one arrives, to the day."""
    there, back = await fleet.round_trip()
    offer = await fleet.offer(traveller, there, return_date=back.day)
    expires_on = (back.day + timedelta(days=days)).isoformat()

    answer = await traveller.book(offer["id"], [adult(document=passport(expires_on=expires_on))])

    assert answer.status == status
    if status == 422:
        assert refusal(answer) == (422, "document_expires", "/passengers/0/document/expires_on")
        assert (await fleet.counts(there))["held"] == 0


async def texts(sql: Any, wanted: str) -> list[str]:
    """The tables in which a text stands, in whatever column, be it of bytes."""
    found = []
    columns = await sql(
        """
        SELECT table_name, string_agg(format('coalesce(%I::text, '''')', column_name), ' || ')
               FILTER (WHERE data_type <> 'bytea') AS written,
               string_agg(format('coalesce(encode(%I, ''escape''), '''')', column_name), ' || ')
               FILTER (WHERE data_type = 'bytea') AS stored
        FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name
        """
    )
    for table in columns:
        everything = " || ".join(filter(None, (table["written"], table["stored"])))
        question = f"SELECT count(*) AS n FROM {table['table_name']} WHERE position(lower(:wanted) IN lower({everything})) > 0"  # noqa: E501
        if (await sql(question, wanted=wanted))[0]["n"]:
            found.append(table["table_name"])
    return sorted(found)


async def test_a_number_is_nowhere_in_the_database(
    traveller: Client, fleet: Fleet, flight: Flight, sql: Any
) -> None:
    """Not in a row, an event, the history or a kept answer; a telephone number is found there, the control."""
    number = "KNRNVG5309"
    booked = await book(traveller, fleet, flight, number=number)
    await fleet.run_out(booked.body["pnr"])
    await traveller.get(f"/bookings/{booked.body['pnr']}")

    assert await texts(sql, number) == []
    assert await texts(sql, number[:-4]) == []
    assert await texts(sql, "+441632960000") == ["bookings", "idempotency_keys"]


async def test_a_number_moved_to_another_passenger_is_not_opened(
    traveller: Client, fleet: Fleet, flight: Flight, sql: Any
) -> None:
    """Who can write to the database cannot exchange two passports."""
    offer = await fleet.offer(traveller, flight, adults=2)
    people = [adult(1, document=passport()), adult(2, document=passport(number="QY1111111"))]
    pnr = (await traveller.book(offer["id"], people)).body["pnr"]
    [one, two] = await sql(
        "SELECT document->>'number' AS number FROM booking_passengers p JOIN bookings b ON b.id = p.booking_id"
        " WHERE pnr = :pnr ORDER BY position",
        pnr=pnr,
    )

    assert crypto.open(one["number"], f"booking {pnr} passenger 0 document") == NUMBER
    with pytest.raises(crypto.CannotOpen):
        crypto.open(two["number"], f"booking {pnr} passenger 0 document")


@pytest.mark.parametrize(("days", "kept"), [(29, True), (31, False)])
async def test_a_document_is_forgotten_a_month_after_the_trip(
    traveller: Client, fleet: Fleet, sql: Any, days: int, kept: bool
) -> None:
    """All of it; the booking stays."""
    there, back = await fleet.round_trip()
    offer = await fleet.offer(traveller, there, return_date=back.day)
    pnr = (await traveller.book(offer["id"], [adult(document=passport())])).body["pnr"]
    for flight, ago in ((there, days + 100), (back, days)):
        await sql(
            """
            UPDATE flights SET departs_at = now() - make_interval(days => :ago, hours => 1),
                               arrives_at = now() - make_interval(days => :ago) WHERE id = :id
            """,
            ago=ago,
            id=flight.id,
        )

    await run(tasks.purge_documents)

    read = await traveller.get(f"/bookings/{pnr}")
    assert (read.body["passengers"][0]["document"] is not None) is kept


async def run(task: Any) -> None:
    """A task's function on the loop of the tests."""
    await task.run.__wrapped__()


async def test_keys_are_rotated(
    traveller: Client,
    fleet: Fleet,
    flight: Flight,
    sql: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once everything is sealed with the newest key, the former one can go."""

    def use(*keys: str) -> None:
        chosen = Settings(_env_file=None, encryption_key=",".join(keys))  # type: ignore[call-arg]
        monkeypatch.setattr(crypto, "settings", lambda: chosen)

    original = crypto.settings().secret_keys[-1]
    monkeypatch.setattr(cli, "_RESEALED_A_BATCH", 2)
    use(FORMER)
    booked = await book(traveller, fleet, flight)
    use(FORMER, LATTER)
    await cli._rotate_encryption()
    use(LATTER)

    try:
        read = await traveller.get(f"/bookings/{booked.body['pnr']}")
        assert read.body["passengers"] == booked.body["passengers"]
        sealed = await sql(
            "SELECT document->>'number' AS number FROM booking_passengers WHERE document IS NOT NULL"
        )
        assert all(row["number"].startswith(crypto.newest()) for row in sealed)
        [others] = await sql(
            "SELECT (SELECT count(*) FROM devices) + (SELECT count(*) FROM webhook_subscriptions"
            " WHERE jsonb_array_length(secrets) > 0)"
            " + (SELECT count(*) FROM users WHERE totp_secret IS NOT NULL) AS n"
        )
        told = f"{len(sealed) + others['n']} fields are sealed with the newest key now.\n"
        assert capsys.readouterr().out == told
        use(FORMER)
        with pytest.raises(SystemExit, match="Is a former key missing"):
            await cli._rotate_encryption()
    finally:
        use(FORMER, LATTER, original)
        await cli._rotate_encryption()


CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"passengers": [adult(family_name=f"Lovelace {CARD}")]}, "/passengers/0/family_name"),
        ({"passengers": [adult(document=passport(number=CARD))]}, "/passengers/0/document/number"),
        (
            {"passengers": [adult(services=[{"code": "SPML", "text": f"pay with {CARD}"}])]},
            "/passengers/0/services/0/text",
        ),
        (
            {"passengers": [adult(loyalty=[{"airline": "ZZ", "number": CARD.replace(" ", "")}])]},
            "/passengers/0/loyalty/0/number",
        ),
        ({"contact": {"email": f"{CARD.replace(' ', '')}@example.com"}}, "/contact/email"),
        ({"payment": {"payment_method": CARD}}, "/payment/payment_method"),
    ],
)
async def test_no_card_number_is_accepted(
    traveller: Client, fleet: Fleet, flight: Flight, change: dict[str, Any], pointer: str
) -> None:
    """In no text, so that none is ever stored."""
    offer = await fleet.offer(traveller, flight)

    answer = await traveller.post("/bookings", booking(offer["id"]) | change)

    assert refusal(answer) == (422, "card_number_refused", pointer)
    assert b"4111" not in answer.raw


async def test_a_telephone_number_may_have_the_digits_of_a_card(
    traveller: Client, fleet: Fleet, flight: Flight
) -> None:
    """One of ten Chinese mobile numbers does."""
    offer = await fleet.offer(traveller, flight)
    contact = {"email": "ada@example.com", "phone": "+8613800138004"}

    assert (await traveller.post("/bookings", booking(offer["id"]) | {"contact": contact})).status == 201
