"""How many searches there are to a booking, and what was taken, day by day, from Jetway's own lines:

docker-compose logs --no-log-prefix api api2 worker | python look_to_book.py
"""

import json
import sys
from collections import Counter, defaultdict


def counted(lines):
    """Counts by day: `looks`, `held`, `confirmed`, and what was paid by currency, in minor units."""
    days, known = defaultdict(Counter), set()
    for line in lines:
        try:
            told = json.loads(line[line.index("{") :])
        except ValueError:
            continue  # Something else than a line of Jetway's.
        if told.get("event.dataset") != "jetway.business" or told.get("event.id") in known:
            continue
        if "event.id" in told:
            known.add(told["event.id"])  # An event may be told twice; its id is the same.
        day = days[told["@timestamp"][:10]]
        match told["event.action"]:
            case "search":
                day["looks"] += told["jetway.search.count"]
            case "booking.held" | "booking.confirmed" as step:
                day[step.removeprefix("booking.")] += 1
            case "payment.succeeded":
                day["paid " + told["jetway.money.currency"]] += told["jetway.money.amount"]
            case "payment.refunded":
                day["refunded " + told["jetway.money.currency"]] += told["jetway.money.amount"]
    return days


def main():
    for day, counts in sorted(counted(sys.stdin).items()):
        ratio = f"{counts['looks'] / counts['confirmed']:.1f}" if counts["confirmed"] else "-"
        told = " ".join(f"{name}={count}" for name, count in sorted(counts.items()))
        sys.stdout.write(f"{day} look-to-book={ratio} {told}\n")


if __name__ == "__main__":
    main()
