"""`POST /bookings` beside `pgbench` running the statements that one booking runs.

The statements are taken from a booking as it is made, so they are the product's own; only the flight, the
reference and the traveller are drawn anew in each transaction. Each booking is for somebody new, because nobody
is booked twice on a flight.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from benchmarks import past, stack
from dev.servers import Servers

_ALPHABET = "BCDFGHJKMNPQRSTVWXYZ23456789"
_MARKETS = (("MEL", "SYD"), ("DEL", "BOM"), ("LAX", "SFO"), ("JFK", "LHR"))
_ACCOUNT = {"email": "bench@example.com", "password": "a window seat, please", "full_name": "Ada Lovelace"}


@dataclass(frozen=True)
class Shop:
    """An API with somebody signed in, and what can be booked there."""

    url: str
    database: str
    token: str
    offers: list[str]


def measure(shop: Shop, servers: Servers, environment: dict[str, str], rounds: int, seconds: int) -> str:
    """Over many flights, and all on one."""
    os.environ.update(environment)
    statements = asyncio.run(_statements_of_a_booking(shop.offers[0]))
    many = asyncio.run(_flight_ids(shop.database))
    one = next(value for value in statements[0][1] if isinstance(value, list))
    return "\n".join(
        [
            _beside_pgbench(shop, servers, statements, many, rounds, seconds),
            _beside_pgbench(replace(shop, offers=shop.offers[:1]), servers, statements, one, rounds, seconds),
        ]
    )


def paid(shop: Shop, rounds: int, seconds: int) -> str:
    """Bookings that are paid for in the same request, by the sandbox's card processor."""
    with TemporaryDirectory() as directory:
        lua = wrk_script(Path(directory), shop, "pm_card_visa")
        stack.wrk(f"{shop.url}/bookings", 1, lua)
        runs = [stack.wrk(f"{shop.url}/bookings", seconds, lua) for _ in range(rounds)]
    rate, p99 = (median(column) for column in zip(*runs, strict=True))
    return f"POST /bookings with a payment, 32 clients\n  paid     {rate:8.0f} /s   p99 {p99:6.1f} ms"


def grown(few: Shop, many: Shop, bookings: int, rounds: int, seconds: int) -> str:
    """So many bookings in the tables beside ten times as many, each with its own PostgreSQL."""
    sides = ((few, bookings), (many, 10 * bookings))
    for shop, number in sides:
        stack.call("POST", f"{shop.url}/bookings", body_of(shop.offers[-1]), shop.token)
        asyncio.run(past.fill(shop.database, number))
    with TemporaryDirectory() as directory:
        loads = [(f"{shop.url}/bookings", wrk_script(Path(directory), shop)) for shop, _ in sides]
        [stack.wrk(url, 1, lua) for url, lua in loads]
        pairs = [[stack.load(url, seconds, lua) for url, lua in loads] for _ in range(rounds)]
    ratios = [more[1] / less[1] for less, more in pairs]
    lines = []
    for (_, number), runs in zip(sides, zip(*pairs, strict=True), strict=True):
        rate, p50, p99 = (median(column) for column in zip(*runs, strict=True))
        lines.append(f"  {number:8} {rate:8.0f} /s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")
    last = (
        f"  ratio of p50 {median(ratios):4.2f}      [{min(ratios):.2f} to {max(ratios):.2f}, {rounds} pairs]"
    )
    return "\n".join(["POST /bookings, 32 clients, by the bookings in the tables", *lines, last])


def _beside_pgbench(
    shop: Shop,
    servers: Servers,
    statements: list[tuple[str, tuple[Any, ...]]],
    flights: list[int],
    rounds: int,
    seconds: int,
) -> str:
    with TemporaryDirectory() as directory:
        sql = _pgbench_script(Path(directory), statements, flights)
        lua = wrk_script(Path(directory), shop)
        stack.wrk(f"{shop.url}/bookings", 1, lua), stack.pgbench(servers, sql, 1)
        pairs = [
            (stack.load(f"{shop.url}/bookings", seconds, lua), stack.pgbench(servers, sql, seconds))
            for _ in range(rounds)
        ]
    ours, limit = zip(*pairs, strict=True)
    rates, p50, p99 = zip(*ours, strict=True)
    ratios = [rate / most for rate, most in zip(rates, limit, strict=True)]
    return (
        f"POST /bookings, 32 clients, flights: {len(flights)}; pgbench, 8 connections, "
        f"the same {len(statements)} statements\n"
        f"  bookings {median(rates):8.0f} /s   p50 {median(p50):6.1f} ms   p99 {median(p99):6.1f} ms\n"
        f"  pgbench  {median(limit):8.0f} /s\n"
        f"  ratio    {median(ratios):8.2f}      [{min(ratios):.2f} to {max(ratios):.2f}, {rounds} pairs]"
    )


def shop_at(url: str, servers: Servers) -> Shop:
    """No flight of it sells out while it is measured."""
    token = stack.call("POST", f"{url}/auth/signup", _ACCOUNT)["access_token"]
    asyncio.run(_room(servers.postgres.url))
    return Shop(url, servers.postgres.url, token, [o for market in _MARKETS for o in _offers(url, *market)])


def _offers(url: str, origin: str, destination: str) -> list[str]:
    query = f"origin={origin}&destination={destination}&departure_date={stack.DAY}&limit=100"
    found = stack.call("GET", f"{url}/flights/search?{query}")["data"]
    return [offer["id"] for offer in found if offer["fare_brand"] == "Light"]


async def _room(url: str) -> None:
    """No flight sells out while it is measured."""
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE aircraft_cabins SET seats = 10000000")
    await connection.close()


