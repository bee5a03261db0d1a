"""The levers behind the scenery."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta

from tests.sandbox.conftest import NOON, Client


async def test_the_guide_names_every_lever(client: Client) -> None:
    """Short enough to read, with faults, keys and airlines."""
    guide = await client.control("GET", "")
    assert {"controls", "examples", "faults", "access_keys", "clients", "airlines"} == guide.keys()
    assert guide["airlines"]["ZZ"] == "Sandbox Air"


async def test_the_clock_moves_and_goes_on_ticking(client: Client) -> None:
    """Set, advanced, and back to where it started."""

    async def now() -> datetime:
        return datetime.fromisoformat((await client.control("GET", "/clock"))["now"])

    await client.control("POST", "/clock", {"now": "2027-01-01T00:00:00Z"})
    assert (await now()).year == 2027
    await client.control("POST", "/clock", {"advance_seconds": 86400})
    assert (await now()).day == 2
    await client.control("POST", "/clock", {"reset": True})
    assert abs(await now() - NOON) < timedelta(seconds=30)
    await client.control("POST", "/clock", {"now": "yesterday"}, expect=400)
    await client.control("POST", "/clock", {"now": "9999-12-31T00:00:00Z"}, expect=400)
    await client.control("POST", "/clock", {"advance_seconds": 1e300}, expect=400)
    await client.control("GET", "/flights?date=9999-12-31", expect=400)
    await client.control("POST", "/clock", {"new": "2027-01-01T00:00:00Z"}, expect=400)


async def test_the_journal_counts_calls_and_never_holds_a_key(client: Client) -> None:
    """Refused and faulty calls are written down as well."""
    await client.get("airlines", limit=3)
    await client.get("airlines", key="nonsense")
    await client.control("POST", "/faults", {"fault": "error_500", "times": 1})
    await client.get("taxes")
    journal = await client.control("GET", "/journal")
    assert journal["counts"] == {"/v1/airlines": 2, "/v1/taxes": 1}
    seen = [(entry["profile"], entry["status"], entry["fault"]) for entry in journal["requests"]]
    assert seen == [("sandbox", 200, None), ("unknown", 401, None), ("sandbox", 500, "error_500")]
    assert journal["requests"][0]["params"] == {"limit": "3"}
    assert "nonsense" not in str(journal)
    assert (await client.control("DELETE", "/journal"))["counts"] == {}


async def test_the_truth_agrees_with_the_wire(client: Client) -> None:
    """The same flights, and the local clocks of the wire are those of the true instants."""
    truth = await client.control("GET", "/flights?origin=JFK&destination=LHR&date=2026-11-25")
    wire = await client.rows("flights", dep_iata="JFK", arr_iata="LHR", flight_date="2026-11-25")
    local = {
        row["flight"]["iata"]: row["departure"]["scheduled"]
        for row in wire
        if not row["flight"]["codeshared"]
    }
    assert len(local) == len(truth["flights"])
    for flight in truth["flights"]:
        departure = datetime.fromisoformat(flight["departure"]) - timedelta(hours=5)
        assert local[flight["flight"]] == departure.isoformat()


async def test_an_injected_flight_is_on_every_page(client: Client) -> None:
    """On time and with the times it was given, even between small airports."""
    made = await client.inject("777", "LYR-XWA", "2026-11-25T14:00:00Z", "2026-11-25T21:07:00Z")
    assert (made["key"], made["real_departure"]) == ("ZZ777-LYR-2026-11-25", "2026-11-25T14:00:00Z")
    [live] = await client.rows("flights", flight_iata="ZZ777")
    assert live["departure"]["scheduled"] == "2026-11-25T15:00:00+00:00"
    assert live["arrival"]["scheduled"] == "2026-11-25T15:07:00+00:00"
    assert await client.rows("timetable", iataCode="XWA", type="arrival", flight_iata="ZZ777")
    await client.control("POST", "/reset")
    assert await client.rows("flights", flight_iata="ZZ777") == []


async def test_a_flight_that_makes_no_sense_is_not_injected(client: Client) -> None:
    """An unknown airport, an arrival before departure, a time without an offset."""
    good = {
        "airline": "ZZ",
        "number": "1",
        "origin": "LHR",
        "destination": "JFK",
        "departure": "2026-11-25T14:00:00Z",
        "arrival": "2026-11-25T21:00:00Z",
    }
    await client.control("POST", "/flights", good | {"origin": "QQQ"}, expect=404)
    await client.control("POST", "/flights", good | {"arrival": "2026-11-25T13:00:00Z"}, expect=400)
    await client.control("POST", "/flights", good | {"departure": "2026-11-25T14:00:00"}, expect=400)
    await client.control("POST", "/flights", {"airline": "ZZ"}, expect=400)


async def test_a_decision_shows_on_the_wire(client: Client) -> None:
    """Delay, gate, cancellation; a later decision adds to the earlier one."""
    key = (await client.inject("777", "LHR-JFK", "2026-11-25T14:00:00Z", "2026-11-25T22:00:00Z"))["key"]
    await client.control("PATCH", f"/flights/{key}", {"departure_delay": 90})
    await client.control("PATCH", f"/flights/{key}", {"departure_gate": "Z99"})
    [row] = await client.rows("flights", flight_iata="ZZ777")
    assert (row["departure"]["delay"], row["departure"]["gate"]) == (90, "Z99")
    assert row["departure"]["estimated"] == "2026-11-25T15:30:00+00:00"
    assert row["arrival"]["delay"] == 90
    for status in ("cancelled", "active", "landed", "diverted", "incident", "scheduled"):
        await client.control("PATCH", f"/flights/{key}", {"status": status})
        [row] = await client.rows("flights", flight_iata="ZZ777")
        assert row["flight_status"] == status
    await client.control("PATCH", f"/flights/{key}", {"colour": "red"}, expect=400)
    await client.control("PATCH", f"/flights/{key}", {"departure_delay": "much"}, expect=400)
    await client.control("PATCH", "/flights/ZZ1-QQQ-2026-11-25", {"status": "landed"}, expect=404)


async def test_a_flight_goes_through_its_day_with_the_clock(client: Client) -> None:
    """Scheduled, active, landed, without anybody's help."""
    await client.inject("777", "LHR-JFK", "2026-11-25T14:00:00Z", "2026-11-25T22:00:00Z")
    seen = []
    for moment in ("13:59", "14:00", "21:59", "22:00"):
        await client.control("POST", "/clock", {"now": f"2026-11-25T{moment}:00Z"})
        [row] = await client.rows("flights", flight_iata="ZZ777")
        seen.append((row["flight_status"], row["arrival"]["actual"]))
    assert [status for status, _ in seen] == ["scheduled", "active", "active", "landed"]
    assert seen[-1][1] == "2026-11-25T17:00:00+00:00"


