"""AviationStack's rows with every trap met in the wild: one bad row costs one row."""

import copy
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from app.providers.aviationstack import records
from app.providers.base import FlightRecord

DAY = date(2026, 11, 23)
ROW: dict[str, Any] = {
    "flight_date": "2026-11-23",
    "flight_status": "scheduled",
    "departure": {
        "airport": "Singapore Changi",
        "timezone": "Asia/Singapore",
        "iata": "SIN",
        "icao": "WSSS",
        "terminal": "3",
        "gate": None,
        "delay": None,
        "scheduled": "2026-11-23T00:45:00+00:00",
        "estimated": "2026-11-23T00:50:00+00:00",
        "actual": None,
    },
    "arrival": {
        "airport": "Kingsford Smith",
        "timezone": "Australia/Sydney",
        "iata": "SYD",
        "icao": "YSSY",
        "terminal": "1",
        "gate": None,
        "baggage": None,
        "delay": None,
        "scheduled": "2026-11-23T11:40:00+00:00",
        "estimated": None,
        "actual": None,
    },
    "airline": {"name": "Singapore Airlines", "iata": "SQ", "icao": "SIA"},
    "flight": {"number": "231", "iata": "SQ231", "icao": "SIA231", "codeshared": None},
    "aircraft": {"registration": "9V-SMA", "iata": "A359", "icao": "A359", "icao24": "76CDA1"},
    "live": None,
}
OPERATING = {
    "airline_name": "singapore airlines",
    "airline_iata": "sq",
    "airline_icao": "sia",
    "flight_number": "231",
    "flight_iata": "sq231",
    "flight_icao": "sia231",
}
FUTURE: dict[str, Any] = {
    "weekday": "1",
    "departure": {
        "iataCode": "dub",
        "icaoCode": "eidw",
        "terminal": "2b",
        "gate": "",
        "scheduledTime": "15:20",
    },
    "arrival": {"iataCode": "jfk", "icaoCode": "kjfk", "terminal": "", "gate": "", "scheduledTime": "18:05"},
    "aircraft": {"modelCode": "a333", "modelText": "airbus a330-302"},
    "airline": {"name": "aer lingus", "iataCode": "ei", "icaoCode": "ein"},
    "flight": {"number": "105", "iataNumber": "ei105", "icaoNumber": "ein105"},
}
FUTURE_OPERATING = {
    "airline": {"name": "aer lingus", "iataCode": "ei", "icaoCode": "ein"},
    "flight": {"number": "105", "iataNumber": "ei105", "icaoNumber": "ein105"},
}
ABSENT = object()


def changed(row: dict[str, Any], **paths: Any) -> dict[str, Any]:
    """The row with `departure__scheduled=...` set, or removed where the value is ABSENT."""
    row = copy.deepcopy(row)
    for path, value in paths.items():
        *objects, name = path.split("__")
        place = row
        for one in objects:
            place = place[one]
        if value is ABSENT:
            del place[name]
        else:
            place[name] = value
    return row


def read(**paths: Any) -> FlightRecord:
    """The one flight of today's row, changed."""
    (record,) = records.flights([changed(ROW, **paths)])
    return record


def read_future(**paths: Any) -> FlightRecord:
    """The one flight of a later day's row, changed."""
    (record,) = records.future_flights([changed(FUTURE, **paths)], DAY)
    return record


def marketing(number: str = "5524", **paths: Any) -> dict[str, Any]:
    """The same flight as a partner sells it."""
    airline = {"name": "Virgin Australia", "iata": "VA", "icao": "VOZ"}
    flight = {"number": number, "iata": f"VA{number}", "icao": f"VOZ{number}", "codeshared": dict(OPERATING)}
    return changed(ROW, airline=airline, flight=flight, aircraft=None) | paths


def dropped(endpoint: str = "flights") -> float:
    labels = {"provider": "aviationstack", "endpoint": endpoint}
    return REGISTRY.get_sample_value("jetway_upstream_rows_dropped_total", labels) or 0


