"""A day is made of exactly the flights on sale, to the minute and to the letter."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.timetable import builder, codes
from app.timetable.day import EPOCH, Day
from tests.support.client import in_days
from tests.timetable import rows

DAY = in_days(836)  # Nobody searches so far ahead, so nobody else has flights then.

_zones = st.sampled_from(["Pacific/Pago_Pago", "Pacific/Apia", "Asia/Kathmandu", "Europe/Oslo", "UTC"])


@st.composite
def flights(draw: st.DrawFn) -> dict[str, Any]:
    departs = datetime.combine(DAY, datetime.min.time(), EPOCH.tzinfo) + timedelta(
        minutes=draw(st.integers(0, 24 * 60))
    )
    arrives = departs + timedelta(minutes=draw(st.integers(1, 20 * 60)))
    terminals = st.none() | st.text("01289abcXYZ -", min_size=1, max_size=8)
    return {
        "origin": draw(st.sampled_from(["APW", "TOS", "OSL"])),
        "destination": draw(st.sampled_from(["PPG", "BGO"])),
        "departs_at": departs,
        "arrives_at": arrives,
        "departs_local": departs.astimezone(ZoneInfo(draw(_zones))).replace(tzinfo=None),
        "arrives_local": arrives.astimezone(ZoneInfo(draw(_zones))).replace(tzinfo=None),
        "status": draw(st.sampled_from(["scheduled", "scheduled", "cancelled"])),
        "missed": draw(st.sampled_from([0, 0, 1, 2])),
        "departure_terminal": draw(terminals),
        "arrival_terminal": draw(terminals),
        "aircraft_type": draw(st.sampled_from([None, "A20N", "B789"])),
    }


def told(day: Day) -> dict[int, dict[str, Any]]:
    """The flights of a day by id, in the words of the table; codes as numbers."""
    found = {}
    for route in range(len(day.origin)):
        for place in range(day.first[route], day.first[route + 1]):
            departs = EPOCH + timedelta(minutes=int(day.departs[place]))
            arrives = EPOCH + timedelta(minutes=int(day.arrives[place]))
            to_local = timedelta(minutes=int(day.departs_offset[place]))
            from_there = timedelta(minutes=int(day.arrives_offset[place]))
            found[int(day.id[place])] = {
                "origin": int(day.origin[route]),
                "destination": int(day.destination[route]),
                "carrier": int(day.carrier[place]),
                "departs_at": departs,
                "arrives_at": arrives,
                "departs_local": departs.replace(tzinfo=None) + to_local,
                "arrives_local": arrives.replace(tzinfo=None) + from_there,
                "departure_terminal": int(day.departure_terminal[place]),
                "arrival_terminal": int(day.arrival_terminal[place]),
                "aircraft_type": int(day.aircraft[place]),
            }
    return found


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(several=st.lists(flights(), max_size=8))
async def test_a_day_is_the_rows_on_sale(sql: Any, several: list[dict[str, Any]]) -> None:
    """Over the date line, with clocks of odd offsets, with and without terminals."""
    await rows.clear(sql, DAY)
    wanted = {}
    for number, facts in enumerate(several):
        made = await rows.put(sql, DAY, number, **facts)
        if facts["status"] == "scheduled" and facts["missed"] < 2:
            wanted[made] = {
                name: codes.pack(value) if value is None or isinstance(value, str) else value
                for name, value in {"carrier": rows.CARRIER, **facts}.items()
                if name not in ("status", "missed")
            }

    day = await builder.build(DAY)

    assert told(day) == wanted
    await rows.clear(sql, DAY)


async def test_flights_of_a_route_lie_by_departure(sql: Any) -> None:
    """And of those that leave at the same minute, by id."""
    nine = datetime.combine(DAY, datetime.min.time(), EPOCH.tzinfo) + timedelta(hours=9)
    made = {
        minutes: await rows.put(sql, DAY, minutes, departs_at=nine + timedelta(minutes=minutes // 2))
        for minutes in (7, 0, 6, 3)
    }

    day = await builder.build(DAY)

    assert day.id.tolist() == [made[0], made[3], made[7], made[6]]
    await rows.clear(sql, DAY)
