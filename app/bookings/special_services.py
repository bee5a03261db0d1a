"""What a traveller needs on board or on the way there, flight by flight: meals, assistance, animals.

They are requests to the airline and have no price: what a disability calls for may never cost anything.
"""

from collections import defaultdict
from itertools import chain
from typing import Any

from app.bookings.errors import InvalidService
from app.bookings.schemas import SPECIAL_SERVICES, ServiceIn
from app.core.db import Row
from app.core.errors import FieldProblem
from app.flights.service import public_id


def requested(position: int, services: list[ServiceIn], slices: list[list[Row]]) -> list[Row]:
    """One row for each service and flight of a passenger, of all flights where none is named.

    Raises InvalidService.
    """
    flights = {public_id(flight): flight["id"] for flight in chain(*slices)}
    rows: list[Row] = []
    for index, service in enumerate(services):
        pointer = f"/passengers/{position}/services/{index}"
        if SPECIAL_SERVICES[service.code]["needs_text"] and not service.text:
            raise _invalid(f"{pointer}/text", f"{service.code} needs a text that says more")
        for number, segment in enumerate(list(flights) if service.segments is None else service.segments):
            if segment not in flights:
                raise _invalid(f"{pointer}/segments/{number}", "Not a flight of this booking")
            row = {"code": service.code, "flight_id": flights[segment], "text": service.text}
            if any(_excludes(row, other) for other in rows):
                raise _invalid(pointer, f"Already asked for on {segment}, or another meal is")
            rows.append(row)
    return rows


def needs_assistance(passenger: Row, flight_id: int) -> bool:
    """Whether a passenger has asked for assistance on a flight, and so pays for no seat and sits at no exit."""
    return any(
        service["flight_id"] == flight_id and SPECIAL_SERVICES[service["code"]]["kind"] == "assistance"
        for service in passenger["services"]
    )


def shown(rows: list[Row], slices: list[list[Row]]) -> list[Row]:
    """A passenger's services by code, each with those of its flights that are flown, in their order."""
    flights = list(chain(*slices))
    order = {flight["id"]: place for place, flight in enumerate(flights)}
    grouped: dict[tuple[str, str | None], list[Any]] = defaultdict(list)
    flown = [row for row in rows if row["flight_id"] in order]
    for row in sorted(flown, key=lambda row: (row["code"], order[row["flight_id"]])):
        grouped[row["code"], row["text"]].append(public_id(flights[order[row["flight_id"]]]))
    return [
        {
            "code": code,
            "name": SPECIAL_SERVICES[code]["name"],
            "kind": SPECIAL_SERVICES[code]["kind"],
            "segments": segments,
            "text": text,
        }
        for (code, text), segments in grouped.items()
    ]


def _excludes(one: Row, other: Row) -> bool:
    """Nobody needs the same twice on a flight, or eats two meals instead of one."""
    meals = all(SPECIAL_SERVICES[row["code"]]["kind"] == "meal" for row in (one, other))
    return one["flight_id"] == other["flight_id"] and (one["code"] == other["code"] or meals)


def _invalid(pointer: str, message: str) -> InvalidService:
    return InvalidService(f"{message}.", errors=[FieldProblem(pointer, InvalidService.code, message)])
