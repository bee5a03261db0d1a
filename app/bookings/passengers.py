"""Who may travel together: types by age, infants and their adults, names that can be printed.

Ages count on the departure date of the last slice. Adult from 12, child from 2, infant under 2.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from app.bookings import names
from app.bookings.errors import (
    DuplicatePassenger,
    InfantTurnsTwo,
    InfantWithoutAdult,
    InvalidName,
    PassengersMismatch,
    TooManyInfants,
    TooManyPassengers,
    UnaccompaniedMinor,
)
from app.bookings.schemas import BookingIn, PassengerIn
from app.core.db import Row
from app.core.errors import CardNumberRefused, FieldProblem, Unprocessable
from app.core.text import holds_card_number
from app.fares.pricing import PASSENGER_TYPES

_AGES = {"adult": range(12, 121), "child": range(2, 12), "infant": range(2)}
_MOST_SEATED = 9
# Texts that are no people's: an offer is signed by us. A telephone number may well have the digits of a card.
_UNREAD = ("/offer_id", "/contact/phone")


def refuse_card_numbers(data: BookingIn) -> None:
    """Raises CardNumberRefused where a text could be a payment card's number, before anything is stored."""
    for pointer, text in _texts(data.model_dump(), ""):
        if pointer not in _UNREAD and holds_card_number(text):
            message = "Leave out numbers of payment cards"
            raise CardNumberRefused(errors=[FieldProblem(pointer, CardNumberRefused.code, message)])


def check(passengers: list[PassengerIn], counts: tuple[int, int, int]) -> None:
    """Raises TooManyPassengers, UnaccompaniedMinor, TooManyInfants, PassengersMismatch, InfantWithoutAdult,
    InvalidName, DuplicatePassenger.
    """
    _check_together(passengers)
    _check_counts(passengers, counts)
    _check_infants(passengers)
    _check_names(passengers)
    _check_duplicates(passengers)


def check_ages(passengers: list[PassengerIn], first_departure: date, last_departure: date) -> None:
    """Raises PassengersMismatch where somebody is not of the type they were priced as, and InfantTurnsTwo."""
    for index, passenger in enumerate(passengers):
        if _age(passenger.born_on, last_departure) in _AGES[passenger.type]:
            continue
        if passenger.type == "infant" and _age(passenger.born_on, first_departure) in _AGES["infant"]:
            message = f"Two years old by {last_departure.isoformat()}: travels as a child from the start"
            raise _named(InfantTurnsTwo, index, "born_on", message)
        message = f"Not of {passenger.type} age on {last_departure.isoformat()}"
        raise _named(PassengersMismatch, index, "born_on", message)


def stored(passenger: PassengerIn) -> Row:
    """A passenger as the database keeps them, but for what is about this booking."""
    return {
        "type": passenger.type,
        "title": passenger.title,
        "given_name": passenger.given_name,
        "family_name": passenger.family_name,
        "born_on": passenger.born_on.isoformat(),
        "gender": passenger.gender,
        "ticket_name": ticket_name(passenger),
        "loyalty": [membership.model_dump() for membership in passenger.loyalty],
    }


def ticket_name(passenger: PassengerIn) -> str:
    """The name on the ticket; what the passport's machine-readable lines say goes before what we derive."""
    return names.ticket_name(
        passenger.latin_family_name or passenger.family_name,
        passenger.latin_given_name or passenger.given_name,
    )


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Every text in a body, with its JSON pointer."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{pointer}/{index}")


def _check_together(passengers: list[PassengerIn]) -> None:
    """What no offer could be for."""
    places = {
        kind: [index for index, passenger in enumerate(passengers) if passenger.type == kind]
        for kind in PASSENGER_TYPES
    }
    seated = sorted(places["adult"] + places["child"])
    if len(seated) > _MOST_SEATED:
        raise _named(TooManyPassengers, seated[_MOST_SEATED], "type", "The tenth who needs a seat")
    if places["child"] and not places["adult"]:
        raise _named(UnaccompaniedMinor, places["child"][0], "type", "A child needs an adult with it")
    if len(places["infant"]) > len(places["adult"]):
        one_too_many = places["infant"][len(places["adult"])]
        raise _named(TooManyInfants, one_too_many, "type", "Each infant needs an adult of its own")


def _check_names(passengers: list[PassengerIn]) -> None:
    for index, passenger in enumerate(passengers):
        if passenger.given_name is None and passenger.latin_given_name is not None:
            raise _named(InvalidName, index, "latin_given_name", "There is no `given_name` that it is for")
        for field in ("given_name", "family_name"):
            name, latin = getattr(passenger, field), getattr(passenger, f"latin_{field}")
            if name is not None and not names.latin(latin or name):
                message = f"Give `latin_{field}`: the name as in the passport's machine-readable lines"
                raise _named(InvalidName, index, field, message)


def _check_counts(passengers: list[PassengerIn], counts: tuple[int, int, int]) -> None:
    named: Counter[str] = Counter(passenger.type for passenger in passengers)
    expected = dict(zip(PASSENGER_TYPES, counts, strict=True))
    if any(named[kind] != expected[kind] for kind in PASSENGER_TYPES):
        wanted = ", ".join(f"{count} {kind}" for kind, count in expected.items() if count)
        raise PassengersMismatch(
            f"The offer is for {wanted}.",
            errors=[FieldProblem("/passengers", "passengers_mismatch", f"Expected {wanted}")],
        )


def _check_infants(passengers: list[PassengerIn]) -> None:
    """An adult carries one infant at most; infants that name nobody go to adults who are free."""
    carriers = [p.infant_of for p in passengers if p.type == "infant" and p.infant_of is not None]
    for index, passenger in enumerate(passengers):
        if passenger.infant_of is None:
            continue
        adult = passenger.infant_of < len(passengers) and passengers[passenger.infant_of].type == "adult"
        if passenger.type != "infant" or not adult or carriers.count(passenger.infant_of) > 1:
            raise _named(InfantWithoutAdult, index, "infant_of", "Not the index of an adult with a free lap")


def assigned(passengers: list[PassengerIn]) -> list[int | None]:
    """For each passenger the adult who carries it, where it is an infant."""
    taken = {p.infant_of for p in passengers if p.infant_of is not None}
    free = iter([i for i, p in enumerate(passengers) if p.type == "adult" and i not in taken])
    return [
        None if p.type != "infant" else p.infant_of if p.infant_of is not None else next(free)
        for p in passengers
    ]


def _check_duplicates(passengers: list[PassengerIn]) -> None:
    seen: set[tuple[str, date]] = set()
    for index, p in enumerate(passengers):
        identity = (ticket_name(p), p.born_on)
        if identity in seen:
            raise _named(
                DuplicatePassenger,
                index,
                "given_name",
                "The same name and date of birth as another passenger",
            )
        seen.add(identity)


def _age(born_on: date, on: date) -> int:
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def _named(kind: type[Unprocessable], index: int, field: str, message: str) -> Unprocessable:
    return kind(message + ".", errors=[FieldProblem(f"/passengers/{index}/{field}", kind.code, message)])
