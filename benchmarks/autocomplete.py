"""`GET /airports?q=` without the wire: the index beside a scan of all airports, for the same queries in turn.

Run by `python -m benchmarks.autocomplete [--queries 2000]`; it needs no server. The queries are cities and names of
airports as they are typed, from one to twenty characters, half of them of the busiest airports, some with a mistake.
"""

import argparse
import gc
import platform
import random
import time
import tracemalloc
from collections.abc import Callable
from statistics import median, quantiles

from app.airports import search
from app.airports.service import Airport, Directory, _build, _packaged
from app.core.autocomplete import folded

_LONGEST = 20
_BUSY = 300


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.autocomplete", description=__doc__)
    parser.add_argument("--queries", type=int, default=2000)
    arguments = parser.parse_args()
    rows = _packaged()
    seconds = [_timed(lambda: _build(rows).warm()) for _ in range(7)]
    directory = _build(rows)
    directory.warm()
    print(f"Python {platform.python_version()}, {len(directory.by_iata)} airports")
    print(
        f"directory and index built in {median(seconds) * 1000:.0f} ms [{min(seconds) * 1000:.0f} to", end=" "
    )
    print(f"{max(seconds) * 1000:.0f}], of it {_megabytes(directory):.1f} MB of index")
    print(measure(directory, arguments.queries))


def measure(directory: Directory, count: int) -> str:
    """Each query once by either, the first of the two changing; both start cold and without the collector."""
    scan = Scan(list(directory.by_iata.values()))
    queries = _queries(directory, count)
    scan.search("warm")  # It folds every name once.
    gc.collect()
    gc.freeze()
    ours, theirs = list[float](), list[float]()
    for number, query in enumerate(queries):
        sides = [(ours, lambda q=query: directory.search(q, None)), (theirs, lambda q=query: scan.search(q))]
        for times, look in sides if number % 2 else reversed(sides):
            times.append(_timed(look) * 1000)
    return "\n".join(
        [
            f"{count} queries of 1 to {_LONGEST} characters",
            f"  index  p50 {median(ours):7.3f} ms   p99 {_p99(ours):7.3f} ms   most {max(ours):7.3f} ms",
            f"  scan   p50 {median(theirs):7.3f} ms   p99 {_p99(theirs):7.3f} ms   most {max(theirs):7.3f} ms",
            f"  ratio  p50 {median(theirs) / median(ours):7.0f}      p99 {_p99(theirs) / _p99(ours):7.0f}",
        ]
    )


class Scan:
    """The limit that the index replaces: look at every airport, then sort what fits."""

    def __init__(self, airports: list[Airport]) -> None:
        self._airports = airports
        self._folded = {airport.iata: (folded(airport.city), folded(airport.name)) for airport in airports}

    def search(self, query: str) -> list[Airport]:
        wanted = folded(query)
        ranked = []
        for airport in self._airports:
            rank = self._rank(airport, wanted)
            if rank is not None:
                ranked.append((rank, airport.city, airport.iata, airport))
        ranked.sort(key=lambda entry: entry[:3])
        return [entry[3] for entry in ranked]

    def _rank(self, airport: Airport, wanted: str) -> int | None:
        city, name = self._folded[airport.iata]
        tests = (
            airport.iata.casefold() == wanted,
            airport.city_code.casefold() == wanted,
            (airport.icao or "").casefold() == wanted,
            city == wanted,
            city.startswith(wanted),
            name.startswith(wanted),
            any(word.startswith(wanted) for word in f"{city} {name}".split()),
        )
        return next((rank for rank, hit in enumerate(tests) if hit), None)


def _queries(directory: Directory, count: int) -> list[str]:
    draw = random.Random(20)
    everywhere = directory.search("", None)
    return [_typed(draw, draw.choice(draw.choice((everywhere, everywhere[:_BUSY])))) for _ in range(count)]


def _typed(draw: random.Random, airport: Airport) -> str:
    """As much of what the airport is called as somebody has typed, in one of eight with a letter swapped."""
    words = airport.name.split()
    draw.shuffle(words)
    text = draw.choice((airport.city, airport.city, airport.name, " ".join(words), airport.iata))
    text = text[: draw.randint(1, _LONGEST)]
    if len(text) > 3 and draw.random() < 1 / 8:
        at = draw.randrange(len(text) - 1)
        text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text


def _megabytes(directory: Directory) -> float:
    """What the index alone keeps, measured by building a second one."""
    airports = directory.search("", None)
    tracemalloc.start()
    index = search.index(airports)
    size = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    del index
    return size


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


if __name__ == "__main__":
    main()
