"""What the indices by flight cost a booking: `POST /bookings`, held and paid, with them and without, in turn.

`python -m benchmarks.indices [--rounds 7] [--each 100] [--bookings 20000]`. They are dropped and made again between the
two sides of a pair, in one database; one client books so often on each side. Beside the time of an answer there is
what a busy machine changes little: the log that PostgreSQL writes for a booking, and the time of the processor that its
processes take for it. Images of whole pages are left out of that log: they come after each checkpoint, whoever is
measured then. The index of `coupons` is not the product's any more.
"""

import argparse
import asyncio
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

import asyncpg

from benchmarks import bookings, past, stack

_TABLES = ("seat_claims", "seat_assignments", "booking_extras", "booking_services", "coupons")
_WHAT = {"took": "answer, ms", "logged": "log, bytes", "worked": "PostgreSQL, us"}
_people = count(26**3)


@dataclass(frozen=True)
class Run:
    """Of one booking: the median of its answers, its bytes of log, its microseconds of PostgreSQL's processor."""

    took: float
    logged: float
    worked: float


async def _run(database: str, *statements: str) -> int:
    connection = await asyncpg.connect(database)
    try:
        return [int(await connection.fetchval(one) or 0) for one in statements][-1]
    finally:
        await connection.close()


def _told(database: str, *statements: str) -> int:
    return asyncio.run(_run(database, *statements))


def _without(database: str) -> None:
    _told(database, *(f"DROP INDEX ix_{table}_flight_id" for table in _TABLES))


def _with(database: str) -> None:
    made = (f"CREATE INDEX IF NOT EXISTS ix_{table}_flight_id ON {table} (flight_id)" for table in _TABLES)
    _told(database, *made)


def _postgres_us(postmaster: int) -> float:
    """What the scheduler has counted for PostgreSQL's processes, of which none begins or ends meanwhile."""
    return sum(int((one / "schedstat").read_text().split()[0]) for one in _children(postmaster)) / 1e3


def _children(postmaster: int) -> Iterator[Path]:
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if one.joinpath("stat").read_text().rpartition(")")[2].split()[1] == str(postmaster):
                yield one
        except OSError:  # It has ended meanwhile.
            continue


def _measured(shop: bookings.Shop, payment: str | None, each: int) -> Run:
    where = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
    postmaster = _told(shop.database, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
    logged, worked = _told(shop.database, where), _postgres_us(postmaster)
    took = [_book(shop, payment) for _ in range(each)]
    worked, logged = _postgres_us(postmaster) - worked, _told(shop.database, where) - logged
    return Run(median(took) * 1e3, logged / each, worked / each)


def _book(shop: bookings.Shop, payment: str | None) -> float:
    """For somebody new; gives the seconds until the answer."""
    number = next(_people)
    body = bookings.body_of(shop.offers[number % len(shop.offers)], payment)
    body["passengers"][0]["family_name"] = "".join(chr(65 + number // 26**place % 26) for place in range(6))
    began = time.perf_counter()
    stack.call("POST", f"{shop.url}/bookings", body, shop.token)
    return time.perf_counter() - began


def measure(what: str, shop: bookings.Shop, payment: str | None, rounds: int, each: int) -> str:
    _measured(shop, payment, 10)
    pairs = []
    for _ in range(rounds):
        first = _measured(shop, payment, each)
        _without(shop.database)
        pairs.append((first, _measured(shop, payment, each)))
        _with(shop.database)
    lines = [f"POST /bookings, {what}, {rounds} pairs of {each}: with, without, ratio"]
    for field, name in _WHAT.items():
        dear, cheap = ([float(getattr(pair[side], field)) for pair in pairs] for side in (0, 1))
        ratios = [one / other for one, other in zip(dear, cheap, strict=True)]
        lines.append(
            f"  {name:14} {median(dear):8.1f} {median(cheap):8.1f}   {median(ratios):5.3f}"
            f"   [{min(ratios):.3f} to {max(ratios):.3f}]"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.indices")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of measurements")
    parser.add_argument("--each", type=int, default=100, help="bookings of each measurement")
    parser.add_argument("--bookings", type=int, default=20_000, help="bookings that are there already")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, server on one core, load and databases on the other")
    with stack.product() as (url, servers, _):
        shop = bookings.shop_at(url, servers)
        stack.call("POST", f"{url}/bookings", bookings.body_of(shop.offers[-1]), shop.token)
        asyncio.run(past.fill(shop.database, arguments.bookings))
        _told(shop.database, "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()::int")
        _with(shop.database)
        for what, payment in (("held", None), ("paid", "pm_card_visa")):
            print(measure(what, shop, payment, arguments.rounds, arguments.each), flush=True)


if __name__ == "__main__":
    main()
