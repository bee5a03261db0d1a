"""The network: large enough to be interesting, plausible enough to be believed."""

from __future__ import annotations

from datetime import date, timedelta

from sandbox import tables
from sandbox.world.geography import distance, served
from sandbox.world.services import Flight
from sandbox.world.times import wall
from sandbox.world.world import World

DAY = date(2026, 11, 25)


def flown(world: World, route: str, day: date = DAY) -> list[Flight]:
    origin, destination = route.split("-")
    leaving = world.timetable.departures(origin, day)
    return [flight for flight in leaving if flight.service.destination.iata == destination]


def clocks(flight: Flight) -> tuple[str, str]:
    """The local readings at both ends."""
    service = flight.service
    ends = (flight.departure, service.origin), (flight.arrival, service.destination)
    departs, arrives = (wall(moment, place.zone).strftime("%d %H:%M") for moment, place in ends)
    return departs, arrives


def test_the_same_seed_makes_the_same_world(world: World) -> None:
    """Flights, instants and aircraft agree; another seed gives others."""

    def seen(of: World) -> list[tuple[str, object, str]]:
        flights = of.timetable.day(DAY).flights
        return [(f.key, of.movement(f).departure, f.aircraft.registration) for f in flights]

    assert seen(World("jetway")) == seen(world)
    assert seen(World("other")) != seen(world)


def test_about_three_thousand_flights_operate_every_day(world: World) -> None:
    """Weekdays differ a little, as their patterns do."""
    sizes = [
        len(world.timetable.day(DAY + timedelta(days=n)).flights) for n in (-31, 0, 1, 2, 3, 4, 5, 6, 365)
    ]
    assert all(2700 <= size <= 3400 for size in sizes), sizes
    assert len(set(sizes)) > 3


def test_airports_of_every_continent_are_served(world: World) -> None:
    """Every airport of the network has departures in a week."""
    continents = {row["iso2"]: row["continent"] for row in tables.rows("countries")}
    week = [world.timetable.day(DAY + timedelta(days=n)) for n in range(7)]
    leaving = {iata for day in week for iata in day.departing}
    assert leaving == {airport.iata for airport in served()}
    assert len(leaving) >= 200
    assert {continents[airport.country] for airport in served()} == {"AF", "AN", "AS", "EU", "NA", "OC", "SA"}


def test_all_twelve_airlines_fly(world: World) -> None:
    """One is ZZ, and at least one designator holds a digit."""
    assert {flight.service.airline.iata for flight in world.timetable.day(DAY).flights} == set(world.airlines)
    assert len(world.airlines) == 12
    assert "ZZ" in world.airlines
    assert any(character.isdigit() for iata in world.airlines for character in iata)


def test_trunk_routes_are_flown_often_and_by_several(world: World) -> None:
    """Several departures a day, by more than one airline."""
    for route in ("JFK-LHR", "LHR-JFK", "SIN-SYD"):
        assert len(flown(world, route)) >= 4
        assert len({flight.service.airline.iata for flight in flown(world, route)}) >= 2
    assert len(flown(world, "LAX-SFO")) >= 6


def test_block_times_are_plausible(world: World) -> None:
    """Gate-to-gate speed lies in a sane band, and no type flies further than it can."""
    for service in world.timetable.services:
        km, hours = distance(service.origin, service.destination), service.block / 60
        assert hours > 0.4
        assert km <= service.line.type.range_km, service.name
        if km > 500:
            assert 200 < km / hours < 960, (service.name, km, hours)


def test_well_known_flights_keep_their_local_times(world: World) -> None:
    """Over the date line both ways, before midnight and after it."""
    known = {
        "AKL-LAX": ("25 20:00", "25 11:15"),
        "LAX-AKL": ("25 23:00", "27 09:00"),
        "APW-PPG": ("25 08:00", "24 08:50"),
        "NRT-HNL": ("25 23:40", "25 12:05"),
        "LHR-MAD": ("25 00:30", "25 03:45"),
    }
    for route, local in known.items():
        assert local in [clocks(flight) for flight in flown(world, route)], route


def test_the_timetable_reaches_a_year_ahead(world: World) -> None:
    """The same service is there in every season, at the same local time."""
    for days in (-31, 100, 200, 365):
        assert any(
            clocks(flight)[0][3:] == "20:00" for flight in flown(world, "AKL-LAX", DAY + timedelta(days))
        )


def test_a_third_of_the_flights_are_sold_by_partners(world: World) -> None:
    """One or two partners each, never the operating airline itself."""
    flights = world.timetable.day(DAY).flights
    shared = [flight.service for flight in flights if flight.service.partners]
    assert 0.25 < len(shared) / len(flights) < 0.35
    for service in shared:
        assert service.airline not in [airline for airline, _ in service.partners]
        assert len(service.partners) <= 2


def test_no_two_flights_of_a_day_share_a_key(world: World) -> None:
    """Number, origin and date tell flights apart, and marketing numbers are no one else's."""
    flights = world.timetable.day(DAY).flights
    sold = [f"{airline.iata}{number}" for f in flights for airline, number in f.service.partners]
    assert len({flight.key for flight in flights}) == len(flights)
    assert len(set(sold)) == len(sold)
    assert not set(sold) & {flight.service.name for flight in flights}