def test_a_complete_row_is_read_completely() -> None:
    """Without this, nothing below would prove anything."""
    record = read(departure__delay=5, arrival__baggage="7", departure__gate="B12")

    assert (record.carrier, record.number, record.status) == ("SQ", "231", "scheduled")
    assert (record.carrier_name, record.carrier_icao) == ("Singapore Airlines", "SIA")
    assert record.departure.iata == "SIN"
    assert record.departure.scheduled == datetime(2026, 11, 23, 0, 45)  # noqa: DTZ001
    assert record.departure.estimated == datetime(2026, 11, 23, 0, 50)  # noqa: DTZ001
    assert (record.departure.terminal, record.departure.gate, record.departure.delay_minutes) == (
        "3",
        "B12",
        5,
    )
    assert (record.arrival.iata, record.arrival.baggage_belt) == ("SYD", "7")
    assert record.aircraft_type == "A359"
    assert (record.aircraft_registration, record.aircraft_icao24) == ("9V-SMA", "76CDA1")
    assert record.codeshares == set()


@pytest.mark.parametrize(
    "stamp", ["+00:00", "Z", "z", "", "+08:00", "-0500", ".000", ".123456+00:00", "+11:00"]
)
def test_no_offset_is_believed(stamp: str) -> None:
    """The clock reading is local, whatever is stamped on it."""
    record = read(departure__scheduled=f"2026-11-23T00:45:00{stamp}")

    assert str(record.departure.scheduled) == "2026-11-23 00:45:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T00:45:00",
        "2026-11-23t00:45:00.000",
        "2026-11-23 00:45:00",
        "2026-11-23 00:45",
        " 2026-11-23T00:45 ",
    ],
)
def test_every_format_of_a_time_is_the_same_time(text: str) -> None:
    """Upper or lower case `t`, a space, with or without seconds."""
    assert str(read(departure__scheduled=text).departure.scheduled) == "2026-11-23 00:45:00"


def test_twenty_four_hours_is_the_next_midnight() -> None:
    """In both endpoints."""
    assert str(read(arrival__scheduled="2026-11-23T24:00:00").arrival.scheduled) == "2026-11-24 00:00:00"
    assert str(read_future(arrival__scheduledTime="24:00").arrival.scheduled) == "2026-11-24 00:00:00"


@pytest.mark.parametrize("text", ["20:00", "20:00:00"])
def test_a_time_without_a_date_is_on_the_day_asked_for(text: str) -> None:
    """And marked, so that the landing's day can be found."""
    departure = read_future(departure__scheduledTime=text).departure

    assert (str(departure.scheduled), departure.scheduled_time_only) == ("2026-11-23 20:00:00", True)


@pytest.mark.parametrize("text", ["2026-11-24 20:00:00", "2026-11-24t20:00:00.000"])
def test_a_time_with_a_date_keeps_it(text: str) -> None:
    """Also on the day after the one asked for."""
    arrival = read_future(arrival__scheduledTime=text).arrival

    assert (str(arrival.scheduled), arrival.scheduled_time_only) == ("2026-11-24 20:00:00", False)


NONSENSE = ["0000-00-00", "0000-00-00T00:00:00+00:00", "2019-02-31T10:00:00", "2026-11-23T25:00:00", "soon"]
NONSENSE += [
    "2026-11-23T10:60:00",
    "2026-11-23T24:01:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T24:00:00",
    "-",
    7,
]


@pytest.mark.parametrize("text", [*NONSENSE, "", None, [], {}])
def test_a_time_that_cannot_be_is_unknown(text: Any) -> None:
    """Unimportant ones cost nothing."""
    record = read(departure__estimated=text, arrival__actual=text)

    assert (record.departure.estimated, record.arrival.actual) == (None, None)


@pytest.mark.parametrize("side", ["departure", "arrival"])
@pytest.mark.parametrize("text", [*NONSENSE, "", None])
def test_a_row_without_a_scheduled_time_is_dropped_and_counted(side: str, text: Any) -> None:
    """On either end."""
    before = dropped()

    assert records.flights([changed(ROW, **{f"{side}__scheduled": text})]) == []
    assert dropped() == before + 1


