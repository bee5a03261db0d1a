"""Times are taken for local clocks, falsely stamped. Should the vendor ever mend that, nobody is misled."""

from datetime import date, datetime
from typing import Any

import pytest

from app.airports.service import directory
from app.core.metrics import UPSTREAM_ROWS_DROPPED
from app.flights import schedule
from app.providers.base import ProviderError
from tests.flights.support import age, board
from tests.providers.vendor import Json, Vendor, future
from tests.support.client import Client, Sandbox

AIRPORT = "HNL"


async def published(sandbox: Sandbox, day: date, *, in_utc: bool) -> list[Json]:
    """A day's long-haul board, with clocks of the airports, or of Greenwich."""
    path = f"/flights?origin={AIRPORT}&date={day}"
    rows = []
    for flight in (await sandbox.control("GET", path))["flights"]:
        shown = []
        for end, place in (("departure", "origin"), ("arrival", "destination")):
            instant = datetime.fromisoformat(flight[end])
            zone = directory().find(flight[place]).zone
            shown.append((instant if in_utc else instant.astimezone(zone)).strftime("%H:%M"))
        carrier, number = flight["airline"].lower(), flight["number"]
        rows.append(future(number, AIRPORT, flight["destination"], *shown, carrier=carrier))
    return rows


async def stored(sql: Any, day: date) -> dict[str, tuple[datetime, datetime]]:
    """The instants of a board's flights."""
    found = await sql(
        "SELECT carrier || number AS flight, departs_at, arrives_at FROM flights"
        " WHERE origin = :airport AND departure_date = :day",
        airport=AIRPORT,
        day=day,
    )
    return {row["flight"]: (row["departs_at"], row["arrives_at"]) for row in found}


def dropped(reason: str) -> float:
    count: float = UPSTREAM_ROWS_DROPPED.labels("aviationstack", reason)._value.get()
    return count


async def test_a_board_with_true_times_is_refused_as_a_whole(
    api: Client, vendor: Vendor, sandbox: Sandbox, sql: Any, day: date
) -> None:
    """So many flights cannot be so fast or so slow; what was stored stays and is sold, marked stale."""
    vendor.rows = await published(sandbox, day, in_utc=False)
    await schedule.refresh(AIRPORT, day)
    good = await stored(sql, day)
    assert len(good) == len(vendor.rows)

    vendor.rows = await published(sandbox, day, in_utc=True)
    await age(sql, AIRPORT, day)
    with pytest.raises(ProviderError, match="implausible_times"):
        await schedule.refresh(AIRPORT, day)

    assert await stored(sql, day) == good
    known = await board(sql, AIRPORT, day)
    assert (known["failure"], known["waiting"]) == ("implausible_times", True)
    answer = await api.search(AIRPORT, "LAX", day)
    assert (answer.status, answer.body["meta"]["stale"]) == (200, True)
    assert answer.body["data"]


async def test_a_first_board_with_true_times_is_no_schedule(
    api: Client, vendor: Vendor, sandbox: Sandbox, sql: Any, day: date
) -> None:
    """Nothing is known then, which is better than something wrong."""
    vendor.rows = await published(sandbox, day, in_utc=True)

    answer = await api.search(AIRPORT, "LAX", day)

    assert (answer.status, answer.code) == (503, "provider_unavailable")
    assert await stored(sql, day) == {}


@pytest.mark.parametrize("odd", [1, 3])
async def test_a_few_odd_rows_are_left_out_and_counted(
    vendor: Vendor, sandbox: Sandbox, sql: Any, day: date, odd: int
) -> None:
    """The rest is kept."""
    good = await published(sandbox, day, in_utc=False)
    slow = [future(9900 + n, AIRPORT, "OGG", "08:00", "18:00") for n in range(odd)]
    vendor.rows = [*slow, *good]
    before = dropped("implausible_block_time")

    await schedule.refresh(AIRPORT, day)

    assert dropped("implausible_block_time") == before + odd
    known = await stored(sql, day)
    assert len(known) == len(good)
    assert not any(name.startswith("ZZ99") for name in known)


BLOCKS = [
    ("OGG", "08:22", True),  # 160 km: a quarter of an hour in the air, and little taxiing
    ("OGG", "09:55", True),  # in a turboprop that waits
    ("OGG", "08:05", False),
    ("OGG", "10:15", False),
    ("PHX", "17:00", True),  # 4,690 km: six hours, and three hours of difference in every season
    ("PHX", "15:00", True),  # with the wind of the year
    ("PHX", "14:00", False),
    ("PHX", "22:00", False),
]


async def test_what_an_aircraft_can_fly_is_believed(
    vendor: Vendor, sandbox: Sandbox, sql: Any, day: date
) -> None:
    """The fast and the slow ones, and nothing else."""
    vendor.rows = await published(sandbox, day, in_utc=False) + [
        future(7000 + n, AIRPORT, to, f"{day} 08:00:00", f"{day} {arrives}:00")
        for n, (to, arrives, _) in enumerate(BLOCKS)
    ]

    await schedule.refresh(AIRPORT, day)

    known = await stored(sql, day)
    assert [f"ZZ{7000 + n}" in known for n in range(len(BLOCKS))] == [kept for _, _, kept in BLOCKS]


async def test_places_nobody_knows_are_left_out_and_counted(
    vendor: Vendor, sandbox: Sandbox, sql: Any, day: date
) -> None:
    """And flights that go nowhere."""
    before = [dropped(reason) for reason in ("unknown_airport", "same_airport")]
    vendor.rows = await published(sandbox, day, in_utc=False)
    good = len(vendor.rows)
    vendor.rows += [future(1, AIRPORT, "QQZ"), future(2, AIRPORT, AIRPORT)]

    await schedule.refresh(AIRPORT, day)

    assert [dropped(reason) for reason in ("unknown_airport", "same_airport")] == [n + 1 for n in before]
    assert len(await stored(sql, day)) == good
