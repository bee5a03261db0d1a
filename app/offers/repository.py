"""Every question to flights on sale and their seats."""

from datetime import datetime
from typing import Any

from app.core.db import Row, Session, rows

# An aircraft type that nobody has described counts as the type `*`.
_SEATS_OF = """
    c.cabin = :cabin AND c.aircraft_type = CASE
        WHEN EXISTS (SELECT FROM aircraft_cabins k WHERE k.aircraft_type = f.aircraft_type)
        THEN f.aircraft_type ELSE '*' END
"""

# Claims that ran out count as free at once, whether or not a sweeper has come by; where nothing is held, none did.
_RUN_OUT = """CASE WHEN i.held > 0 THEN (
    SELECT sum(s.seats) FROM seat_claims s
    WHERE s.flight_id = f.id AND s.cabin = :cabin AND s.released_at IS NULL AND s.expires_at <= now()) END
"""

# A flight with what search and booking show of it, and the seats it has in one cabin.
_FLIGHT = f"""
    SELECT f.id, f.carrier, f.number, f.departure_date, f.origin, f.destination, f.departs_local,
           f.departs_at, f.arrives_at, CASE WHEN f.missed >= 2 THEN 'withdrawn' ELSE f.status END AS status,
           f.schedule_source = 'projection' AS projected, f.departure_terminal, f.arrival_terminal, f.aircraft_type,
           f.codeshares, coalesce(a.name, f.carrier) AS operated_by,
           coalesce(i.capacity, c.seats, 0) - coalesce(i.held, 0) - coalesce(i.sold, 0)
               + coalesce({_RUN_OUT}, 0) AS seats_left
    FROM flights f
    LEFT JOIN airlines a ON a.iata = f.carrier
    LEFT JOIN inventory i ON i.flight_id = f.id AND i.cabin = :cabin
    LEFT JOIN aircraft_cabins c ON {_SEATS_OF}
"""


async def free_seats(session: Session, ids: list[int], cabin: str) -> dict[int, tuple[int, int]]:
    """How many seats each of these flights has in a cabin, and how many are taken; only of flights on sale."""
    found = await rows(
        session,
        f"""
        SELECT f.id, coalesce(i.capacity, c.seats, 0) AS capacity,
               coalesce(i.held, 0) + coalesce(i.sold, 0) - coalesce({_RUN_OUT}, 0) AS taken
        FROM flights f
        LEFT JOIN inventory i ON i.flight_id = f.id AND i.cabin = :cabin
        LEFT JOIN aircraft_cabins c ON {_SEATS_OF}
        WHERE f.id = ANY(CAST(:ids AS bigint[])) AND f.status = 'scheduled' AND f.missed < 2
        """,
        ids=ids,
        cabin=cabin,
    )
    return {row["id"]: (row["capacity"], row["taken"]) for row in found}


async def flights(session: Session, ids: list[int], cabin: str) -> dict[int, Row]:
    found = await rows(session, _FLIGHT + "WHERE f.id = ANY(CAST(:ids AS bigint[]))", ids=ids, cabin=cabin)
    return {row["id"]: row for row in found}


async def claim(session: Session, ids: list[int], cabin: str, seats: int, hold_minutes: float) -> list[Row]:
    """Take seats on every flight that has them, and return those flights with their claims.

    Locks are taken by departure and id, so two bookings of the same flights queue instead of deadlocking.
    """
    return await rows(
        session,
        f"""
        WITH taken AS (
            INSERT INTO inventory AS i (flight_id, cabin, capacity, held)
            SELECT f.id, :cabin, c.seats, :seats
            FROM flights f JOIN aircraft_cabins c ON {_SEATS_OF}
            WHERE f.id = ANY(CAST(:ids AS bigint[])) AND c.seats >= :seats
            ORDER BY f.departs_at, f.id
            ON CONFLICT (flight_id, cabin) DO UPDATE SET held = i.held + excluded.held
                WHERE i.held + i.sold + excluded.held <= i.capacity
            RETURNING flight_id),
        claimed AS (
            INSERT INTO seat_claims (flight_id, cabin, seats, expires_at)
            SELECT flight_id, :cabin, :seats, now() + make_interval(secs => :seconds) FROM taken
            RETURNING id, flight_id, expires_at)
        SELECT flight.*, claimed.id AS claim_id, claimed.expires_at AS claim_expires_at
        FROM claimed JOIN ({_FLIGHT} WHERE f.id = ANY(CAST(:ids AS bigint[]))) flight
          ON flight.id = claimed.flight_id
        """,
        ids=ids,
        cabin=cabin,
        seats=seats,
        seconds=hold_minutes * 60,
    )


