"""Loading a file: each flight once, however often and however interrupted, and a report that adds up."""

from datetime import timedelta
from typing import Any

import pytest

from app.core import db
from app.flights import store
from app.schedules import service
from app.schedules.legs import Window, dated
from app.schedules.service import Loading
from tests.schedules.support import (
    Ssim,
    Steps,
    going_on,
    leg,
    legs,
    load,
    one_leg,
    pieces,
    row,
    table,
    weekday,
)
from tests.support.client import in_days


async def stored(sql: Any, *carriers: str) -> list[dict[str, Any]]:
    """A carrier's flights as they are, but for when they were last seen."""
    found = await sql(
        "SELECT * FROM flights WHERE carrier = ANY(CAST(:carriers AS text[])) ORDER BY departure_date, number, origin",
        carriers=list(carriers),
    )
    return [{name: value for name, value in flight.items() if name != "observed_at"} for flight in found]


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report[name] for name in ("flights", "added", "changed", "unchanged"))


@pytest.mark.parametrize("kind", ["ssim", "csv"])
async def test_the_same_file_again_changes_nothing(sql: Any, carrier: str, kind: str) -> None:
    """It says so, and nobody is told of a change."""
    content = one_leg(carrier=carrier) if kind == "ssim" else table(row(carrier=carrier))

    first = await load(kind, content)
    before = await stored(sql, carrier)
    second = await load(kind, content)

    assert counts(first) == (7, 7, 0, 0)
    assert counts(second) == (7, 0, 0, 7)
    assert await stored(sql, carrier) == before
    assert await changes(sql, carrier) == []


async def changes(sql: Any, carrier: str) -> list[str]:
    found = await sql(
        "SELECT c.materiality FROM flight_changes c JOIN flights f ON f.id = c.flight_id"
        " WHERE f.carrier = :carrier ORDER BY c.id",
        carrier=carrier,
    )
    return [change["materiality"] for change in found]


async def test_a_new_file_changes_what_it_says_otherwise(sql: Any, carrier: str) -> None:
    """Flights keep who they are; travellers are told of the time, not of the terminal."""
    await load("csv", table(row(carrier=carrier)))
    ids = [flight["id"] for flight in await stored(sql, carrier)]

    later = await load("csv", table(row(carrier=carrier, departs="11:00", arrives="11:55")))
    gate = await load(
        "csv", table(row(carrier=carrier, departs="11:00", arrives="11:55", arrival_terminal="2"))
    )

    assert (counts(later), counts(gate)) == ((7, 0, 7, 0), (7, 0, 7, 0))
    found = await stored(sql, carrier)
    assert [flight["id"] for flight in found] == ids
    assert {f"{flight['departs_local']:%H:%M}{flight['arrival_terminal']}" for flight in found} == {"11:002"}
    assert len(await changes(sql, carrier)) == 7


async def test_good_lines_are_kept_beside_bad_ones(sql: Any, carrier: str) -> None:
    """Each bad one is named by its number; lines and flights add up."""
    report = await load(
        "csv",
        table(
            row(carrier=carrier, number="1"),
            row(carrier=carrier, number="2", origin="QQQ"),
            row(carrier=carrier, number="3", arrives="10:05"),
            row(carrier=carrier, number="4", **{"from": in_days(-400), "to": in_days(-300)}),
            row(carrier=carrier, number="5"),
        ),
    )

    assert (report["lines"], report["refused"], report["passed_over"]) == (5, 2, {"outside_window": 1})
    assert report["named"] == {3: "unknown_airport", 4: "implausible_block_time"}
    assert {flight["number"] for flight in await stored(sql, carrier)} == {"1", "5"}


async def test_a_line_is_named_by_what_is_wrong_with_itself(sql: Any, carrier: str) -> None:
    """Not by what is missing before it."""
    made = Ssim().header().carrier(carrier)
    made.add(leg(carrier=carrier, origin="QQQ"), serial=9).leg(carrier=carrier).trailer(carrier)

    report = await load("ssim", made.encoded())

    assert (report["named"], report["refused"], report["flights"]) == ({3: "unknown_airport"}, 1, 7)