async def _flight_ids(url: str) -> list[int]:
    connection = await asyncpg.connect(url)
    day = stack.DAY
    found = await connection.fetch(
        "SELECT id FROM flights WHERE departure_date::text = $1 AND (origin || destination) = ANY($2)",
        day,
        [origin + destination for origin, destination in _MARKETS],
    )
    await connection.close()
    return [row["id"] for row in found]


def body_of(offer: str, payment_method: str | None = None) -> dict[str, Any]:
    traveller = {"type": "adult", "given_name": "Ada", "family_name": "Lovelace", "born_on": "1990-12-10"}
    body = {"offer_id": offer, "passengers": [traveller], "contact": {"email": "ada@example.com"}}
    return body | ({"payment": {"payment_method": payment_method}} if payment_method else {})


async def _statements_of_a_booking(offer: str) -> list[tuple[str, tuple[Any, ...]]]:
    """Make one booking in this process and write down what it asks of the database."""
    from sqlalchemy import event

    from app.airlines import service as airlines
    from app.airports import service as airports
    from app.auth.repository import user_by_email
    from app.bookings import service
    from app.bookings.schemas import BookingIn
    from app.core import db, redis
    from app.rules import service as rules

    db.connect()
    redis.connect()
    await airports.load()
    await airlines.load()
    await rules.load()
    seen: list[tuple[str, tuple[Any, ...]]] = []
    async with db.transaction() as session:
        user = await user_by_email(session, "bench@example.com")
    assert user is not None
    listener = db.engine().sync_engine
    event.listen(listener, "before_cursor_execute", lambda *a: seen.append((a[2], tuple(a[3]))))
    async with db.transaction() as session:
        await service.create(session, user.id, BookingIn.model_validate(body_of(offer)))
    await redis.disconnect()
    await db.disconnect()
    return seen


def _pgbench_script(
    directory: Path, statements: list[tuple[str, tuple[Any, ...]]], flights: list[int]
) -> Path:
    """The statements as a pgbench script: a flight, a reference and a name drawn, everything else as it was."""
    digits = " || ".join(f"substr('{_ALPHABET}', 1 + ((:draw / {28**i}) % 28)::int, 1)" for i in range(6))
    cases = " ".join(f"WHEN :pick = {index} THEN {flight}" for index, flight in enumerate(flights))
    lines = [
        f"\\set pick random(0, {len(flights) - 1})",
        f"\\set flight CASE {cases} END",
        f"\\set draw random(0, {28**6 - 1})",
        "BEGIN;",
    ]
    for text, parameters in statements:
        literals = [_literal(parameter, digits) for parameter in parameters]
        pieces = re.split(r"\$(\d+)", " ".join(text.split()))
        pieces[1::2] = [literals[int(position) - 1] for position in pieces[1::2]]
        statement = "".join(pieces)
        if "INSERT INTO seat_claims" in statement:
            statement = statement.replace("claimed.id AS claim_id", "claimed.id AS claim")
            lines.append(statement + " \\gset")
        else:
            lines.append(statement + ";")
    lines.append("COMMIT;")
    path = directory / "booking.sql"
    path.write_text("\n".join(lines) + "\n")
    return path


def _literal(value: Any, pnr: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return "ARRAY[:flight]"
    if isinstance(value, str) and re.fullmatch(f"[{_ALPHABET}]{{6}}", value):
        return f"({pnr})"
    traveller = re.fullmatch(r'(.*"ticket_name":"[A-Z ]+/[A-Z ]+)(".*)', str(value))
    if traveller:
        before, after = (_quoted(part) for part in traveller.groups())
        return f"({before} || translate(CAST(:draw AS text), '0123456789', 'ABCDEFGHIJ') || {after})"
    segment = re.fullmatch(r'(.*"flight_id":)\d+(.*"claim_id":)\d+(.*)', str(value))
    if segment:
        before, between, after = (_quoted(part) for part in segment.groups())
        return f"({before} || :flight || {between} || :claim || {after})"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    """A string without colons, which pgbench would take for variables."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a") + "'"


def wrk_script(directory: Path, shop: Shop, payment_method: str | None = None) -> Path:
    bodies = ",\n".join(f"[==[{json.dumps(body_of(offer, payment_method))}]==]" for offer in shop.offers)
    path = directory / f"{shop.url.rpartition(':')[2]}.lua"
    path.write_text(
        f"""
local bodies = {{{bodies}}}
local n = 0
local person = os.time() * 100000
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {shop.token}"
local function letters(k)
  local text = ""
  repeat
    text = text .. string.char(65 + k % 26)
    k = math.floor(k / 26)
  until k == 0
  return text
end
function request()
  n = n % #bodies + 1
  person = person + 1
  return wrk.format("POST", nil, nil, (bodies[n]:gsub("Lovelace", letters(person))))
end
"""
    )
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bookings", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="pairs of measurements")
    parser.add_argument("--seconds", type=int, default=4, help="length of each measurement")
    parser.add_argument(
        "--bookings", type=int, default=100_000, help="in the tables, beside ten times as many"
    )
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk: install it first, for example with `apt-get install wrk`.")
    print(f"Python {platform.python_version()}, server on one core, load and databases on the other")
    rounds, seconds = arguments.rounds, arguments.seconds
    with stack.product() as (url, servers, environment), stack.product() as (other_url, other_servers, _):
        few, many = shop_at(url, servers), shop_at(other_url, other_servers)
        print(grown(few, many, arguments.bookings, rounds, seconds), flush=True)
        print(measure(few, servers, environment, rounds, seconds), flush=True)
        print(paid(few, rounds, seconds))


if __name__ == "__main__":
    main()