async def mark(session: Session) -> None:
    """Remember this moment of the transaction, so that what comes next can be undone alone."""
    await rows(session, "SAVEPOINT mark")


async def back_to_mark(session: Session) -> None:
    await rows(session, "ROLLBACK TO SAVEPOINT mark")


async def lock(session: Session, ids: list[int], cabin: str) -> None:
    """Lock the seats of several flights in the order in which `claim` takes them.

    Who gives back seats on one of them and then claims them all would otherwise lock them in another order.
    """
    await rows(
        session,
        f"""
        INSERT INTO inventory AS i (flight_id, cabin, capacity)
        SELECT f.id, :cabin, c.seats
        FROM flights f JOIN aircraft_cabins c ON {_SEATS_OF}
        WHERE f.id = ANY(CAST(:ids AS bigint[]))
        ORDER BY f.departs_at, f.id
        ON CONFLICT (flight_id, cabin) DO UPDATE SET held = i.held
        """,
        ids=ids,
        cabin=cabin,
    )


async def release(session: Session, **wanted: Any) -> int:
    """Give back the seats of claims by `claim_ids`, or of claims that ran out by `flight_ids` and `cabin`.

    Each claim is released once, whoever comes first. Returns how many were. Who names claims must see them
    released and waits for who has them: that transaction may yet be undone. Who only looks for seats does not.
    """
    which, waiting = (
        ("s.id = ANY(CAST(:claim_ids AS bigint[]))", "")
        if "claim_ids" in wanted
        else (
            "s.flight_id = ANY(CAST(:flight_ids AS bigint[])) AND s.cabin = :cabin AND s.expires_at <= now()",
            "SKIP LOCKED",
        )
    )
    released = await rows(
        session,
        f"""
        WITH released AS (
            UPDATE seat_claims SET released_at = now()
            WHERE id IN (SELECT s.id FROM seat_claims s
                         WHERE {which} AND s.released_at IS NULL ORDER BY s.id FOR UPDATE {waiting})
              AND released_at IS NULL
            RETURNING flight_id, cabin, seats, expires_at),
        counted AS (
            SELECT r.flight_id, r.cabin, sum(r.seats) FILTER (WHERE r.expires_at IS NOT NULL) AS held,
                   sum(r.seats) FILTER (WHERE r.expires_at IS NULL) AS sold, count(*) AS claims
            FROM released r GROUP BY r.flight_id, r.cabin),
        locked AS (
            SELECT i.flight_id, i.cabin FROM inventory i
            JOIN flights f ON f.id = i.flight_id JOIN counted USING (flight_id, cabin)
            ORDER BY f.departs_at, f.id FOR UPDATE OF i)
        UPDATE inventory i
        SET held = i.held - coalesce(c.held, 0), sold = i.sold - coalesce(c.sold, 0)
        FROM counted c JOIN locked USING (flight_id, cabin)
        WHERE i.flight_id = c.flight_id AND i.cabin = c.cabin
        RETURNING c.claims
        """,
        **wanted,
    )
    return sum(row["claims"] for row in released)


async def lost(session: Session, claim_ids: list[int]) -> list[int]:
    """Of these claims, locked, those whose seats somebody else was given. One that ran out may still have its own."""
    found = await rows(
        session,
        """
        SELECT id, released_at FROM seat_claims WHERE id = ANY(CAST(:claim_ids AS bigint[])) ORDER BY id FOR UPDATE
        """,
        claim_ids=claim_ids,
    )
    return [row["id"] for row in found if row["released_at"] is not None]


