"""What an alert about a flight can speak of: from the event, in the words of a language."""

from datetime import datetime, timedelta

from app.airports.service import directory
from app.core.db import Row
from app.flights.status import DELAYED_MINUTES
from app.notifications.wording import Values, Wording


def values(words: Wording, data: Row) -> Values:
    """What sentences may speak of, by the clocks of each place; None where it is not known or not so."""
    origin, destination = directory().find(data["origin"]), directory().find(data["destination"])
    minutes = data.get("delay_minutes", 0)
    late = minutes >= DELAYED_MINUTES

    def at(*names: str, zone: str) -> str | None:
        instant = next((data[name] for name in names if data.get(name)), None)
        return words.moment(datetime.fromisoformat(instant), zone) if instant else None

    departs = at("estimated_departure_at", "scheduled_departure_at", zone=origin.time_zone)
    return {
        "flight": data["flight_number"],
        "origin": origin.city or origin.name,
        "destination": destination.city or destination.name,
        "scheduled": at("scheduled_departure_at", zone=origin.time_zone),
        "late_by": words.duration(timedelta(minutes=minutes)) if late else None,
        "late_departure": departs if late else None,
        "on_time": departs if "delay_minutes" in data and not late else None,
        "gate": data.get("gate"),
        "previous_gate": data.get("previous_gate"),
        "left": at("actual_departure_at", zone=origin.time_zone),
        "lands": at("estimated_arrival_at", "scheduled_arrival_at", zone=destination.time_zone),
        "landed": at("actual_arrival_at", zone=destination.time_zone),
    }


def facts(words: Wording, data: Row, values: Values) -> list[tuple[str, str]]:
    route = f"{data['flight_number']}, {data['origin']}-{data['destination']}"
    facts = [(words.words["flight"], route), (words.words["scheduled"], values["scheduled"] or "")]
    return [(words.words["reference"], data["pnr"]), *facts] if "pnr" in data else facts
