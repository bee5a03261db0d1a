"""OpenSky's rows: everything that is odd and was met in the wild is read, dropped or refused."""

from typing import Any

import orjson
import pytest

from app.providers.base import PositionReport, ProviderError
from app.providers.opensky import states

NOW = 1_795_363_200
ROW: list[Any] = [
    "4066a1",
    "BAW117  ",
    "United Kingdom",
    NOW - 2,
    NOW - 1,
    -31.6024,
    54.2101,
    11277.6,
    False,
    234.07,
    271.5,
    0,
    None,
    11346.18,
    "2213",
    False,
    0,
]


def read(*rows: Any, **more: Any) -> PositionReport:
    return states.report(orjson.dumps({"time": NOW, "states": list(rows), **more}))


def changed(**columns: Any) -> list[Any]:
    """The row with some columns replaced, by their number: `c5=None`."""
    row = list(ROW)
    for name, value in columns.items():
        row[int(name[1:])] = value
    return row


def test_no_states_are_no_aircraft() -> None:
    """Null instead of a list."""
    assert states.report(orjson.dumps({"time": NOW, "states": None})) == PositionReport(NOW, [], 0)


@pytest.mark.parametrize("columns", [16, 17, 18, 19, 25])
def test_rows_may_be_longer_or_shorter(columns: int) -> None:
    """Columns are appended from time to time."""
    row = [*ROW, -1, "new", *[None] * 10][:columns]

    [state] = read(row).aircraft

    assert (state.icao24, state.callsign, state.heard_at) == ("4066a1", "BAW117", NOW - 1)


def test_the_longitude_comes_first() -> None:
    [state] = read(ROW).aircraft

    assert (state.latitude, state.longitude) == (54.2101, -31.6024)


def test_whole_numbers_are_numbers() -> None:
    [state] = read(changed(c5=-31, c6=54, c7=11000, c9=0, c10=180, c11=-4)).aircraft

    assert state[2:8] == (54, -31, 11000, 0, 180, -4)


def test_true_is_not_one() -> None:
    """Nor is text a number."""
    [state] = read(changed(c7=True, c9="234", c10=[], c13=None)).aircraft

    assert (state.altitude_m, state.ground_speed_mps, state.heading_deg) == (None, None, None)


def test_the_geometric_height_stands_in_for_the_barometric() -> None:
    [state] = read(changed(c7=None)).aircraft

    assert state.altitude_m == 11346.18


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        ("BAW117  ", "BAW117"),
        ("baw117", "BAW117"),
        ("BAW 117", "BAW117"),
        ("        ", None),
        ("", None),
        (None, None),
        ("\x00BA@1\u00e9", "BA1"),
        (117, None),
    ],
)
def test_callsigns_are_made_alike(said: Any, read_as: str | None) -> None:
    [state] = read(changed(c1=said)).aircraft

    assert state.callsign == read_as


@pytest.mark.parametrize(("longitude", "latitude"), [(None, 54.0), (-31.0, None), (181.0, 0.0), (0.0, -90.1)])
def test_half_a_position_is_none(longitude: Any, latitude: Any) -> None:
    """And has no time."""
    [state] = read(changed(c5=longitude, c6=latitude)).aircraft

    assert (state.latitude, state.longitude, state.positioned_at) == (None, None, None)


@pytest.mark.parametrize(
    "row",
    [
        None,
        {},
        [],
        ROW[:11],
        changed(c0=None),
        changed(c0="xyz"),
        changed(c0="4066a1b"),
        changed(c4=None),
        changed(c4=-5),
    ],
)
def test_a_bad_row_is_dropped_and_counted(row: Any) -> None:
    """The others stay."""
    report = read(ROW, row, changed(c0="3C6675"))

    assert [state.icao24 for state in report.aircraft] == ["4066a1", "3c6675"]
    assert report.dropped == 1


def test_new_fields_of_the_answer_are_ignored() -> None:
    assert len(read(ROW, sensors=[1, 2], version="2").aircraft) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"[]",
        b'{"time": 1795363200}',
        b'{"states": []}',
        b'{"time": "x", "states": []}',
        b'{"time": 1795363200, "states": {}}',
        b'{"time": 1795363200, "states": [',
    ],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ProviderError, match="unreadable"):
        states.report(body)


def test_a_byte_order_mark_is_skipped() -> None:
    assert states.report(b"\xef\xbb\xbf" + orjson.dumps({"time": NOW, "states": None})).time == NOW


@pytest.mark.parametrize("key", ["callsign", "calllsign"])
def test_in_tracks_the_latitude_comes_first(key: str) -> None:
    """Unlike in states; and the callsign is written in two ways."""
    path = [[NOW, 51.5, -0.45, 0, 270, True], [NOW - 60, 51.4, -0.6, 914.4, None, False]]
    points, dropped = states.track(orjson.dumps({"icao24": "4066a1", key: "BAW117  ", "path": path}))

    assert [tuple(point) for point in points] == [(NOW - 60, 51.4, -0.6, 914.4), (NOW, 51.5, -0.45, 0)]
    assert dropped == 0


def test_bad_points_of_a_track_are_dropped_and_counted() -> None:
    path = [
        [NOW, 51.5, -0.45, None, 270, True],
        [NOW, None, -0.6, 914.4],
        [None, 1, 1, 1],
        "x",
        [NOW, 91, 0, 0],
    ]
    points, dropped = states.track(orjson.dumps({"path": path}))

    assert [tuple(point) for point in points] == [(NOW, 51.5, -0.45, None)]
    assert dropped == 4


def test_a_track_without_a_path_is_empty() -> None:
    assert states.track(b'{"path": null}') == ([], 0)
    with pytest.raises(ProviderError, match="unreadable"):
        states.track(b'{"path": 5}')
