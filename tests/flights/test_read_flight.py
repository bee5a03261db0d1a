"""One flight by its id."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.core import clock
from app.flights import schedule, times
from app.flights.schemas import FlightOut
from tests.flights.support import age, at, calls, early_morning, segments
from tests.support.client import Client, Sandbox, in_days

MORNINGS = (
    "RAR",
    "PPT",
    "ANC",
    "YWG",
    "BTV",
    "FEN",
    "PDL",
    "FAE",
    "LCA",
    "MRU",
    "KHI",
    "DAC",
    "PEN",
    "CNS",
    "NOU",
)


async def flown(sandbox: Sandbox, minutes_since: int, decision: dict[str, Any] | None = None) -> str:
    """A flight three weeks ago, as the vendor told of it so many minutes after its departure; gives its id."""
    number = str(9300 + len(known))
    day = in_days(-21 - len(known))
    known.append(number)
    departs = at("KEF", day, "10:00")
    made = await sandbox.flight("KEF", "FAE", departs, departs + timedelta(minutes=90), number=number)
    if decision:
        moment = (departs - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        await sandbox.control("POST", "/clock", {"now": moment})
        await sandbox.control("PATCH", f"/flights/{made['key']}", decision)
    moment = (departs + timedelta(minutes=minutes_since)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await sandbox.control("POST", "/clock", {"now": moment})
    await schedule.refresh("KEF", day)
    return f"ZZ{number}-{day:%Y%m%d}-KEF"


known: list[str] = []


def assert_complete(body: Any) -> None:
    """Every field of the schema, and no other."""
    read = TypeAdapter(FlightOut).validate_python(body)
    assert set(body) == set(FlightOut.model_fields)
    assert set(body["departure"]) == set(type(read.departure).model_fields)
    assert set(body["arrival"]) == set(type(read.arrival).model_fields)
    assert set(body["airline"]) == {"iata", "icao", "name"}
    assert set(body["departure"]["airport"]) == {"iata", "name", "city", "time_zone"}


async def test_a_flight_of_a_later_day_is_what_the_schedule_says(api: Client, sandbox: Sandbox) -> None:
    """Times with the airports' offsets; what nobody can know yet is null."""
    day = in_days(240)
    departs = at("FAE", day, "11:00")
    await sandbox.flight(
        "FAE", "KEF", departs, departs + timedelta(minutes=95), number="9820", aircraft="DH8D"
    )
    segment = segments(await api.search("FAE", "KEF", day))["ZZ9820"]

    answer = await api.get(f"/flights/{segment['flight_id']}")

    assert answer.status == 200
    flight = answer.body
    assert_complete(flight)
    assert (flight["id"], flight["flight_number"]) == (segment["flight_id"], "ZZ9820")
    assert flight["airline"] == {"iata": "ZZ", "icao": "ZQS", "name": "Sandbox Air"}
    assert flight["status"] == "scheduled"
    assert flight["departure"]["scheduled_at"] == segment["departing_at"]
    assert flight["arrival"]["scheduled_at"] == segment["arriving_at"]
    assert flight["departure"]["airport"]["time_zone"] == "Atlantic/Faroe"
    assert flight["departure"]["gate"] is None
    assert flight["departure"]["actual_at"] is None
    assert flight["arrival"]["baggage_belt"] is None
    assert flight["source"] == "aviationstack"
    assert flight["stale"] is False
    assert timedelta() <= clock.now() - datetime.fromisoformat(flight["observed_at"]) < timedelta(minutes=5)


async def test_an_id_is_read_in_any_case(api: Client) -> None:
    """People type them."""
    flight = (await api.first_offer("FAE", "KEF", in_days(241)))["slices"][0]["segments"][0]["flight_id"]

    assert (await api.get(f"/flights/{flight.lower()}")).body["id"] == flight


@pytest.mark.parametrize(
    "flight",
    [
        "ZZ9999-20261201-KEF",
        "ZZ9820-20261301-FAE",
        "ZZ9820-20260231-FAE",
        "ZZ9820-00000000-FAE",
        "ZZ9820",
        "nonsense",
        "ZZ9820-20261201-KEFX",
        "%1F",
        "ZZ1-20261201-'--",
        "\uff3a\uff3a1-20261201-KEF",
    ],
)
async def test_an_unknown_id_is_no_flight(api: Client, flight: str) -> None:
    """Well-formed or not: 404, in the one shape of refusals."""
    answer = await api.get(f"/flights/{flight}")

    assert answer.status == 404
    assert answer.code == "flight_not_found"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["retryable"] is False


async def test_an_endless_id_is_refused(api: Client) -> None:
    """Before anything is asked."""
    assert (await api.get(f"/flights/{'Z' * 31}")).status == 422


