"""A new file in place of an earlier one: what it no longer lists is withdrawn, within what it speaks for."""

from datetime import date
from typing import Any

import pytest

from app.flights import store
from app.schedules.service import Loading
from tests.schedules.support import Ssim, Steps, going_on, load, one_leg, pieces, row, table
from tests.support.client import Client, in_days


async def withdrawn(sql: Any, carrier: str) -> dict[str, list[date]]:
    """Dates by number of flights that have gone, each of which must be told of."""
    found = await sql(
        """
        SELECT f.number, f.departure_date, c.materiality FROM flights f
        LEFT JOIN flight_changes c ON c.flight_id = f.id AND c.materiality = 'withdrawn'
        WHERE f.carrier = :carrier AND f.missed >= 2 ORDER BY f.departure_date
        """,
        carrier=carrier,
    )
    gone: dict[str, list[date]] = {}
    for flight in found:
        assert flight["materiality"] == "withdrawn"
        gone.setdefault(flight["number"], []).append(flight["departure_date"])
    return gone


def schedule(carrier: str, *numbers: str, first: int = 5, last: int = 40, **more: Any) -> bytes:
    """A data set that speaks for some days, with daily flights from the tenth to the sixteenth."""
    made = Ssim().header().carrier(carrier, more.pop("mode", "L"), in_days(first), in_days(last))
    for number in numbers:
        made.leg(carrier=carrier, number=number, **more)
    return made.trailer(carrier).encoded()


async def test_what_is_no_longer_listed_is_withdrawn(sql: Any, carrier: str) -> None:
    """Not deleted, and told of; it comes back with the next file that lists it."""
    await load("ssim", schedule(carrier, "1", "2"))

    report = await load("ssim", schedule(carrier, "1"), replace=True)
    again = await load("ssim", schedule(carrier, "1"), replace=True)

    assert (report["withdrawn"], report["withheld"], again["withdrawn"]) == (7, None, 0)
    assert await withdrawn(sql, carrier) == {"2": [in_days(day) for day in range(10, 17)]}

    back = await load("ssim", schedule(carrier, "1", "2"), replace=True)
    assert (back["changed"], back["unchanged"], back["withdrawn"]) == (7, 7, 0)
    assert await withdrawn(sql, carrier) == {}


