"""Airports as people type them."""

import random

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app.airports import service
from app.airports.service import Directory
from app.core.autocomplete import Entry, Index, folded


@pytest_asyncio.fixture(scope="module")
async def airports(address: str) -> Directory:
    """The directory of the API, which runs in this process."""
    return service.directory()


def codes(airports: Directory, query: str, country: str | None = None) -> list[str]:
    return [airport.iata for airport in airports.search(query, country)]


async def test_every_code_typed_in_full_finds_its_airport_first(airports: Directory) -> None:
    """Whatever cities begin with it."""
    assert [code for code in airports.by_iata if codes(airports, code.lower())[0] != code] == []


async def test_an_icao_code_finds_its_airport(airports: Directory) -> None:
    """Pilots read these too."""
    assert codes(airports, "egll") == ["LHR"]


async def test_a_citys_code_finds_its_airports_by_how_many_use_them(airports: Directory) -> None:
    """Before a place that only begins like it."""
    found = codes(airports, "lon")

    assert found[:5] == ["LHR", "LGW", "STN", "LTN", "LCY"]
    assert "LDB" in found[5:]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("new y", ["JFK", "EWR", "LGA"]),
        ("l", ["LHR", "LAX"]),
        ("par", ["CDG", "ORY"]),
        ("san f", ["SFO"]),
        ("fra", ["FRA"]),
        ("mad", ["MAD"]),
        ("toky", ["HND", "NRT"]),
        ("washington", ["IAD"]),
        ("man", ["MAN"]),
        ("manil", ["MNL"]),
    ],
)
async def test_the_busy_come_before_the_quiet(airports: Directory, typed: str, first: list[str]) -> None:
    """After a few letters what most people mean is there."""
    assert codes(airports, typed)[: len(first)] == first


@pytest.mark.parametrize(
    "typed", ["munchen", "münchen", "MÜNCHEN", "muenchen", "munich", "monaco di baviera"]
)
async def test_munich_is_found_in_any_language(airports: Directory, typed: str) -> None:
    """With its accents, without them, and as Germans write without a German keyboard."""
    assert codes(airports, typed)[0] == "MUC"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("milano", "MXP"),
        ("roma", "FCO"),
        ("wien", "VIE"),
        ("köln", "CGN"),
        ("praha", "PRG"),
        ("lisboa", "LIS"),
        ("firenze", "FLR"),
        ("genève", "GVA"),
        ("moskva", "SVO"),
        ("kyiv", "KBP"),
        ("kiev", "KBP"),
        ("bombay", "BOM"),
        ("peking", "PEK"),
        ("saigon", "SGN"),
        ("københavn", "CPH"),
        ("göteborg", "GOT"),
        ("łódź", "LCJ"),
        ("istanbul", "IST"),
        ("bali", "DPS"),
        ("vancouver", "YVR"),
        ("panama city", "PTY"),
        ("東京", "HND"),
        ("москва", "SVO"),
    ],
)
async def test_a_city_is_found_by_what_else_it_is_called(airports: Directory, typed: str, code: str) -> None:
    """In its own language, in the traveller's, or as it was once called."""
    assert codes(airports, typed)[0] == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("heathrow", "LHR"),
        ("gaulle", "CDG"),
        ("kennedy", "JFK"),
        ("o'hare", "ORD"),
        ("ohare", "ORD"),
        ("narita", "NRT"),
    ],
)
async def test_a_word_inside_the_name_is_enough(airports: Directory, typed: str, code: str) -> None:
    """People know airports by their nicknames."""
    assert codes(airports, typed)[0] == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("paris charles", "CDG"),
        ("charles paris", "CDG"),
        ("tokyo haneda", "HND"),
        ("haneda tok", "HND"),
        ("gatwick london", "LGW"),
        ("new york kennedy", "JFK"),
    ],
)
async def test_words_may_come_in_any_order(airports: Directory, typed: str, code: str) -> None:
    """The last of them half typed."""
    assert codes(airports, typed) == [code]


