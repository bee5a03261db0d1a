"""Schedules as CSV: strict about what a cell says, tolerant of how spreadsheets write."""

from datetime import timedelta
from typing import Any

import pytest

from app.schedules.errors import UnreadableSchedule
from tests.schedules.support import HEADER, codes, entries, legs, row, table
from tests.support.client import in_days


def test_a_line_is_a_leg() -> None:
    """Every column has its place."""
    [found] = legs(
        "csv",
        table(
            row(
                carrier="U2",
                number="0012B",
                origin="JFK",
                destination="LHR",
                departs="18:30",
                arrives="06:40+1",
                days="1.3.5..",
                aircraft="789",
                departure_terminal="4",
                arrival_terminal="5",
                codeshares="YY2101 X71",
            )
        ),
    )

    assert (found.line, found.carrier, found.number) == (2, "U2", "12B")
    assert (found.origin.iata, found.destination.iata) == ("JFK", "LHR")
    assert found.departs == timedelta(hours=18, minutes=30)
    assert found.arrives == timedelta(days=1, hours=6, minutes=40)
    assert (found.first, found.last, found.days) == (in_days(10), in_days(16), {1, 3, 5})
    assert (found.departure_terminal, found.arrival_terminal, found.aircraft) == ("4", "5", "B789")
    assert (found.codeshares, found.in_utc) == ({"YY2101", "X71"}, False)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + table(row()),
        table(row()).replace(b",", b";"),
        table(row()).replace(b"\n", b"\r\n"),
        table(row()).replace(b"OSL", b'"osl"'),
        b"\n" + table("", row(), ",,,,,,,,,,,,", ""),
        table(row(carrier=" zz ", days="1234567")),
        table(row(codeshares="YY1/YY2")),
        "\n".join(
            ",".join(reversed(line.split(","))) for line in table(row()).decode().splitlines()
        ).encode(),
    ],
    ids=["BOM", "semicolons", "CRLF", "quotes", "blank lines", "blanks", "strokes", "another order"],
)
def test_spreadsheets_may_write_as_they_do(content: bytes) -> None:
    """It says the same."""
    [found] = legs("csv", content)

    assert (found.carrier, found.number, found.origin.iata) == ("ZZ", "101", "OSL")


def test_optional_columns_may_be_missing() -> None:
    """The first nine say when a flight goes where."""
    lines = (",".join(line.split(",")[:9]) for line in table(row()).decode().splitlines())

    assert len(legs("csv", "\n".join(lines).encode())) == 1


def test_a_period_may_have_no_end() -> None:
    """The cell is empty."""
    [found] = legs("csv", table(row(to="")))

    assert found.last is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (table(row()).replace(b"days,", b""), "lacks columns: days"),
        (HEADER.encode() + b",price,gate\n", "2 columns that are not known"),
        (HEADER.encode() + b",carrier\n", "a column twice"),
        (table(row()).decode().encode("utf-16"), "not in UTF-8"),
        (b'carrier,"number\n', "cannot be read"),
        (b"\x00\x01\x02\n", "lacks columns"),
    ],
)
def test_a_table_with_another_header_is_no_schedule(content: bytes, says: str) -> None:
    """It is refused as a whole, and why is said."""
    with pytest.raises(UnreadableSchedule, match=says):
        entries("csv", content)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"carrier": "ZZZ"}, "bad_carrier"),
    ({"carrier": "12"}, "bad_carrier"),
    ({"number": "0"}, "bad_number"),
    ({"number": "12345"}, "bad_number"),
    ({"number": "١٢"}, "bad_number"),
    ({"origin": "XXQ"}, "unknown_airport"),
    ({"origin": "ENGM"}, "bad_airport"),
    ({"destination": "OSL"}, "same_airport"),
    ({"departs": "1000"}, "bad_time"),
    ({"departs": "9:30"}, "bad_time"),
    ({"departs": "10:00+1"}, "bad_time"),
    ({"arrives": "25:00"}, "bad_time"),
    ({"arrives": "10:55+3"}, "bad_time"),
    ({"arrives": ""}, "bad_time"),
    ({"from": "2027-02-30"}, "bad_date"),
    ({"from": "01.02.2027"}, "bad_date"),
    ({"from": "20270101"}, "bad_date"),
    ({"from": ""}, "bad_date"),
    ({"from": in_days(17)}, "period_reversed"),
    ({"days": ""}, "no_operating_day"),
    ({"days": "8"}, "bad_days"),
    ({"days": "11"}, "bad_days"),
    ({"days": "Monday"}, "bad_days"),
    ({"aircraft": "Airbus A320"}, "bad_aircraft"),
    ({"arrival_terminal": "T" * 11}, "bad_terminal"),
    ({"codeshares": "KLM123"}, "bad_flight"),
    ({"codeshares": "KL"}, "bad_flight"),
    ({"codeshares": '"KL1'}, "bad_quotes"),
    ({"codeshares": "KL1,KL2"}, "wrong_columns"),
    ({"codeshares": "K" * 5000}, "wrong_length"),
]


@pytest.mark.parametrize(("wrong", "code"), REFUSED)
def test_what_a_cell_cannot_say_is_refused_by_name(wrong: dict[str, Any], code: str) -> None:
    """The lines around it are read."""
    content = table(row(number="1"), row(**wrong), row(number="3"))

    assert codes("csv", content) == {3: code}
    assert [leg.number for leg in legs("csv", content)] == ["1", "3"]


def test_a_line_in_another_encoding_is_refused() -> None:
    """Latin-1 is not UTF-8."""
    content = table(row(number="1"), row(departure_terminal="Süd")).decode().encode("latin-1")

    assert codes("csv", content) == {3: "not_utf8"}
