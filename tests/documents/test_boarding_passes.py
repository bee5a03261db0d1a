"""Boarding passes as data, on a page and on paper."""

import base64
import re
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from app.documents import boarding
from tests.documents import papers
from tests.documents.bcbp_reader import decode
from tests.documents.support import ENGLISH, GERMAN, boarding_pass


def scanned(**changed: Any) -> dict[str, Any]:
    """What a gate reads from the picture."""
    [item] = boarding.view([boarding_pass(**changed)])
    picture = base64.b64decode(item["aztec"]["png"].removeprefix("data:image/png;base64,"))
    [found] = zxingcpp.read_barcodes(np.asarray(Image.open(BytesIO(picture))))
    assert found.text == item["bcbp"]
    return decode(found.text)


def test_the_gate_reads_who_flies_where() -> None:
    """All that the standard has a field for and that we know."""
    read = scanned(
        frequent_flyer=("ZZ", "123456789"), fast_track=True, document_verification="1", selectee="0"
    )

    assert read["name"] == "LOVELACE/ADA"
    assert read["once"] == {
        "passenger": "0",
        "check_in_source": "W",
        "source": "W",
        "issued_on": "6334",
        "document_type": "B",
        "issuer": "ZZ",
    }
    assert read["legs"] == [
        {
            "pnr": "K7QX2M",
            "origin": "JFK",
            "destination": "LHR",
            "carrier": "ZZ",
            "flight_number": "0101",
            "day_of_year": "335",
            "compartment": "K",
            "seat": "012A",
            "sequence": "0025",
            "passenger_status": "1",
            "airline_numeric_code": "000",
            "document_serial": "1234567890",
            "selectee": "0",
            "document_verification": "1",
            "marketing_carrier": "ZZ",
            "frequent_flyer_airline": "ZZ",
            "frequent_flyer_number": "123456789",
            "free_baggage": "2PC",
            "fast_track": "Y",
            "airline_use": "",
        }
    ]


def test_the_day_is_that_of_the_airport() -> None:
    """20:05 in New York is the next day already in UTC."""
    one = boarding_pass()

    assert one.departing_at.utctimetuple().tm_yday == 336
    assert scanned()["legs"][0]["day_of_year"] == "335"


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({"passenger_type": "infant", "seat": None}, "seat", "INF"),
        ({"booking_class": None, "cabin": "business"}, "compartment", "J"),
        ({"marketing_carrier": "X0"}, "marketing_carrier", "X0"),
        ({"checked_bags": 0}, "free_baggage", "0PC"),
    ],
)
def test_special_cases_are_told_as_the_standard_wants(changed: Any, field: str, value: str) -> None:
    """Laps, cabins without a class, codeshares, no bag."""
    assert scanned(**changed)["legs"][0][field] == value


@pytest.mark.parametrize(("kind", "code"), [("adult", "0"), ("child", "3"), ("infant", "4")])
def test_children_are_told_from_adults(kind: str, code: str) -> None:
    """By the passenger description."""
    assert scanned(passenger_type=kind)["once"]["passenger"] == code


def test_an_item_shows_what_a_telephone_needs() -> None:
    """Without working anything out itself."""
    [item] = boarding.view([boarding_pass(gate=None)])

    assert {name: item[name] for name in item if name not in ("aztec", "bcbp", "origin", "destination")} == {
        "pnr": "K7QX2M",
        "passenger": 0,
        "name": "Ada Lovelace",
        "ticket_name": "LOVELACE/ADA",
        "type": "adult",
        "slice": 0,
        "status": "C",
        "issued_at": "2026-11-30T20:10:00Z",
        "flight_id": "ZZ101-20261201-JFK",
        "flight_number": "ZZ101",
        "operated_by": "Sandbox Air",
        "departing_at": "2026-12-01T20:05:00-05:00",
        "arriving_at": "2026-12-02T08:05:00+00:00",
        "boarding_at": "2026-12-01T19:25:00-05:00",
        "gate": None,
        "terminal": "4",
        "seat": "12A",
        "sequence": 25,
        "cabin": "economy",
        "ticket_number": "0001234567890",
        "coupon": 1,
    }
    assert item["origin"]["iata"] == "JFK"
    assert item["aztec"]["svg"].startswith("<svg")


def test_paper_has_a_page_for_each_pass() -> None:
    """Named and dated; the same bytes again."""
    passes = [
        boarding_pass(),
        boarding_pass(name="Charles Babbage", ticket_name="BABBAGE/CHARLES", seat="12B"),
    ]

    made = boarding.pdf(passes, ENGLISH)

    reader = PdfReader(BytesIO(made))
    assert [
        name in page.extract_text() for page in reader.pages for name in ("Ada Lovelace", "Charles Babbage")
    ] == [True, False, False, True]
    assert reader.metadata is not None
    assert reader.metadata.title == "Boarding pass K7QX2M"
    assert boarding.pdf(passes, ENGLISH) == made


@pytest.mark.parametrize("medium", ["page", "paper"])
def test_a_pass_says_what_a_passenger_looks_for(medium: str) -> None:
    """Large: when to be where; and who flies."""
    passes = [boarding_pass(gate=None)]
    text = (
        papers.text(boarding.pdf(passes, ENGLISH))
        if medium == "paper"
        else page(boarding.html(passes, ENGLISH))
    )

    for said in (
        "19:25",
        "See the screens",
        "12A",
        "JFK",
        "LHR",
        "LOVELACE/ADA",
        "ZZ101",
        "Operated by Sandbox Air",
        "000-1234567890 / 1",
        "025",
    ):
        assert said in text


def page(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html)


def test_a_page_shows_the_barcode_and_no_markup_of_others() -> None:
    """Names are text."""
    made = boarding.html([boarding_pass(name="<script>alert(1)</script>")], GERMAN)

    assert "<svg " in made
    assert "<script" not in made
    assert "Bordkarte" in made
