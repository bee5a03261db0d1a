"""Who may travel together: types by age, infants and their adults, names that can be printed.

Ages count on the departure date of the last slice. Adult from 12, child from 2, infant under 2.
"""

import unicodedata
from collections import Counter
from datetime import date

from app.bookings.errors import DuplicatePassenger, InfantWithoutAdult, InvalidName, PassengersMismatch
from app.bookings.schemas import PassengerIn
from app.core.db import Row
from app.core.errors import FieldProblem
from app.fares.pricing import PASSENGER_TYPES

_AGES = {"adult": range(12, 121), "child": range(2, 12), "infant": range(2)}
# Letters whose Latin form is more than a letter without its accent (ICAO 9303-3, section 6).
_TRANSLITERATED = str.maketrans(
    {
        "Æ": "AE",
        "Ø": "OE",
        "Œ": "OE",
        "ẞ": "SS",
        "ß": "SS",
        "Þ": "TH",
        "Ð": "D",
        "Đ": "D",
        "Ł": "L",
        "Ħ": "H",
        "Ŋ": "N",
        "Ŧ": "T",
        "İ": "I",
        "ı": "I",  # noqa: RUF001  Turkish dotless i.
    }
)


def check(passengers: list[PassengerIn], counts: tuple[int, int, int]) -> None:
    """Raises PassengersMismatch, InfantWithoutAdult, DuplicatePassenger, InvalidName."""
    _check_counts(passengers, counts)
    _check_infants(passengers)
    _check_duplicates(passengers)
    for index, passenger in enumerate(passengers):
        for field in ("given_name", "family_name"):
            if not ticket_name(getattr(passenger, field)):
                raise _named(
                    InvalidName,
                    index,
                    field,
                    "Write the name in Latin letters, as on the passport's last line",
                )


def check_ages(passengers: list[PassengerIn], last_departure: date) -> None:
    """Raises PassengersMismatch where somebody is not of the type they were priced as."""
    for index, passenger in enumerate(passengers):
        age = _age(passenger.born_on, last_departure)
        if age not in _AGES[passenger.type]:
            raise _named(
                PassengersMismatch,
                index,
                "born_on",
                f"Not of {passenger.type} age on {last_departure.isoformat()}",
            )


def ticket_name(name: str) -> str:
    """A name as tickets print it: upper-case A to Z and spaces; empty where nothing can be derived."""
    upper = name.upper().translate(_TRANSLITERATED)
    plain = unicodedata.normalize("NFKD", upper)
    spaced = "".join(c if "A" <= c <= "Z" else " " if c in " -" else "" for c in plain)
    return " ".join(spaced.split())


def ticket_name_of(passenger: Row) -> str:
    """Family name and given name as a ticket has them: `LOVELACE/ADA`."""
    return "/".join(ticket_name(passenger[part]) for part in ("family_name", "given_name"))


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
    seen: set[tuple[str, str, date]] = set()
    for index, p in enumerate(passengers):
        identity = (ticket_name(p.given_name), ticket_name(p.family_name), p.born_on)
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


def _named(
    kind: type[PassengersMismatch | InfantWithoutAdult | DuplicatePassenger | InvalidName],
    index: int,
    field: str,
    message: str,
) -> Exception:
    return kind(message + ".", errors=[FieldProblem(f"/passengers/{index}/{field}", kind.code, message)])