@pytest.mark.parametrize(
    "typed", ["heathrow ", "heathrow a", "heathrow air", "heathrow airport", "airport heathrow"]
)
async def test_the_word_airport_says_nothing(airports: Directory, typed: str) -> None:
    """It is in every second name, and takes nothing away while it is typed."""
    assert codes(airports, typed) == ["LHR"]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("lodnon", "LHR"),
        ("londn", "LHR"),
        ("barclona", "BCN"),
        ("amsterdm", "AMS"),
        ("amstterdam", "AMS"),
        ("frnkf", "FRA"),
        ("franfk", "FRA"),
        ("sydny", "SYD"),
        ("los angelas", "LAX"),
        ("new yrok", "JFK"),
        ("san fransisco", "SFO"),
        ("heathorw", "LHR"),
    ],
)
async def test_one_wrong_letter_is_forgiven(airports: Directory, typed: str, code: str) -> None:
    """Left out, too many, another one, or swapped with its neighbour; in names half typed too."""
    assert codes(airports, typed)[0] == code


async def test_every_city_survives_a_mistake(airports: Directory) -> None:
    """Of the hundred busiest; where the result is the name of another place, that place is meant."""
    names = {name for airport in airports.by_iata.values() for name in (folded(airport.city),)}
    busiest = [airport for airport in airports.search("", None)[:100] if len(folded(airport.city)) > 5]
    lost = [
        (typed, airport.iata)
        for airport in busiest
        for typed in mistaken(folded(airport.city))
        if typed not in names and airport.iata not in codes(airports, typed)
    ]

    assert len(busiest) > 50
    assert lost == []


def mistaken(name: str) -> list[str]:
    """A name with one letter wrong, once in each way, at the same place every time."""
    longest = max(name.split(), key=len)
    if len(longest) < 6:
        return []
    at = name.index(longest) + random.Random(name).randrange(len(longest) - 1)
    before, letter, after = name[:at], name[at], name[at + 1 :]
    return [
        before + after,
        before + "q" + after,
        before + "q" + letter + after,
        before + after[0] + letter + after[1:],
    ]


async def test_what_is_called_exactly_so_was_not_mistyped(airports: Directory) -> None:
    """Whoever types `delhi` need not be offered Dehli-like places."""
    assert codes(airports, "delhi") == ["DEL"]
    assert codes(airports, "zurich") == ["ZRH"]


async def test_three_letters_are_no_mistake(airports: Directory) -> None:
    """They are one letter from half the world."""
    assert codes(airports, "qqz") == []


async def test_only_one_country(airports: Directory) -> None:
    """What is elsewhere neither counts nor helps to find what is here."""
    assert codes(airports, "london", "CA") == ["YXU"]
    assert codes(airports, "san jose", "CR")[0] == "SJO"
    assert codes(airports, "london", "QQ") == []


async def test_nothing_typed_shows_everything_the_busiest_first(airports: Directory) -> None:
    """Atlanta has been that for decades."""
    found = codes(airports, " ")

    assert found[0] == "ATL"
    assert sorted(found) == sorted(airports.by_iata)


async def test_what_holds_no_letters_finds_nothing(airports: Directory) -> None:
    """It is not the same as nothing."""
    assert codes(airports, "...") == codes(airports, "-") == []


WORDS = st.text("abcdefé -'", max_size=12)


@given(st.lists(WORDS, max_size=8), WORDS)
def test_any_text_gives_each_entry_at_most_once_and_always_the_same(names: list[str], query: str) -> None:
    """Pages hold together, whatever is typed."""
    index = Index([Entry((name[:3],), (name,), text=name[::-1]) for name in names], noise="abc")
    found = index.find(query)

    assert len(found) == len(set(found))
    assert found == index.find(query) == index.find(query.upper())
    assert set(found) <= set(range(len(names)))


@given(st.text("abcdefghij", min_size=4, max_size=10), st.data())
def test_a_word_with_a_letter_left_out_or_added_is_found(name: str, data: st.DataObject) -> None:
    """Wherever in the word it is."""
    index = Index([Entry((), (name,))])
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("abcxyz"))

    assert index.find(name[:at] + letter + name[at:]) == [0]
    assert index.find(name[:at] + letter + name[at + 1 :]) == [0]
    if len(name) > 4:
        assert index.find(name[:at] + name[at + 1 :]) == [0]
