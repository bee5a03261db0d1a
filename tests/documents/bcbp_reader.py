"""A reader of IATA's boarding pass text, written from the standard's tables of fields and driven by their lengths.

It shares nothing with the writer: it walks over the text and believes only the sizes it finds in it.
"""

from typing import Any

FIRST = (("format", 1), ("legs", 1), ("name", 20), ("electronic_ticket", 1))
OF_EACH_LEG = (
    ("pnr", 7),
    ("origin", 3),
    ("destination", 3),
    ("carrier", 3),
    ("flight_number", 5),
    ("day_of_year", 3),
    ("compartment", 1),
    ("seat", 4),
    ("sequence", 5),
    ("passenger_status", 1),
)
ONCE = (
    ("passenger", 1),
    ("check_in_source", 1),
    ("source", 1),
    ("issued_on", 4),
    ("document_type", 1),
    ("issuer", 3),
    ("bag_tag", 13),
    ("second_bag_tag", 13),
    ("third_bag_tag", 13),
)
REPEATED = (
    ("airline_numeric_code", 3),
    ("document_serial", 10),
    ("selectee", 1),
    ("document_verification", 1),
    ("marketing_carrier", 3),
    ("frequent_flyer_airline", 3),
    ("frequent_flyer_number", 16),
    ("discount", 1),
    ("free_baggage", 3),
    ("fast_track", 1),
)


class Tape:
    """Text that is read from front to back."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def take(self, length: int) -> str:
        piece = self.text[self.at : self.at + length]
        assert len(piece) == length, f"the text ends inside a field of {length}"
        self.at += length
        return piece

    def sized(self) -> "Tape":
        return Tape(self.take(int(self.take(2), 16)))

    @property
    def ended(self) -> bool:
        return self.at == len(self.text)

    def fields(self, table: tuple[tuple[str, int], ...]) -> dict[str, str]:
        """Fields in order, until the text ends; those of blanks are left out."""
        found: dict[str, str] = {}
        for name, width in table:
            if self.ended:
                break
            if value := self.take(width).rstrip():
                found[name] = value
        return found


def decode(text: str) -> dict[str, Any]:
    """Everything in the text; fails on whatever is left over."""
    tape = Tape(text)
    found: dict[str, Any] = tape.fields(FIRST)
    assert found["format"] == "M"
    legs = []
    for number in range(int(found["legs"])):
        leg: dict[str, Any] = tape.fields(OF_EACH_LEG)
        more = tape.sized()
        if number == 0 and not more.ended:
            assert more.take(1) == ">"
            found["version"] = more.take(1)
            once = more.sized()
            found["once"] = once.fields(ONCE)
            assert once.ended
        if not more.ended:
            repeated = more.sized()
            leg |= repeated.fields(REPEATED)
            assert repeated.ended
            leg["airline_use"] = more.take(len(more.text) - more.at)
        legs.append(leg)
    assert tape.ended
    return found | {"legs": legs}