async def test_settings_are_checked(client: Client) -> None:
    """A mode, format or plan that does not exist changes nothing."""
    for wrong in (
        {"window": "always"},
        {"time_format": "noon"},
        {"keys": {"mine": "gold"}},
        {"plan": "free"},
    ):
        await client.control("POST", "/settings", wrong, expect=400)
    settings = await client.control("GET", "/settings")
    assert (settings["window"], settings["time_format"]) == ("tomorrow_to_year", "YYYY-MM-DD HH:MM:SS")


def test_the_command_starts_and_stops_at_once() -> None:
    """`python -m sandbox` answers within seconds, and a signal ends it though an answer is under way."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--now", "2026-11-25T12:00:00Z"]
    command += ["--card-webhook-url", "http://127.0.0.1:9/events"]
    with subprocess.Popen(command) as process:
        try:
            connect(port).close()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_sandbox/settings") as answer:
                assert b'"http://127.0.0.1:9/events"' in answer.read()
            with connect(port) as waiting:
                waiting.sendall(
                    b'POST /_sandbox/faults HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n{"fault":"slow"}'
                )
                assert b"200 OK" in waiting.recv(1 << 16)
                waiting.sendall(b"GET /v1/airlines HTTP/1.1\r\nHost: x\r\n\r\n")
                process.terminate()
                assert process.wait(2) == 0
        finally:
            process.kill()


def connect(port: int) -> socket.socket:
    """Waits until somebody listens."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