@pytest.mark.parametrize("nothing", [None, {}, "", [], 0, ABSENT])
@pytest.mark.parametrize("name", ["aircraft", "live", "flight_status", "flight_date"])
def test_what_is_not_essential_may_be_missing(name: str, nothing: Any) -> None:
    """Null, empty, of another type, or not there at all."""
    assert read(**{name: nothing}).number == "231"


@pytest.mark.parametrize("nothing", [None, {}, "", [], "text", ABSENT])
@pytest.mark.parametrize("name", ["departure", "arrival", "airline", "flight"])
def test_what_is_essential_may_not_be_missing(name: str, nothing: Any) -> None:
    """The row is dropped and counted; no exception leaves the reader."""
    before = dropped()

    assert records.flights([changed(ROW, **{name: nothing})]) == []
    assert dropped() == before + 1


@pytest.mark.parametrize("zone", [None, "Nowhere/Atlantis", ABSENT])
def test_the_providers_zone_is_not_needed(zone: Any) -> None:
    """Airports bring their own."""
    assert read(departure__timezone=zone, departure__airport=None).departure.iata == "SIN"


MINUTES = [("15", 15), (15, 15), (15.0, 15), ("15.0", 15), (0, 0), (-3, -3), ("", None), ("null", None)]
MINUTES += [
    ("N/A", None),
    (None, None),
    ("nan", None),
    ("inf", None),
    (1e300, None),
    (10**12, None),
    ([], None),
]


@pytest.mark.parametrize(("value", "minutes"), MINUTES)
def test_minutes_come_in_any_type(value: Any, minutes: int | None) -> None:
    """What no delay can be is unknown; a column would overflow."""
    assert read(departure__delay=value).departure.delay_minutes == minutes


@pytest.mark.parametrize("number", ["231", 231, " 231 "])
def test_a_flight_number_may_be_a_number(number: Any) -> None:
    """It is text to us."""
    assert read(flight__number=number).number == "231"


@pytest.mark.parametrize(("number", "kept"), [("0231", "0231"), ("231a", "231A"), ("7", "7")])
def test_zeros_and_suffixes_of_a_flight_number_are_kept(number: str, kept: str) -> None:
    """They are part of the flight's identity."""
    assert read(flight__number=number).number == kept


@pytest.mark.parametrize(
    ("path", "value"),
    [("flight__number", bad) for bad in ("", None, "null", "12345", "AB", "2 31", "-1", {}, True)]
    + [("airline__iata", bad) for bad in ("", None, "N/A", "SQX", "S", "12", "S?", [])]
    + [
        (f"{side}__iata", bad)
        for side in ("departure", "arrival")
        for bad in ("", None, "??", "SI", "WSSS", "S1N", 5)
    ],
)
def test_a_row_with_an_impossible_code_is_dropped(path: str, value: Any) -> None:
    """Carrier, number and places make a flight; without one of them there is none."""
    before = dropped()

    assert records.flights([changed(ROW, **{path: value})]) == []
    assert dropped() == before + 1


def test_codes_come_in_any_case() -> None:
    """Both endpoints, all codes."""
    record = read(airline__iata="sQ", airline__icao="sia", departure__iata="sin", aircraft__icao24="76cda1")
    later = read_future()

    assert (record.carrier, record.carrier_icao, record.departure.iata) == ("SQ", "SIA", "SIN")
    assert record.aircraft_icao24 == "76CDA1"
    assert (later.carrier, later.departure.iata, later.arrival.iata) == ("EI", "DUB", "JFK")
    assert (later.aircraft_type, later.departure.terminal, later.carrier_icao) == ("A333", "2B", "EIN")


def test_a_name_in_lower_case_is_written_as_a_name() -> None:
    """`aer lingus` is how the schedule of later days spells it."""
    assert read_future().carrier_name == "Aer Lingus"


@pytest.mark.parametrize("empty", ["", " ", None, "null", "N/A", "None", "\x00\x07", [], {}, 1.5, True])
def test_empty_texts_are_null(empty: Any) -> None:
    """In all the ways a vendor can write it."""
    record = read(
        departure__terminal=empty, departure__gate=empty, arrival__baggage=empty, airline__name=empty
    )

    assert (record.departure.terminal, record.departure.gate, record.arrival.baggage_belt) == (
        None,
        None,
        None,
    )
    assert record.carrier_name is None


