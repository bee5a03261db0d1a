"""Aircraft types, and the seats that they have until an operator says otherwise."""

import re
from typing import Any

import pytest

from app.aircraft import service
from app.offers.service import describe_aircraft
from tests.support.client import Client


@pytest.mark.parametrize(
    ("code", "icao"),
    [
        ("321", "A321"),
        ("32N", "A20N"),
        ("32Q", "A21N"),
        ("77W", "B77W"),
        ("789", "B789"),
        ("781", "B78X"),
        ("7M8", "B38M"),
        ("73H", "B738"),
        ("359", "A359"),
        ("388", "A388"),
        ("223", "BCS3"),
        ("AT7", "AT76"),
        ("DH4", "DH8D"),
        ("CR9", "CRJ9"),
        ("E90", "E190"),
        ("A320", "A320"),
        ("b77w", "B77W"),
    ],
)
def test_a_type_is_found_by_either_code(code: str, icao: str) -> None:
    """Schedules say `77W`, air traffic control says `B77W`."""
    found = service.find(code)
    assert found is not None
    assert found.icao == icao


def test_an_unknown_code_is_no_type() -> None:
    """Trains have equipment codes too."""
    assert service.find("TRN") is None
    assert service.name("") is None


def test_a_type_has_the_name_that_people_use() -> None:
    """With who made it."""
    assert service.name("77W") == "Boeing 777-300ER"
    assert service.name("A20N") == "Airbus A320neo"


def test_every_type_has_its_codes_and_its_seats() -> None:
    """No code means two types, and nobody flies without an economy cabin."""
    types = service.every()
    iata = [code for kind in types for code in kind.iata]

    assert len(types) >= 60
    assert len(iata) == len(set(iata))
    assert [kind for kind in types if not re.fullmatch("[A-Z][A-Z0-9]{2,3}", kind.icao)] == []
    assert [code for code in iata if not re.fullmatch("[A-Z0-9]{3}", code)] == []
    assert [
        kind for kind in types if not 5 < sum(kind.seats.values()) < 600 or not kind.seats["economy"]
    ] == []
    assert all(seats > 0 for kind in types for seats in kind.seats.values())


async def test_every_type_has_seats_for_sale(api: Client, sql: Any) -> None:
    """Since the API has started."""
    described = {row["aircraft_type"] for row in await sql("SELECT aircraft_type FROM aircraft_cabins")}

    assert {kind.icao for kind in service.every()} <= described


async def test_what_an_operator_says_of_a_type_stands(api: Client, sql: Any) -> None:
    """Other seats, and no business class; a type that is described again does not get it back."""
    kept = await sql("SELECT * FROM aircraft_cabins WHERE aircraft_type = 'A35K'")
    await sql("DELETE FROM aircraft_cabins WHERE aircraft_type = 'A35K' AND cabin <> 'economy'")
    await sql("UPDATE aircraft_cabins SET seats = 440 WHERE aircraft_type = 'A35K'")
    await describe_aircraft()
    after = await sql("SELECT cabin, seats FROM aircraft_cabins WHERE aircraft_type = 'A35K'")
    await sql("DELETE FROM aircraft_cabins WHERE aircraft_type = 'A35K'")
    for row in kept:
        await sql("INSERT INTO aircraft_cabins VALUES (:aircraft_type, :cabin, :seats)", **row)

    assert after == [{"cabin": "economy", "seats": 440}]


async def test_a_type_that_nobody_describes_gets_its_usual_seats(api: Client, sql: Any) -> None:
    """Once, however often it is asked for."""
    await sql("DELETE FROM aircraft_cabins WHERE aircraft_type = 'A388'")
    await describe_aircraft()
    await describe_aircraft()
    found = await sql("SELECT cabin, seats FROM aircraft_cabins WHERE aircraft_type = 'A388'")

    a388 = service.find("A388")
    assert a388 is not None
    assert {row["cabin"]: row["seats"] for row in found} == a388.seats
