"""`POST /bookings` beside `pgbench` running the statements that one booking runs.

The statements are taken from a booking as it is made, so they are the product's own; only the flight, the
reference and the traveller are drawn anew in each transaction. Bookings are spread over all flights between two
cities, and each is for somebody new, because nobody is booked twice on a flight.
"""

import asyncio
import json
import os
import re
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from benchmarks import stack
from dev.servers import Servers

_ALPHABET = "BCDFGHJKMNPQRSTVWXYZ23456789"
_MARKETS = (("MEL", "SYD"), ("DEL", "BOM"), ("LAX", "SFO"), ("JFK", "LHR"))


def measure(url: str, servers: Servers, environment: dict[str, str], rounds: int, seconds: int) -> str:
    account = {"email": "bench@example.com", "password": "a window seat, please", "full_name": "Ada Lovelace"}
    token = stack.call("POST", f"{url}/auth/signup", account)["access_token"]
    asyncio.run(_room(servers.postgres.url))
    offers = [offer for market in _MARKETS for offer in _offers(url, *market)]
    os.environ.update(environment)
    statements = asyncio.run(_statements_of_a_booking(offers[0]))
    with TemporaryDirectory() as directory:
        flights = asyncio.run(_flight_ids(servers.postgres.url))
        sql = _pgbench_script(Path(directory), statements, flights)
        lua = _wrk_script(Path(directory), offers, token)
        stack.wrk(f"{url}/bookings", 1, lua), stack.pgbench(servers, sql, 1)
        pairs = [
            (stack.wrk(f"{url}/bookings", seconds, lua), stack.pgbench(servers, sql, seconds))
            for _ in range(rounds)
        ]
    ours, limit = [ours for ours, _ in pairs], [limit for _, limit in pairs]
    ratios = [a[0] / b for a, b in pairs]
    return (
        f"POST /bookings, 32 clients over {len(flights)} flights; pgbench, 8 connections, "
        f"the same {len(statements)} statements\n"
        f"  bookings {median(r for r, _ in ours):8.0f} /s   p99 {median(p for _, p in ours):6.1f} ms\n"
        f"  pgbench  {median(limit):8.0f} /s\n"
        f"  ratio    {median(ratios):8.2f}      [{min(ratios):.2f} to {max(ratios):.2f}, {rounds} pairs]"
    )


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


def _body(offer: str) -> dict[str, Any]:
    traveller = {"type": "adult", "given_name": "Ada", "family_name": "Lovelace", "born_on": "1990-12-10"}
    return {"offer_id": offer, "passengers": [traveller], "contact": {"email": "ada@example.com"}}


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
        await service.create(session, user.id, BookingIn.model_validate(_body(offer)))
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


def _wrk_script(directory: Path, offers: list[str], token: str) -> Path:
    bodies = ",\n".join(f"[==[{json.dumps(_body(offer))}]==]" for offer in offers)
    path = directory / "booking.lua"
    path.write_text(
        f"""
local bodies = {{{bodies}}}
local n = 0
local person = os.time() * 100000
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {token}"
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