def test_the_other_aircraft_code_helps_out() -> None:
    """The vendor writes ICAO types under `iata`, too."""
    assert read(aircraft__icao=None).aircraft_type == "A359"
    assert read(aircraft__icao="airbus", aircraft__iata="").aircraft_type is None


STATUSES: list[tuple[Any, str]] = [
    ("scheduled", "scheduled"),
    ("active", "departed"),
    ("ACTIVE", "departed"),
    ("landed", "landed"),
    ("cancelled", "cancelled"),
    ("diverted", "diverted"),
    ("redirected", "diverted"),
    *((other, "unknown") for other in ("incident", "taxiing", "", None, 3, [])),
]


@pytest.mark.parametrize(("status", "ours"), STATUSES)
def test_a_status_is_one_of_ours_or_unknown(status: Any, ours: str) -> None:
    """A new word of the vendor is no failure."""
    assert read(flight_status=status).status == ours


def test_marketing_rows_fold_onto_the_operating_flight() -> None:
    """One aircraft, one flight, however many numbers it is sold under."""
    (record,) = records.flights([ROW, marketing("5524"), marketing("5525")])

    assert (record.carrier, record.number) == ("SQ", "231")
    assert record.codeshares == {"VA5524", "VA5525"}
    assert record.aircraft_registration == "9V-SMA"
    assert record.carrier_name == "Singapore Airlines"


def test_the_order_of_rows_does_not_matter() -> None:
    """The operating row knows more, even when it comes last."""
    (record,) = records.flights([marketing("5524"), ROW, marketing("5525")])

    assert record.codeshares == {"VA5524", "VA5525"}
    assert (record.aircraft_registration, record.carrier_name) == ("9V-SMA", "Singapore Airlines")


def test_a_marketing_row_alone_proves_the_operating_flight() -> None:
    """Its operating row may be on a page that never comes."""
    (record,) = records.flights([marketing()])

    assert (record.carrier, record.number, record.carrier_icao) == ("SQ", "231", "SIA")
    assert record.carrier_name is None
    assert record.codeshares == {"VA5524"}


def test_a_codeshare_may_be_a_list() -> None:
    """Documented as one or more; the first is who flies."""
    row = marketing()
    row["flight"]["codeshared"] = [dict(OPERATING), {"airline_iata": "xx"}]

    assert records.flights([row])[0].carrier == "SQ"


def test_a_codeshare_may_stand_at_the_top_of_the_row() -> None:
    """As it does in the vendor's other endpoints."""
    row = marketing(codeshared=dict(OPERATING))
    row["flight"]["codeshared"] = None

    assert records.flights([row])[0].carrier == "SQ"


@pytest.mark.parametrize("nothing", [None, {}, [], "", [None], "sq231", [[]]])
def test_an_empty_codeshare_is_none(nothing: Any) -> None:
    """The row is the operating flight's own."""
    record = read(flight__codeshared=nothing)

    assert (record.carrier, record.codeshares) == ("SQ", set())


def test_a_later_days_codeshare_is_nested_differently() -> None:
    """And absent, not null, where there is none."""
    sold = changed(
        FUTURE, airline={"name": "jetblue", "iataCode": "b6", "icaoCode": "jbu"}, flight__number="6102"
    )
    sold["codeshared"] = FUTURE_OPERATING

    for rows in ([sold], [sold, FUTURE], [FUTURE, sold]):
        (record,) = records.future_flights(rows, DAY)
        assert (record.carrier, record.number, record.carrier_name) == ("EI", "105", "Aer Lingus")
        assert record.codeshares == {"B66102"}