async def test_a_flight_listed_twice_is_the_first_lines(sql: Any, carrier: str) -> None:
    """The other line brings what is new of it, and is named."""
    content = table(
        row(carrier=carrier), row(carrier=carrier, departs="15:00", arrives="15:55", to=in_days(18))
    )

    first, second = await load("csv", content), await load("csv", content)

    assert first["named"] == second["named"] == {3: "listed_twice"}
    assert (counts(first), counts(second)) == ((9, 9, 0, 0), (9, 0, 0, 9))
    hours = [flight["departs_local"].hour for flight in await stored(sql, carrier)]
    assert hours == [10] * 7 + [15] * 2


async def test_only_what_can_be_sold_is_stored(sql: Any, carrier: str) -> None:
    """From yesterday to 361 days ahead, by the date at the airport."""
    await load("csv", table(row(carrier=carrier, **{"from": in_days(-9), "to": ""})))

    days = [flight["departure_date"] for flight in await stored(sql, carrier)]

    assert (days[0], days[-1], len(days)) == (in_days(-1), in_days(361), 363)


async def test_an_itinerary_is_a_flight_for_each_leg(sql: Any, carrier: str) -> None:
    """Under one number, by origin."""
    made = Ssim().header().carrier(carrier)
    made.leg(carrier=carrier, destination="BGO", sequence=1)
    made.leg(
        carrier=carrier, origin="BGO", destination="TRD", departs="1130", arrives="1235", sequence=2
    ).trailer(carrier)

    await load("ssim", made.encoded())

    flights = await stored(sql, carrier)
    assert {(flight["origin"], flight["destination"]) for flight in flights} == {
        ("OSL", "BGO"),
        ("BGO", "TRD"),
    }
    assert len(flights) == 14


def busy_file(carrier: str, other: str) -> bytes:
    """Operating and marketing legs, mistakes, padding, and more flights than fit into one batch."""
    made = Ssim().header().carrier(other).padding(3)
    for number in range(1, 4):
        made.leg(carrier=other, number=str(500 + number), disclosure="L")
        made.data("050", f"{carrier} {number:>4}")
    made.trailer(other, end="C").carrier(carrier)
    for number in range(1, 9):
        made.leg(carrier=carrier, number=str(number), days=weekday(in_days(10 + number % 7)))
        made.leg(carrier=carrier, number=str(number), origin="QQQ" if number % 3 else "OSL", days="1X34567")
    return made.trailer(carrier).encoded()


async def test_a_load_that_is_stopped_anywhere_goes_on_from_there(
    sql: Any, carrier: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same flights and the same report as if nothing had been."""
    monkeypatch.setattr(service, "BATCH", 2)
    monkeypatch.setattr(service, "_CODESHARES", 1)
    content = busy_file(carrier, other)
    await load("ssim", content)
    whole = Steps()
    expected = await Loading("ssim", lambda: pieces(content), whole, replace=True).run()
    before = await stored(sql, carrier)

    assert whole.saves > 8
    for most in range(whole.saves):
        steps = Steps(most)
        with pytest.raises(InterruptedError):
            await Loading("ssim", lambda: pieces(content), steps, replace=True).run()
        rest = going_on("ssim", content, steps, replace=True)
        report = await rest.run()

        assert report == expected
        assert len(steps.refusals) == len({one.line for one in steps.refusals}) == report["refused"] == 8
    assert await stored(sql, carrier) == before


async def test_an_operators_file_outranks_a_providers_forecast(sql: Any, carrier: str) -> None:
    """News of the day, such as a gate, stay the provider's."""

    [one] = legs("csv", table(row(carrier=carrier, departs="09:00", arrives="09:55")))
    heard = dated(one, Window(in_days(-1), in_days(361)))
    for flight in heard:
        flight.departure.gate = "A7"
    async with db.transaction() as session:
        await store.keep(session, heard, "aviationstack")

    report = await load("csv", table(row(carrier=carrier)))
    async with db.transaction() as session:
        await store.keep(session, heard, "aviationstack")

    assert counts(report) == (7, 0, 7, 0)
    for flight in await stored(sql, carrier):
        assert flight["departs_local"].hour == 10
        assert flight["arrives_at"] - flight["departs_at"] == timedelta(minutes=55)
        assert (flight["departure_gate"], flight["schedule_source"], flight["source"]) == (
            "A7", "import", "aviationstack"
        )  # fmt: skip
