"""Itineraries as calendars, read by a library that had no part in writing them."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import vobject
from dateutil import tz

from app.documents import calendar
from tests.documents.support import ENGLISH, GERMAN, at, booking, change, one_slice, segment

OVER = "X05-20261201-JFK"


def read(made: dict[str, Any]) -> Any:
    return vobject.readOne(calendar.ics(made, ENGLISH).decode())


def events(made: dict[str, Any]) -> list[Any]:
    found: list[Any] = read(made).vevent_list
    return found


def times(made: dict[str, Any]) -> list[tuple[datetime, datetime]]:
    """When each event begins and ends by the time zones that the file itself describes, and no others."""
    text = calendar.ics(made, ENGLISH).decode()
    zones = tz.tzical(StringIO(text))

    def moment(line: Any) -> datetime:
        if line.value.endswith("Z"):
            return datetime.strptime(line.value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        zone = zones.get(line.params["TZID"][0])
        return datetime.strptime(line.value, "%Y%m%dT%H%M%S").replace(tzinfo=zone)

    written = vobject.readOne(text, transform=False).vevent_list
    return [(moment(event.dtstart), moment(event.dtend)) for event in written]


def trip(leaves: datetime, origin: str, arrives: datetime, destination: str) -> dict[str, Any]:
    return booking(slices=[one_slice(segment("ZZ1", origin, destination, leaves, arrives))])


@pytest.mark.parametrize(
    ("origin", "leaves", "destination", "arrives", "minutes"),
    [
        ("AKL", "2026-11-10 20:00", "LAX", "2026-11-10 11:15", 735),
        ("LAX", "2026-11-10 23:00", "AKL", "2026-11-12 09:00", 780),
        ("APW", "2026-11-10 08:00", "PPG", "2026-11-09 08:50", 50),
        ("NRT", "2026-11-10 23:40", "HNL", "2026-11-10 12:05", 445),
        ("LHR", "2026-10-25 00:30", "MAD", "2026-10-25 03:15", 165),
        ("LHR", "2026-03-29 00:30", "MAD", "2026-03-29 04:15", 105),
    ],
)
def test_a_flight_lasts_as_long_as_it_does(
    origin: str, leaves: str, destination: str, arrives: str, minutes: int
) -> None:
    """Over the date line and on nights when clocks change, by the zones in the file itself."""
    [(begins, ends)] = times(trip(at(leaves, origin), origin, at(arrives, destination), destination))

    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(minutes=minutes)
    assert begins.astimezone(UTC) == at(leaves, origin).astimezone(UTC)
    assert (f"{begins:%Y-%m-%d %H:%M}", f"{ends:%Y-%m-%d %H:%M}") == (leaves, arrives)


@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_comes_twice_is_told_apart(fold: int) -> None:
    """01:30 in London on the night when clocks go back is one of two instants, an hour apart."""
    leaves = at("2026-10-25 01:30", "LHR", fold)

    [(begins, _)] = times(trip(leaves, "LHR", leaves.astimezone(UTC) + timedelta(hours=2), "MAD"))

    assert begins.astimezone(UTC) == datetime(2026, 10, 25, 0 + fold, 30, tzinfo=UTC)


def test_each_flight_is_an_event_at_its_airports() -> None:
    """In the clocks of where it leaves and of where it lands, with both zones described."""
    made = read(booking())
    over, on = made.vevent_list

    assert [f"{moment:%d %H:%M}" for moment in times(booking())[0]] == ["01 20:05", "02 08:05"]
    assert {zone.tzid.value for zone in made.vtimezone_list} == {
        "America/New_York",
        "Europe/London",
        "Europe/Berlin",
    }
    assert over.summary.value == "X05 New York (JFK) → London (LHR)"
    assert over.location.value == "John F Kennedy International Airport (JFK), Terminal 4"
    assert "Operated by Larkspur Airways" in over.description.value
    assert "Departure: Tue, 1 Dec 2026, 20:05 (EST, UTC−5), JFK Terminal 4" in over.description.value  # noqa: RUF001
    assert "Booking reference: K7QX2M (Confirmed)" in over.description.value
    assert on.location.value == "London Heathrow Airport (LHR), Terminal 5"


def test_calendars_carry_no_names() -> None:
    """They are shared with colleagues and synchronised through others' servers."""
    text = calendar.ics(booking(), ENGLISH).decode().replace("\r\n ", "")

    assert not [name for name in ("Ada", "LOVELACE", "ada@example.com", "4242") if name in text]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("held", "TENTATIVE"),
        ("confirmed", "CONFIRMED"),
        ("completed", "CONFIRMED"),
        ("cancelled", "CANCELLED"),
        ("expired", "CANCELLED"),
    ],
)
def test_an_event_is_as_certain_as_its_booking(status: str, told: str) -> None:
    """Reminders only of what will be flown."""
    made = booking(status=status)

    assert [event.status.value for event in events(made)] == [told, told]
    assert all(("valarm" in event.contents) is (told != "CANCELLED") for event in events(made))


def test_a_cancelled_flight_takes_its_own_event_away() -> None:
    """The rest of the journey stands, and comes back with it."""
    gone = [change(OVER, "cancelled", {"status": "cancelled"})]
    back = [*gone, change(OVER, "reinstated", {"status": "reinstated"})]

    statuses = [
        [event.status.value for event in events(booking(schedule_changes=changes))]
        for changes in ([], gone, back)
    ]

    assert statuses == [["CONFIRMED"] * 2, ["CANCELLED", "CONFIRMED"], ["CONFIRMED"] * 2]


def test_a_later_calendar_updates_an_earlier_one() -> None:
    """The same event by its id, newer by its sequence, at every step of a booking."""
    moved = [change(OVER, "material", {"departs_at": "2026-12-02T02:05:00Z"})]
    steps = [
        booking(status="held"),
        booking(),
        booking(schedule_changes=moved),
        booking(schedule_changes=moved, status="cancelled"),
    ]

    versions = [events(made)[0] for made in steps]

    assert len({event.uid.value for event in versions}) == 1
    assert [int(event.sequence.value) for event in versions] == [0, 1, 2, 3]


def test_events_of_others_are_others() -> None:
    """Two flights, and the same flight in two bookings; the reference cannot be read from an id."""
    ids = [event.uid.value for made in (booking(), booking(pnr="B2CDF3")) for event in events(made)]

    assert len(set(ids)) == 4
    assert not any("K7QX2M" in one for one in ids)


def test_two_reminders_come_before_a_flight() -> None:
    """A day before and three hours before."""
    alarms = events(booking())[0].valarm_list

    assert [alarm.trigger.value for alarm in alarms] == [-timedelta(days=1), -timedelta(hours=3)]
    assert alarms[0].description.value == "Flight X05 leaves tomorrow"


def test_text_cannot_leave_its_line() -> None:
    """Commas, semicolons, backslashes and line ends are text; lines are short and end as the standard says."""
    made = booking()
    made["slices"][0]["segments"][0]["operated_by"] = "A, B; C\\D\r\nSTATUS:CANCELLED"

    written = calendar.ics(made, ENGLISH)

    assert "Operated by A, B; C\\D" in events(made)[0].description.value
    assert events(made)[0].status.value == "CONFIRMED"
    assert all(len(line) <= 75 and b"\n" not in line for line in written.split(b"\r\n"))


def test_calendars_speak_the_language() -> None:
    """Reminders and descriptions are for people."""
    said = calendar.ics(booking(), GERMAN).decode().replace("\r\n ", "")

    assert "Flug X05 startet morgen" in said
    assert "Durchgeführt von Larkspur Airways" in said
