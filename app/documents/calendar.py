"""A booking as a calendar (RFC 5545): one event for each flight, at the clocks of the two airports."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.aircraft import service as aircraft
from app.core.db import Row
from app.documents.languages import Language
from app.documents.receipt import change_notice, is_gone, place

if TYPE_CHECKING:
    from icalendar import Alarm, Event, Timezone

_PRODUCT = "-//Jetway//Itinerary//EN"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:jetway:calendar")
_STATUS = {"held": "TENTATIVE", "confirmed": "CONFIRMED", "completed": "CONFIRMED"}
# A later version of an event counts more: a booking goes through these in this order, each change adds one.
_AGE = {"held": 0, "confirmed": 1, "completed": 1, "cancelled": 2, "expired": 2}
_REMINDERS = {"reminder_day": timedelta(days=1), "reminder_hours": timedelta(hours=3)}
# Clock changes that a calendar needs to know of, around the journey.
_AROUND = timedelta(days=366)


def ics(booking: Row, language: Language) -> bytes:
    """The same bytes for the same booking."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", _PRODUCT)
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", language.say("calendar", pnr=booking["pnr"]))
    segments = [segment for one in booking["slices"] for segment in one["segments"]]
    for zone in _zones(segments):
        calendar.add_component(zone)
    for segment in segments:
        calendar.add_component(_event(booking, segment, language))
    written: bytes = calendar.to_ical()
    return written


def _zones(segments: list[Row]) -> list["Timezone"]:
    from icalendar import Timezone

    days = [datetime.fromisoformat(segment["departing_at"]).date() for segment in segments]
    names = sorted({stop["time_zone"] for segment in segments for stop in _ends(segment)})
    return [
        Timezone.from_tzid(name, first_date=min(days) - _AROUND, last_date=max(days) + _AROUND)
        for name in names
    ]


def _event(booking: Row, segment: Row, language: Language) -> "Event":
    from icalendar import Event

    status = (
        "CANCELLED" if is_gone(booking, segment["flight_id"]) else _STATUS.get(booking["status"], "CANCELLED")
    )
    changed = datetime.fromisoformat(booking["updated_at"])
    event = Event()
    event.add("uid", str(uuid.uuid5(_NAMESPACE, f"{booking['pnr']}/{segment['flight_id']}")))
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("sequence", _sequence(booking, segment["flight_id"]))
    event.add("status", status)
    event.add("dtstart", _at(segment["departing_at"], segment["origin"]))
    event.add("dtend", _at(segment["arriving_at"], segment["destination"]))
    event.add("summary", "{} {} → {}".format(segment["flight_number"], *map(_named, _ends(segment))))
    event.add("location", _location(segment["origin"], language))
    event.add("description", _description(booking, segment, language))
    event.add("categories", [language.say("flight")])
    if status != "CANCELLED":
        for reminder, before in _REMINDERS.items():
            event.add_component(_alarm(language.say(reminder, flight=segment["flight_number"]), before))
    return event


def _alarm(text: str, before: timedelta) -> "Alarm":
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text)
    alarm.add("trigger", -before)
    return alarm


def _sequence(booking: Row, flight_id: str) -> int:
    changes = [change for change in booking["schedule_changes"] if change["flight_id"] == flight_id]
    return _AGE[booking["status"]] + len(changes)


def _at(local: str, stop: Row) -> datetime:
    """At the airport's clock; in UTC in the hour that comes twice, which that clock alone cannot tell apart."""
    reading = datetime.fromisoformat(local).astimezone(ZoneInfo(stop["time_zone"]))
    twin = reading.replace(fold=1 - reading.fold)
    return reading if twin.utcoffset() == reading.utcoffset() else reading.astimezone(UTC)


def _ends(segment: Row) -> tuple[Row, Row]:
    return segment["origin"], segment["destination"]


def _named(stop: Row) -> str:
    return f"{stop['city']} ({stop['iata']})"


def _location(stop: Row, language: Language) -> str:
    terminal = stop["terminal"]
    where = f"{stop['name']} ({stop['iata']})"
    return f"{where}, {language.say('terminal', terminal=terminal)}" if terminal else where


def _description(booking: Row, segment: Row, language: Language) -> str:
    """Both clocks in words, because calendars show the owner's own; who flies; the reference; no names."""
    leaves, arrives = (
        place(stop, datetime.fromisoformat(segment[name]), language)
        for stop, name in zip(_ends(segment), ("departing_at", "arriving_at"), strict=True)
    )
    kind = segment["aircraft"]
    lines = [
        change_notice(booking, segment["flight_id"], language),
        language.say("operated_by", airline=segment["operated_by"]),
        *(
            f"{language.say(what)}: {at['day']}, {at['time']} ({at['zone']}), {at['iata']} {at['terminal']}".rstrip()
            for what, at in (("departure", leaves), ("arrival", arrives))
        ),
        language.duration(segment["duration"]),
        (aircraft.name(kind) or kind) if kind else "",
        f"{language.say('reference')}: {booking['pnr']} ({language.say(booking['status'])})",
    ]
    return "\n".join(line for line in lines if line)