def test_a_number_that_flies_twice_a_day_is_two_flights() -> None:
    """Two legs, or one leg at two times."""
    onward = changed(
        ROW, departure__iata="SYD", arrival__iata="AKL", departure__scheduled="2026-11-23T13:00:00"
    )
    tomorrow = changed(
        ROW, departure__scheduled="2026-11-24T00:45:00", arrival__scheduled="2026-11-24T11:40:00"
    )

    assert len(records.flights([ROW, onward, tomorrow])) == 3


def test_the_same_row_twice_is_one_flight() -> None:
    """Pages overlap when rows are added between two calls."""
    assert len(records.flights([ROW, copy.deepcopy(ROW)])) == 1


def test_control_characters_and_markup_are_only_text() -> None:
    """Shown as data, without what would break a line or a database."""
    record = read(airline__name="<b>Sing\x00a\npore</b>", departure__gate="B\x1b1")

    assert record.carrier_name == "<b>Singapore</b>"
    assert record.departure.gate == "B1"


def test_endless_texts_are_left_out() -> None:
    """A name of megabytes is no name."""
    record = read(
        airline__name="x" * 5_000_000, departure__terminal="T" * 11, aircraft__registration="9" * 500
    )

    assert (record.carrier_name, record.departure.terminal, record.aircraft_registration) == (
        None,
        None,
        None,
    )


def test_deep_nesting_is_no_text() -> None:
    """Neither read nor followed."""
    deep: Any = "bottom"
    for _ in range(500):
        deep = {"deeper": deep}

    assert read(airline__name=deep, departure__gate=[deep]).carrier_name is None


def test_bad_rows_cost_themselves_not_the_page() -> None:
    """Every one is counted."""
    before = dropped()
    senseless: list[Any] = [
        None,
        "unexpected",
        7,
        [],
        {},
        {"flight": 5},
        changed(ROW, departure={"iata": "??"}),
    ]

    found = records.flights([*senseless, ROW, *senseless, marketing()])

    assert [record.number for record in found] == ["231"]
    assert dropped() == before + 2 * len(senseless)


def test_bad_rows_of_a_later_day_are_counted_apart() -> None:
    """So that an operator sees which endpoint went bad."""
    before = dropped("flightsFuture")

    assert len(records.future_flights([{}, FUTURE, {"departure": None}], DAY)) == 1
    assert dropped("flightsFuture") == before + 2


def test_airlines_need_a_designator_and_a_name() -> None:
    """The first row of a designator wins; all else may be missing."""
    rows: list[dict[str, Any]] = [
        {"iata_code": "sq", "airline_name": "Singapore Airlines", "icao_code": "SIA", "country_iso2": "sg"},
        {"iata_code": "SQ", "airline_name": "Somebody Else"},
        {"iata_code": "", "airline_name": "No Code"},
        {"iata_code": "XX", "airline_name": None},
        {
            "iata_code": "0W",
            "airline_name": "Wisteria",
            "status": "disabled",
            "icao_code": "?",
            "callsign": "",
        },
    ]

    first, second = records.airlines(rows)

    assert (first.iata, first.name, first.icao, first.country, first.active) == (
        "SQ",
        "Singapore Airlines",
        "SIA",
        "SG",
        True,
    )
    assert (second.iata, second.icao, second.callsign, second.active) == ("0W", None, None, False)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(NONSENSE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
places = [
    f"{side}__{name}"
    for side in ("departure", "arrival")
    for name in ("iata", "terminal", "gate", "delay", "scheduled", "estimated", "actual")
] + [
    "airline__iata",
    "airline__name",
    "flight__number",
    "flight__codeshared",
    "aircraft__icao",
    "flight_status",
]


@given(st.dictionaries(st.sampled_from([*places, "departure", "airline", "aircraft"]), anything, max_size=4))
def test_no_row_whatever_is_in_it_stops_the_page(paths: dict[str, Any]) -> None:
    """Whole objects first, so that what is inside them can be replaced."""
    row = copy.deepcopy(ROW)
    for path, value in sorted(paths.items(), key=lambda one: one[0].count("__")):
        place, _, name = path.rpartition("__")
        target = row[place] if place else row
        if isinstance(target, dict):
            target[name] = value

    found = records.flights([row, changed(ROW, flight__number="999")])

    assert "999" in {record.number for record in found}
