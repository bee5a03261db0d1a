"""What alerts and mails about accounts say, in every language."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.airports import service as airports
from app.notifications import alerts, letters
from app.notifications.kinds import KINDS, MANNERS, kind_for_people
from app.notifications.wording import LANGUAGES, wording
from tests.notifications.people import People

FLIGHT = {
    "flight_id": "7Q100-20261224-TOS",
    "flight_number": "7Q100",
    "origin": "TOS",
    "destination": "LHR",
    "scheduled_departure_at": "2026-12-24T20:45:00Z",
    "estimated_departure_at": "2026-12-24T22:05:00Z",
    "actual_departure_at": None,
    "scheduled_arrival_at": "2026-12-24T23:45:00Z",
    "estimated_arrival_at": None,
    "actual_arrival_at": None,
}
ALERTS = [kind for kind in KINDS if kind.startswith("flight_")]


def written(kind: str, language: str, **data: Any) -> letters.Letter:
    words = wording(language)
    values = alerts.values(words, FLIGHT | data)
    told = letters.Told(
        words, values, "flights/x", alerts.facts(words, FLIGHT | data, values), footer="footer_alerts"
    )
    return letters.render(kind, told, unsubscribe="https://jetway.example/notifications/unsubscribe?token=x")


@pytest.fixture(autouse=True)
async def places(address: str) -> None:
    await airports.ready()


@settings(max_examples=15)
@given(st.integers(15, 2000), st.sampled_from(["A1", "B 22", "<b>", "{flight}"]), st.booleans())
def test_every_alert_is_written_in_every_language(minutes: int, gate: str, known: bool) -> None:
    """With what is known and without; what a vendor calls a gate is never markup or a template."""
    times = {"actual_departure_at": "2026-12-24T22:07:00Z", "actual_arrival_at": "2026-12-25T01:00:00Z"}
    for language in LANGUAGES:
        for kind in ALERTS:
            more = {"delay_minutes": minutes if kind == "flight_delayed" else 0} if "gate" not in kind else {}
            more |= {"gate": gate, "previous_gate": "C3"} if "gate" in kind else {}
            letter = written(kind, language, **more, **(times if known else {}))
            said = letter.subject + letter.text
            assert "7Q100" in letter.subject
            assert "None" not in said
            assert "{flight}" not in said or gate == "{flight}"
            assert len(letter.subject) < 120
            assert "<b>" not in letter.html
            assert "unsubscribe?token=x" in letter.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "is delayed by 1 hr 20 min. | Thu, 24 Dec 2026, 11:05\u202fPM (+0100)"),
        ("de", "ist um 1 Std. 20 Min. verspätet. | 24.12.2026, 23:05 (+0100)"),
        ("es", "tiene un retraso de 1 h 20 min. | 24 dic 2026, 23:05 (+0100)"),
        ("fr", "est retardé de 1\u202fh 20\xa0min. | 24 déc. 2026, 23:05 (+0100)"),
    ],
)
def test_a_delay_is_told_in_hours_and_by_the_clocks_of_the_airport(language: str, said: str) -> None:
    """As each language writes them."""
    text = written("flight_delayed", language, delay_minutes=80).text

    for part in said.split(" | "):
        assert part in text


def test_durations_of_any_length() -> None:
    """Whole hours have no minutes, and days are many hours."""
    english = wording("en")

    assert [english.duration(timedelta(minutes=minutes)) for minutes in (15, 60, 61, 1500)] == [
        *("15 min", "1 hr", "1 hr 1 min", "25 hr"),
    ]


def test_a_delay_that_is_over_is_another_thing_to_say() -> None:
    """A quarter of an hour is the limit, as for travellers."""
    event = {"type": "flight.delayed", "data": {"delay_minutes": 14}}

    assert kind_for_people(event) == "flight_on_time"
    assert kind_for_people({**event, "data": {"delay_minutes": 15}}) == "flight_delayed"
    assert set(ALERTS) <= MANNERS.keys()


@pytest.mark.parametrize(
    ("reason", "language", "said"),
    [
        ("gone", "en", "hooks.example.com has told us that it is no longer there"),
        ("failing", "de", "hooks.example.com hat seit Tagen keine Nachricht angenommen"),
    ],
)
async def test_whose_webhook_is_switched_off_is_told_why(
    people: People, reason: str, language: str, said: str
) -> None:
    """At the account's address, in its language, whatever else it wants to hear; phones are not for this."""
    ada = await people.somebody()
    await people.wants(ada, locale=language, flight_alerts={"email": False, "push": True})
    facts = {"user_id": ada.client.user["id"], "subscription_id": "whs_1", "host": "hooks.example.com"}
    await people.happens("webhook.disabled", "whs_1", **facts, reason=reason)

    for _ in range(2):
        await people.told()

    [mail] = await people.mails(ada)
    assert "hooks.example.com" in mail["subject"]
    assert said in mail["text"]
    assert "/webhooks/subscriptions/whs_1" in mail["text"]
    # Once in the sentence that says so, and once in the reason, of which there is one.
    assert mail["text"].count("hooks.example.com") == 2
    assert "List-Unsubscribe" not in dict(mail["headers"])
    assert await people.received(ada) == []