async def test_withdrawing_that_is_stopped_anywhere_goes_on_from_there(
    sql: Any, carrier: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slice by slice, for one carrier after the other; each flight is told of once."""
    monkeypatch.setattr(store, "_SLICE", 3)
    old, new = (Ssim().header().carrier(carrier).leg(carrier=carrier, number="1") for _ in range(2))
    for made, numbers in ((old, "23"), (new, "")):
        for number in numbers:
            made.leg(carrier=carrier, number=number)
        made.trailer(carrier, end="C").carrier(other).leg(carrier=other, number="1")
        for number in numbers:
            made.leg(carrier=other, number=number)
        made.trailer(other)

    for most in range(1, 12):
        await load("ssim", old.encoded())
        steps = Steps(most)
        with pytest.raises(InterruptedError):
            await Loading("ssim", lambda: pieces(new.encoded()), steps, replace=True).run()
        rest = going_on("ssim", new.encoded(), steps, replace=True)

        assert (await rest.run())["withdrawn"] == 28
    gone = {**await withdrawn(sql, carrier), **await withdrawn(sql, other)}
    assert {number: len(days) for number, days in gone.items()} == {"2": 7 * 11, "3": 7 * 11}


async def test_without_the_word_nothing_is_withdrawn(sql: Any, carrier: str) -> None:
    """A file may be an addition."""
    await load("ssim", schedule(carrier, "1", "2"))

    assert (await load("ssim", schedule(carrier, "1")))["withdrawn"] == 0
    assert await withdrawn(sql, carrier) == {}


async def test_only_the_days_that_the_file_speaks_for(sql: Any, carrier: str) -> None:
    """What lies before or after its period is another file's."""
    await load("ssim", schedule(carrier, "1", "2"))

    await load("ssim", schedule(carrier, "1", first=12, last=14), replace=True)

    assert await withdrawn(sql, carrier) == {"2": [in_days(12), in_days(13), in_days(14)]}


async def test_a_file_in_utc_speaks_for_days_in_utc(sql: Any, carrier: str) -> None:
    """In Auckland it is already tomorrow."""
    told = {"origin": "AKL", "destination": "WLG", "departs": "2000", "arrives": "2105"}
    await load("ssim", schedule(carrier, "1", "2", mode="U", **told))

    await load("ssim", schedule(carrier, "1", mode="U", first=12, last=14, **told), replace=True)

    assert await withdrawn(sql, carrier) == {"2": [in_days(13), in_days(14), in_days(15)]}


async def test_another_carriers_flights_are_its_own(sql: Any, carrier: str, other: str) -> None:
    """And so is a carrier's whose part of the file holds no flight at all."""
    await load("ssim", schedule(other, "9"))
    made = Ssim().header().carrier(carrier).leg(carrier=carrier).trailer(carrier, end="C")
    made.carrier(other).trailer(other)

    report = await load("ssim", made.encoded(), replace=True)

    assert (report["withdrawn"], report["withheld"]) == (0, None)
    assert await withdrawn(sql, other) == {}


async def test_what_only_a_provider_lists_stays(sql: Any, carrier: str) -> None:
    """Its boards withdraw their own flights."""
    await load("ssim", schedule(carrier, "1", "2"))
    await sql(
        "UPDATE flights SET schedule_source = 'aviationstack' WHERE carrier = :carrier AND number = '2'",
        carrier=carrier,
    )

    assert (await load("ssim", schedule(carrier, "1"), replace=True))["withdrawn"] == 0


async def test_the_second_leg_of_last_periods_last_flight_stays(sql: Any, carrier: str) -> None:
    """It leaves on the new file's first day, and belongs to the file before."""
    made = Ssim().header().carrier(carrier)
    common = {"carrier": carrier, "number": "7", "first": in_days(10), "last": in_days(16)}
    made.leg(**common, origin="BGO", destination="OSL", departs="2200", arrives="2255", sequence=1)
    made.leg(
        **common,
        origin="OSL",
        destination="TRD",
        departs="0010",
        arrives="0105",
        sequence=2,
        date_variation="11",
    )
    await load("ssim", made.trailer(carrier).encoded())

    await load("ssim", schedule(carrier, "1", first=13), replace=True)

    gone = await withdrawn(sql, carrier)
    assert sorted(gone["7"]) == sorted(
        [in_days(13)] + [in_days(day) for day in (14, 15, 16)] * 2 + [in_days(17)]
    )
    [kept] = await sql(
        "SELECT missed FROM flights WHERE carrier = :carrier AND origin = 'OSL' AND departure_date = :day"
        " AND number = '7'",
        carrier=carrier,
        day=in_days(13),
    )
    assert kept["missed"] == 0


@pytest.mark.parametrize(
    ("spoilt", "withheld"),
    [
        (lambda content: content.rsplit(b"\n", 2)[0] + b"\n", "incomplete"),
        (lambda content: content.replace(b"000004\n", b"000005\n"), "incomplete"),
        (lambda content: content.replace(b"OSL", b"QQQ", 1), "too_many_refused"),
    ],
    ids=["no trailer", "a missing record", "a bad leg in ten"],
)
async def test_a_file_that_may_lack_something_withdraws_nothing(
    sql: Any, carrier: str, spoilt: Any, withheld: str
) -> None:
    """What it lists is stored all the same, and why nothing was withdrawn is said."""
    numbers = [str(number) for number in range(1, 11)]
    await load("ssim", schedule(carrier, *numbers, "99"))

    report = await load("ssim", spoilt(schedule(carrier, *numbers)), replace=True)

    assert (report["withdrawn"], report["withheld"]) == (0, withheld)
    assert report["flights"] >= 63
    assert await withdrawn(sql, carrier) == {}


async def test_one_bad_line_in_twenty_is_put_up_with(sql: Any, carrier: str) -> None:
    """Under a tenth."""
    numbers = [str(number) for number in range(1, 21)]
    await load("ssim", schedule(carrier, *numbers, "99"))

    report = await load("ssim", schedule(carrier, *numbers).replace(b"OSL", b"QQQ", 1), replace=True)

    assert (report["refused"], report["withdrawn"]) == (1, 14)


async def test_a_table_speaks_for_a_carrier_from_its_first_date_to_its_last(
    sql: Any, carrier: str, other: str
) -> None:
    """Each carrier by itself."""
    days = {"from": in_days(10), "to": in_days(20)}
    lines = [row(carrier=code, number=number, **days) for code in (carrier, other) for number in "12"]
    await load("csv", table(*lines))
    new = {"from": in_days(12), "to": in_days(13)}

    report = await load(
        "csv", table(row(carrier=carrier, number="1", **new), lines[2], lines[3]), replace=True
    )

    assert report["withdrawn"] == 2
    assert await withdrawn(sql, carrier) == {"2": [in_days(12), in_days(13)]}
    assert await withdrawn(sql, other) == {}


async def test_a_withdrawn_flight_is_sold_no_more(api: Client, sql: Any, carrier: str) -> None:
    """A search does not show it."""
    day = in_days(12)
    await load("ssim", one_leg(carrier=carrier))
    await load("ssim", schedule(carrier, "555", last=60, first=1), replace=True)

    found = await api.search("OSL", "BGO", day, airlines=carrier)

    assert found.status == 200
    numbers = {offer["slices"][0]["segments"][0]["flight_number"] for offer in found.body["data"]}
    assert numbers == {carrier + "555"}
