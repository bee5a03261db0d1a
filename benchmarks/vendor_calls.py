"""`python -m benchmarks.vendor_calls`: what searches cost at the vendor, beside one call for each search.

The load: markets and days ahead are drawn from Zipf distributions (exponent 1), as a few routes and the next
weeks make most of what people look for. The first thousand meet an empty store, the second one what those
have left behind.
"""

import json
import random
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from benchmarks.stack import product

SEARCHES = 1_000
MARKETS, DAYS = 300, 90
SEED = 20


def main() -> None:
    with product() as (api, _servers, environment):
        sandbox = environment["AVIATIONSTACK_BASE_URL"]
        markets = _markets(sandbox)
        draw = random.Random(SEED)
        print(f"{SEARCHES} searches over {len(markets)} markets and {DAYS} days, Zipf with exponent 1")
        for name in ("on an empty store", "again, on what is stored"):
            _read(f"{sandbox}/_sandbox/journal", method="DELETE")
            asked = [_query(draw, markets) for _ in range(SEARCHES)]
            answers = Counter(_status(f"{api}/flights/search?{query}") for query in asked)
            calls = _read(f"{sandbox}/_sandbox/journal")["requests"]
            boards = sum(call["params"].get("offset") == "0" for call in calls)
            print(
                f"{name}: {len(calls)} vendor calls for {boards} boards, {len(calls) / SEARCHES:.3f} calls a search"
                f" ({len(set(asked))} different searches, answers {dict(answers)})"
            )


def _markets(sandbox: str) -> list[tuple[str, str]]:
    day = (datetime.now(UTC) + timedelta(days=10)).date()
    flights = _read(f"{sandbox}/_sandbox/flights?date={day}")["flights"]
    busiest = Counter((flight["origin"], flight["destination"]) for flight in flights)
    return [market for market, _ in busiest.most_common(MARKETS)]


def _query(draw: random.Random, markets: list[tuple[str, str]]) -> str:
    origin, destination = markets[_zipf(draw, len(markets))]
    day = datetime.now(UTC).date() + timedelta(days=2 + _zipf(draw, DAYS))
    return f"origin={origin}&destination={destination}&departure_date={day}&adults=1"


def _zipf(draw: random.Random, size: int) -> int:
    """A rank from 0, where rank r comes 1/(r+1) times as often as the first."""
    weights = list(accumulate(1 / (rank + 1) for rank in range(size)))
    return draw.choices(range(size), cum_weights=weights)[0]


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def _read(url: str, method: str = "GET") -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=20) as response:
        return json.load(response)


if __name__ == "__main__":
    main()