@pytest.mark.parametrize(
    ("minutes", "decision", "status"),
    [
        (-120, None, "scheduled"),
        (-120, {"departure_delay": 14}, "scheduled"),
        (-120, {"departure_delay": 15}, "delayed"),
        (-120, {"departure_delay": 90}, "delayed"),
        (30, None, "departed"),
        (100, None, "landed"),
        (-120, {"status": "cancelled"}, "cancelled"),
        (300, {"status": "diverted"}, "diverted"),
        (-60, {"status": "incident"}, "unknown"),
    ],
)
async def test_the_status_is_what_the_provider_saw(
    api: Client, sandbox: Sandbox, minutes: int, decision: dict[str, Any] | None, status: str
) -> None:
    """In our words; a quarter of an hour behind its schedule, a flight still to leave is delayed."""
    flight = (await api.get(f"/flights/{await flown(sandbox, minutes, decision)}")).body

    assert_complete(flight)
    assert flight["status"] == status


async def test_estimates_delays_and_gates_are_shown(api: Client, sandbox: Sandbox) -> None:
    """Each as an instant in its airport's own time."""
    flight_id = await flown(sandbox, 60, {"departure_delay": 40, "departure_gate": "D21", "belt": "4"})

    flight = (await api.get(f"/flights/{flight_id}")).body

    departure = flight["departure"]
    left = datetime.fromisoformat(departure["scheduled_at"]) + timedelta(minutes=40)
    assert departure["gate"] == "D21"
    assert departure["delay_minutes"] == 40
    assert datetime.fromisoformat(departure["actual_at"]) == left
    assert datetime.fromisoformat(departure["estimated_at"]) == left
    assert flight["arrival"]["delay_minutes"] == 40
    assert flight["arrival"]["actual_at"] is None
    assert flight["status"] == "departed"


async def test_a_flight_of_today_has_todays_news(api: Client, sandbox: Sandbox) -> None:
    """A search for today asks the endpoint that knows about delays."""
    origin = early_morning(*MORNINGS)
    leaves = (clock.now() + timedelta(hours=3)).replace(second=0, microsecond=0)
    day = times.local(leaves, schedule.directory().find(origin).zone).date()
    places = schedule.directory()
    block = times.usual_block(places.find(origin), places.find("SIN"))
    made = await sandbox.flight(origin, "SIN", leaves, leaves + block, number="9821", aircraft="B789")
    await sandbox.control("PATCH", f"/flights/{made['key']}", {"departure_delay": 55, "departure_gate": "A1"})

    found = segments(await api.search(origin, "SIN", day, limit=100))

    flight = (await api.get(f"/flights/{found['ZZ9821']['flight_id']}")).body
    assert flight["status"] == "delayed"
    assert flight["departure"]["delay_minutes"] == 55
    assert flight["departure"]["gate"] == "A1"
    assert datetime.fromisoformat(flight["departure"]["estimated_at"]) == leaves + timedelta(minutes=55)
    assert flight["aircraft"] is None or flight["aircraft"]["icao24"]


async def test_a_flight_looked_at_long_ago_is_stale(api: Client, sql: Any) -> None:
    """A day after it was seen, for a flight far ahead."""
    day = in_days(242)
    flight = (await api.first_offer("FAE", "KEF", day))["slices"][0]["segments"][0]["flight_id"]
    for hours, stale in ((23, False), (25, True)):
        await sql(
            "UPDATE flights SET observed_at = now() - make_interval(hours => :hours)"
            " WHERE origin = 'FAE' AND departure_date = :day",
            hours=hours,
            day=day,
        )

        assert (await api.get(f"/flights/{flight}")).body["stale"] is stale


async def test_codeshares_are_the_other_numbers_of_the_flight(api: Client, sandbox: Sandbox) -> None:
    """As the world says, each once, in order."""
    day = in_days(243)
    offers = (await api.search("BGO", "OSL", day, limit=100)).body["data"]
    real = (await sandbox.control("GET", f"/flights?origin=BGO&destination=OSL&date={day}"))["flights"]

    for known_flight in real:
        flight = (await api.get(f"/flights/{known_flight['flight']}-{day:%Y%m%d}-BGO")).body
        assert flight["codeshares"] == sorted(known_flight["codeshares"])
    assert len(offers) == 3 * len(real)


async def test_a_poorer_source_does_not_erase_what_is_known(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """The schedule of later days knows no registrations."""
    day = in_days(244)
    of_the_day = "WHERE origin = 'BGO' AND departure_date = :day"
    await api.search("BGO", "OSL", day)
    await sql(f"UPDATE flights SET aircraft_registration = 'LN-XYZ' {of_the_day}", day=day)
    await age(sql, "BGO", day)

    await schedule.refresh("BGO", day)

    rows = await sql(f"SELECT aircraft_registration FROM flights {of_the_day}", day=day)
    assert {row["aircraft_registration"] for row in rows} == {"LN-XYZ"}
    assert await calls(sandbox, "BGO", day) == 2