async def secure(session: Session, claim_ids: list[int]) -> None:
    """Let held seats be sold seats, those that are not sold yet."""
    await rows(
        session,
        """
        WITH secured AS (
            UPDATE seat_claims SET expires_at = NULL
            WHERE id IN (SELECT id FROM seat_claims WHERE id = ANY(CAST(:claim_ids AS bigint[])) ORDER BY id FOR UPDATE)
              AND released_at IS NULL AND expires_at IS NOT NULL
            RETURNING flight_id, cabin, seats),
        counted AS (SELECT flight_id, cabin, sum(seats) AS seats FROM secured GROUP BY flight_id, cabin),
        locked AS (
            SELECT i.flight_id, i.cabin FROM inventory i
            JOIN flights f ON f.id = i.flight_id JOIN counted USING (flight_id, cabin)
            ORDER BY f.departs_at, f.id FOR UPDATE OF i)
        UPDATE inventory i SET held = i.held - c.seats, sold = i.sold + c.seats
        FROM counted c JOIN locked USING (flight_id, cabin)
        WHERE i.flight_id = c.flight_id AND i.cabin = c.cabin
        """,
        claim_ids=claim_ids,
    )


async def prolong(session: Session, claim_ids: list[int], until: datetime) -> None:
    """Hold seats for longer, those that are still held."""
    await rows(
        session,
        """
        UPDATE seat_claims SET expires_at = greatest(expires_at, CAST(:until AS timestamptz))
        WHERE id IN (SELECT id FROM seat_claims WHERE id = ANY(CAST(:claim_ids AS bigint[])) ORDER BY id FOR UPDATE)
          AND released_at IS NULL AND expires_at IS NOT NULL
        """,
        claim_ids=claim_ids,
        until=until,
    )


async def give_back(session: Session, claim_ids: list[int], seats: list[int]) -> None:
    """Give back some of the seats that claims have bought; at least one of each stays."""
    await rows(
        session,
        """
        WITH wanted AS (SELECT * FROM unnest(CAST(:claim_ids AS bigint[]), CAST(:seats AS int[])) AS w(id, seats)),
        shrunk AS (
            UPDATE seat_claims s SET seats = s.seats - w.seats FROM wanted w
            WHERE s.id = w.id AND s.released_at IS NULL AND s.expires_at IS NULL
            RETURNING s.flight_id, s.cabin, w.seats),
        counted AS (SELECT flight_id, cabin, sum(seats) AS seats FROM shrunk GROUP BY flight_id, cabin),
        locked AS (
            SELECT i.flight_id, i.cabin FROM inventory i
            JOIN flights f ON f.id = i.flight_id JOIN counted USING (flight_id, cabin)
            ORDER BY f.departs_at, f.id FOR UPDATE OF i)
        UPDATE inventory i SET sold = i.sold - c.seats
        FROM counted c JOIN locked USING (flight_id, cabin)
        WHERE i.flight_id = c.flight_id AND i.cabin = c.cabin
        """,
        claim_ids=claim_ids,
        seats=seats,
    )


async def describe_types(session: Session, types: list[str], cabins: list[str], seats: list[int]) -> None:
    """Give seats to aircraft types that have none in any cabin; what operators have said of a type stands."""
    await rows(
        session,
        """
        INSERT INTO aircraft_cabins (aircraft_type, cabin, seats)
        SELECT t.* FROM unnest(CAST(:types AS text[]), CAST(:cabins AS text[]), CAST(:seats AS int[]))
            AS t(aircraft_type, cabin, seats)
        WHERE NOT EXISTS (SELECT FROM aircraft_cabins k WHERE k.aircraft_type = t.aircraft_type)
        ORDER BY aircraft_type, cabin
        ON CONFLICT DO NOTHING
        """,
        types=types,
        cabins=cabins,
        seats=seats,
    )
