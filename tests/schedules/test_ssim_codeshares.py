"""Numbers under which a flight is sold too: named with the flight, or by legs that are no flights of their own."""

from typing import Any

from tests.schedules.support import Ssim, codes, legs, load
from tests.support.client import in_days


async def codeshares(sql: Any, carrier: str, number: str = "101") -> list[list[str]]:
    """Of each flight, by date."""
    found = await sql(
        "SELECT codeshares FROM flights WHERE carrier = :carrier AND number = :number ORDER BY departure_date",
        carrier=carrier,
        number=number,
    )
    return [flight["codeshares"] for flight in found]


def test_the_operating_leg_names_its_other_numbers() -> None:
    """Eight characters each, between strokes; those of longer segments are not this leg's."""
    made = Ssim().header().carrier().leg().data("010", "KL 2562 /B6    1 /LH    3A")
    made.data("010", "DL  999", points="OSLTRD").data("127", "OPERATED BY A FRIEND").trailer()

    [found] = legs("ssim", made.encoded())

    assert found.codeshares == {"KL2562", "B61", "LH3A"}
    assert found.sold_on is None


def test_a_number_that_cannot_be_read_costs_no_flight() -> None:
    """Its line is named."""
    made = Ssim().header().carrier().leg().data("010", "KLM2562").trailer()

    assert len(legs("ssim", made.encoded())) == 1
    assert codes("ssim", made.encoded()) == {4: "bad_flight"}


def test_data_without_end_fill_no_memory() -> None:
    """Five hundred are more than any flight has partners."""
    made = Ssim().header().carrier().leg()
    for _ in range(501):
        made.data("010", "KL 2562").data("170", "A")
    made.trailer()

    assert codes("ssim", made.encoded()) == {1004: "too_many_data"}
    assert legs("ssim", made.encoded())[0].codeshares == {"KL2562"}


def test_the_marketing_leg_names_the_flight_it_is_sold_on() -> None:
    """By data element 050."""
    made = Ssim().header().carrier("KL").leg(carrier="KL", number="2562", disclosure="L")
    made.data("050", "ZZ  101").trailer("KL")

    [found] = legs("ssim", made.encoded())

    assert found.sold_on == ("ZZ", "101")


def test_a_leg_sold_on_a_flight_that_is_not_named_is_refused() -> None:
    """It is no flight of its own, and nobody knows whose it is."""
    for disclosure in "LZ":
        made = Ssim().header().carrier().leg(disclosure=disclosure).data("127", "A FRIEND").trailer()
        assert codes("ssim", made.encoded()) == {3: "operating_flight_missing"}


def test_a_wet_lease_is_the_carriers_own_flight() -> None:
    """Whoever the crew is."""
    for disclosure in "SX":
        made = Ssim().header().carrier().leg(disclosure=disclosure).data("127", "A FRIEND").trailer()
        assert [leg.sold_on for leg in legs("ssim", made.encoded())] == [None]


async def test_a_marketing_leg_is_folded_onto_its_flight(sql: Any, carrier: str) -> None:
    """Also if it comes before it in the file; it is no flight itself."""
    made = Ssim().header().carrier("KL").leg(carrier="KL", number="2562", disclosure="L", last=in_days(12))
    made.data("050", f"{carrier}  101").trailer("KL", end="C")
    made.carrier(carrier).leg(carrier=carrier).data("010", "AF 1234").trailer(carrier)

    report = await load("ssim", made.encoded())

    assert (report["flights"], report["codeshares"], report["refused"]) == (7, 3, 0)
    both, one = ["AF1234", "KL2562"], ["AF1234"]
    assert await codeshares(sql, carrier) == [both, both, both, one, one, one, one]
    assert await codeshares(sql, "KL", "2562") == []

    again = await load("ssim", made.encoded())
    assert (again["unchanged"], again["changed"], again["codeshares"]) == (7, 0, 0)


async def test_a_marketing_leg_of_a_flight_nobody_knows_is_named(sql: Any, carrier: str) -> None:
    """Until somebody brings the flight."""
    sold = Ssim().header().carrier("KL").leg(carrier="KL", number="77").data("050", f"{carrier}  101")
    content = sold.trailer("KL").encoded()

    before = await load("ssim", content)
    await load("ssim", Ssim().header().carrier(carrier).leg(carrier=carrier).trailer(carrier).encoded())
    after = await load("ssim", content)

    assert (before["named"], before["codeshares"]) == ({3: "operating_flight_unknown"}, 0)
    assert (after["named"], after["codeshares"]) == ({}, 7)
    assert await codeshares(sql, carrier) == [["KL77"]] * 7
