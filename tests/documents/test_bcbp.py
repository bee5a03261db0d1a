"""The text of boarding passes, read back by the tables of the standard."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents.bcbp import Issue, Leg, encode, printed_name
from tests.documents.bcbp_reader import decode

LUC = Leg(
    pnr="ABC123",
    origin="YUL",
    destination="FRA",
    carrier="AC",
    flight_number="834",
    date=date(2027, 11, 22),
    compartment="J",
    seat="1A",
    sequence=25,
)


def text(size: int, alphabet: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=size, max_size=size)


def perhaps(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LEGS = st.builds(
    Leg,
    pnr=st.integers(5, 7).flatmap(text),
    origin=text(3, LETTERS),
    destination=text(3, LETTERS),
    carrier=st.integers(2, 3).flatmap(text),
    flight_number=st.from_regex(r"[1-9][0-9]{0,3}[A-Z]?", fullmatch=True),
    date=st.dates(date(2024, 1, 1), date(2032, 12, 31)),
    compartment=text(1, LETTERS),
    seat=perhaps(st.just("INF") | st.from_regex(r"[1-9][0-9]{0,2}[A-K]", fullmatch=True)),
    sequence=perhaps(st.integers(1, 9999)),
    passenger_status=text(1, "0123456789"),
    ticket_number=perhaps(text(13, "0123456789")),
    selectee=perhaps(text(1, "0123")),
    document_verification=perhaps(text(1, "012")),
    marketing_carrier=perhaps(text(2)),
    frequent_flyer_airline=perhaps(text(2)),
    frequent_flyer_number=perhaps(st.integers(1, 16).flatmap(text)),
    discount=perhaps(text(1)),
    free_baggage=perhaps(st.sampled_from(["1PC", "2PC", "20K", "30K"])),
    fast_track=perhaps(st.booleans()),
    airline_use=st.integers(0, 60).flatmap(text),
)
ISSUES = st.builds(
    Issue,
    passenger=perhaps(text(1, "012345678")),
    check_in_source=perhaps(text(1, "WKRMOTV")),
    source=perhaps(text(1, "WKXRMOTV")),
    issued_on=perhaps(st.dates(date(2024, 1, 1), date(2032, 12, 31))),
    document_type=perhaps(st.sampled_from("BI")),
    issuer=perhaps(text(2)),
    bag_tags=st.lists(text(13, "0123456789"), max_size=3).map(tuple),
)
NAMES = st.tuples(
    st.integers(1, 30).flatmap(lambda n: text(n, LETTERS)),
    st.integers(1, 30).flatmap(lambda n: text(n, LETTERS)),
)


def test_the_standards_example_is_reproduced() -> None:
    """The vector of Resolution 792, to the letter."""
    assert encode("DESMARAIS/LUC", [LUC]) == "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100"


@settings(max_examples=40, deadline=None)
@given(name=NAMES, legs=st.lists(LEGS, min_size=1, max_size=4), issue=perhaps(ISSUES))
def test_what_is_written_is_read_back(name: tuple[str, str], legs: list[Leg], issue: Issue | None) -> None:
    """One to four legs, with all that may be left out given or not."""
    read = decode(encode("/".join(name), legs, issue))

    assert read["name"] == printed_name("/".join(name))
    assert [expected(leg) for leg in legs] == [
        found | {"airline_use": found.get("airline_use", "")} for found in read["legs"]
    ]
    assert read.get("once", {}) == (once(issue) if issue else {})


def expected(leg: Leg) -> dict[str, str]:
    """What a reader finds, worked out here anew."""
    digits = leg.flight_number.rstrip(LETTERS)
    seat = leg.seat if leg.seat in (None, "INF") else f"{leg.seat:0>4}"
    ticket = leg.ticket_number or ""
    fields = {
        "pnr": leg.pnr,
        "origin": leg.origin,
        "destination": leg.destination,
        "carrier": leg.carrier,
        "flight_number": f"{int(digits):04d}" + leg.flight_number[len(digits) :],
        "day_of_year": f"{(leg.date - date(leg.date.year, 1, 1)).days + 1:03d}",
        "compartment": leg.compartment,
        "seat": seat,
        "sequence": leg.sequence and f"{leg.sequence:04d}",
        "passenger_status": leg.passenger_status,
        "airline_numeric_code": ticket[:3],
        "document_serial": ticket[3:],
        "selectee": leg.selectee,
        "document_verification": leg.document_verification,
        "marketing_carrier": leg.marketing_carrier,
        "frequent_flyer_airline": leg.frequent_flyer_airline,
        "frequent_flyer_number": leg.frequent_flyer_number,
        "discount": leg.discount,
        "free_baggage": leg.free_baggage,
        "fast_track": {None: None, True: "Y", False: "N"}[leg.fast_track],
    }
    return {name: value for name, value in fields.items() if value} | {"airline_use": leg.airline_use}


def once(issue: Issue) -> dict[str, str]:
    day = issue.issued_on
    fields = {
        "passenger": issue.passenger,
        "check_in_source": issue.check_in_source,
        "source": issue.source,
        "issued_on": day and str(day.year)[-1] + f"{(day - date(day.year, 1, 1)).days + 1:03d}",
        "document_type": issue.document_type,
        "issuer": issue.issuer,
        **dict(zip(("bag_tag", "second_bag_tag", "third_bag_tag"), issue.bag_tags, strict=False)),
    }
    return {name: value for name, value in fields.items() if value}


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (date(2027, 1, 1), "001"),
        (date(2028, 2, 29), "060"),
        (date(2028, 3, 1), "061"),
        (date(2027, 3, 1), "060"),
        (date(2028, 12, 31), "366"),
        (date(2027, 12, 31), "365"),
    ],
)
def test_days_are_counted_in_leap_years_too(day: date, number: str) -> None:
    """29 February is a day like others."""
    assert decode(encode("DESMARAIS/LUC", [replace(LUC, date=day)]))["legs"][0]["day_of_year"] == number


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("LOVELACE/ADA", "LOVELACE/ADA"),
        ("LOVELACE/ADA AUGUSTA KING", "LOVELACE/ADA AUGUSTA"),
        ("MONTGOMERY SMITH/ELIZABETH", "MONTGOMERY SMITH/ELI"),
        ("WOLFESCHLEGELSTEINHAUSEN/HUBERT", "WOLFESCHLEGELSTEIN/H"),
        ("ABCDEFGHIJKLMN/OPQR STUV", "ABCDEFGHIJKLMN/OPQR"),
        ("SUKARNO", "SUKARNO"),
    ],
)
def test_the_given_name_gives_way_first(name: str, printed: str) -> None:
    """Twenty characters; an initial at least is left of it."""
    assert printed_name(name) == printed


@given(NAMES)
def test_a_cut_name_fits_and_keeps_both_parts(name: tuple[str, str]) -> None:
    """Its family name is shortened only where the given name is an initial already."""
    cut = printed_name("/".join(name))
    family, given = cut.split("/")

    assert len(cut) <= 20
    assert name[0].startswith(family)
    assert name[1].startswith(given)
    assert given
    assert family == name[0] or len(given) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"pnr": "ABC12345"},
        {"flight_number": "12345"},
        {"flight_number": "AC834"},
        {"seat": "A12"},
        {"ticket_number": "123"},
        {"origin": "ZÜRI"[:3]},
        {"sequence": 100000},
        {"airline_use": "X" * 250},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_has_no_place_is_refused(wrong: dict[str, Any]) -> None:
    """Nothing is cut that a gate would then read wrongly."""
    with pytest.raises(ValueError, match=r"\w"):
        encode("DESMARAIS/LUC", [replace(LUC, **wrong)])


@pytest.mark.parametrize("legs", [0, 5])
def test_there_are_one_to_four_legs(legs: int) -> None:
    """More go on a second pass."""
    with pytest.raises(ValueError, match="legs"):
        encode("DESMARAIS/LUC", [LUC] * legs)
