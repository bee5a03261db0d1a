"""Which jurisdictions rule a flight: by where it begins and ends, who flies it, and when."""

import pytest

from app.rights import service
from app.rights.trips import Trip
from tests.rights.support import NOON, asked, late, local, made, place, row, tables, told, trip, way

CASES = [
    (("CDG", "JFK"), "UA", {"EU", "US"}),
    (("JFK", "CDG"), "AF", {"EU", "US"}),
    (("JFK", "CDG"), "UA", {"US"}),
    (("JFK", "LHR"), "UA", {"US"}),
    (("JFK", "LHR"), "BA", {"UK", "US"}),
    (("JFK", "LHR"), "AF", {"UK", "US"}),
    (("LHR", "SYD"), "QF", {"UK"}),
    (("SYD", "CDG"), "BA", {"UK"}),
    (("LHR", "CDG"), "AF", {"UK", "EU"}),
    (("LHR", "CDG"), "BA", {"UK"}),
    (("CDG", "LHR"), "UA", {"EU"}),
    (("ZRH", "DXB"), "QF", {"EU"}),
    (("DXB", "KEF"), "FI", {"EU"}),
    (("DXB", "OSL"), "LX", {"EU"}),
    (("RUN", "MRU"), "QF", {"EU"}),
    (("BEG", "IST"), "AF", set()),
    (("SYD", "AKL"), "QF", set()),
    (("GUM", "NRT"), "NH", {"US"}),
    (("SJU", "STT"), "QF", {"US"}),
    (("YYZ", "ORD", "MEX"), "QF", {"US"}),
    (("JFK", "CDG", "DXB"), "UA", {"US"}),
    (("GIB", "TNG"), "QF", set()),
]


@pytest.mark.parametrize(("route", "carrier", "rulers"), CASES)
def test_where_and_with_whom_decides(route: tuple[str, ...], carrier: str, rulers: set[str]) -> None:
    """The EU and the UK look at both ends of a slice, the United States at each flight."""
    rows = service.advice(trip(*route, carrier=carrier), told("cancelled"), NOON)

    assert {one["jurisdiction"] for one in rows} == rulers


def test_of_an_unknown_carrier_it_may_be_so() -> None:
    """Where its country decides; elsewhere nobody asks for it."""
    arriving = asked(trip("JFK", "CDG", carrier="??"), told("denied_boarding"))
    leaving = asked(trip("CDG", "JFK", carrier="??"), told("denied_boarding"))

    assert {one["applies"] for one in arriving.values()} == {"maybe"}
    assert {one["applies"] for one in leaving.values()} == {"yes"}


def test_a_country_counts_from_the_day_it_joined() -> None:
    """Croatia in July 2013."""
    before = trip("ZAG", "IST", departs_at=local("ZAG", "2013-06-30T23:59"), carrier="QF")
    after = trip("ZAG", "IST", departs_at=local("ZAG", "2013-07-01T00:00"), carrier="QF")

    assert asked(before, late(300)) == {}
    assert asked(after, late(300))["compensation"]["applies"] == "maybe"


def test_rules_count_that_hold_on_the_day_of_the_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the calendar where it leaves: beyond the date line it may be a day ahead of everybody else."""
    reformed = tables()
    last = row("compensation", "eu261-7-1-a") | {"valid_to": "2026-12-31"}
    raised = row("compensation", "eu261-7-1-a") | {"valid_from": "2027-01-01", "amount": "300.00"}
    reformed["compensation"] = [last, raised, *reformed["compensation"][1:]]
    reformed["jurisdictions"].append(row_of_country("FJ"))
    monkeypatch.setattr(service, "book", lambda: made(reformed))

    def amount(origin: str, destination: str, departs: str) -> str:
        flight = trip(origin, destination, departs_at=local(origin, departs), carrier="QF")
        found: str = asked(flight, late(300))["compensation"]["amount"]["amount"]
        return found

    assert amount("CDG", "FRA", "2026-12-31T23:59") == "250.00"
    assert amount("CDG", "FRA", "2027-01-01T00:00") == "300.00"
    assert amount("NAN", "APW", "2027-01-01T08:00") == "300.00"  # 31 December in London.
    assert amount("PTP", "SJU", "2026-12-31T23:00") == "250.00"  # 1 January in London.


def row_of_country(country: str) -> dict[str, str]:
    return {"jurisdiction": "EU", "country": country, "valid_from": "", "valid_to": "", "source": "a test"}


def test_both_ways_of_a_return_are_looked_at_apart() -> None:
    """The way home on a foreign carrier is not ruled as the way out is."""
    there, home = way("CDG", "JFK", carrier="UA"), way("JFK", "CDG", carrier="UA")
    both = Trip((there, home))

    assert set(asked(both, late(300, slice=0))) == {"compensation", "care", "reimbursement"}
    assert asked(both, late(300, slice=1)) == {}


def test_what_the_house_gives_is_no_right() -> None:
    """It is among the choices, not in the advice."""
    flight = trip("SYD", "AKL", carrier="QF")

    assert service.advice(flight, told("cancelled"), NOON) == []
    assert service.change_options(flight, told("cancelled"), NOON).options == ("rebook", "refund")


def test_a_flight_along_the_date_line_is_as_long_as_it_is() -> None:
    """Samoa's two airports are neighbours though a day lies between them."""
    flight = Trip((way("APW", "PPG", departs_at=local("APW", "2027-01-02T08:00"), hours=0.8, carrier="QF"),))

    assert 100_000 < flight.slices[0].metres < 200_000
    assert flight.slices[0].arrives_at.astimezone(place("PPG").zone).date().isoformat() == "2027-01-01"
    assert {one["jurisdiction"] for one in service.advice(flight, told("cancelled"), NOON)} == {"US"}
