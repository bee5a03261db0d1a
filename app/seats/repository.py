"""Every question to who sits where."""

from collections.abc import Sequence

from app.core.db import Row, Session, rows

# A claim keeps its seats until it is released or runs out, by the database's clock, whether or not a sweeper came by.
_LIVE = "s.released_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > now())"


async def capacities(session: Session, flight_ids: list[int], types: list[str | None]) -> list[Row]:
    """The seats for sale in each cabin of flights; a type that nobody has described counts as the type `*`."""
    return await rows(
        session,
        """
        SELECT flight_id, cabin, capacity FROM inventory WHERE flight_id = ANY(CAST(:flight_ids AS bigint[]))
        UNION ALL
        SELECT f.flight_id, c.cabin, c.seats
        FROM unnest(CAST(:flight_ids AS bigint[]), CAST(:types AS text[])) AS f(flight_id, aircraft_type)
        JOIN aircraft_cabins c ON c.aircraft_type = CASE
            WHEN EXISTS (SELECT FROM aircraft_cabins k WHERE k.aircraft_type = f.aircraft_type)
            THEN f.aircraft_type ELSE '*' END
        WHERE NOT EXISTS (SELECT FROM inventory i WHERE i.flight_id = f.flight_id AND i.cabin = c.cabin)
        ORDER BY flight_id, cabin
        """,
        flight_ids=flight_ids,
        types=types,
    )


async def taken(session: Session, flight_ids: list[int]) -> list[Row]:
    """Who sits where on these flights."""
    return await rows(
        session,
        f"""
        SELECT a.flight_id, a.seat, a.infant_block, a.claim_id, a.position
        FROM seat_assignments a JOIN seat_claims s ON s.id = a.claim_id
        WHERE a.flight_id = ANY(CAST(:flight_ids AS bigint[])) AND a.released_at IS NULL AND {_LIVE}
        """,
        flight_ids=flight_ids,
    )


async def of_claims(session: Session, claim_ids: list[int]) -> list[Row]:
    return await rows(
        session,
        f"""
        SELECT a.claim_id, a.flight_id, a.position, a.seat, a.assigned_at
        FROM seat_assignments a JOIN seat_claims s ON s.id = a.claim_id
        WHERE a.claim_id = ANY(CAST(:claim_ids AS bigint[])) AND a.released_at IS NULL AND {_LIVE}
        ORDER BY a.claim_id, a.position
        """,
        claim_ids=claim_ids,
    )


async def move(session: Session, renewed: dict[int, int]) -> None:
    """Let who sat by an old claim sit by the new one, where nobody has taken the seat meanwhile."""
    await rows(
        session,
        """
        UPDATE seat_assignments a SET claim_id = n.new
        FROM unnest(CAST(:old AS bigint[]), CAST(:new AS bigint[])) AS n(old, new)
        WHERE a.claim_id = n.old AND a.released_at IS NULL
        """,
        old=list(renewed),
        new=list(renewed.values()),
    )


async def lock(session: Session, claim_ids: list[int]) -> None:
    """Let nobody else seat or sell anybody in the cabins of these claims.

    Claims by id, then cabins by departure: the order in which `offers` gives seats back.
    """
    await rows(
        session,
        """
        WITH claims AS (
            SELECT s.flight_id, s.cabin FROM seat_claims s
            WHERE s.id = ANY(CAST(:claim_ids AS bigint[])) ORDER BY s.id FOR KEY SHARE)
        SELECT i.flight_id FROM inventory i JOIN claims USING (flight_id, cabin) JOIN flights f ON f.id = i.flight_id
        ORDER BY f.departs_at, f.id FOR NO KEY UPDATE OF i
        """,
        claim_ids=claim_ids,
    )


async def take(
    session: Session,
    claim: Row,
    positions: Sequence[int],
    seats: Sequence[str],
    infant_blocks: Sequence[str | None],
) -> list[Row]:
    """Give passengers these seats in the place of those they have; those that others have are not among the answer.

    What only a claim that ended stands in the way of is released by the way. The seats given up are counted, so
    that PostgreSQL gives them up before it takes the others.
    """
    return await rows(
        session,
        f"""
        WITH wanted AS (
            SELECT w.* FROM unnest(CAST(:positions AS smallint[]), CAST(:seats AS text[]),
                                   CAST(:infant_blocks AS text[])) AS w(position, seat, infant_block)),
        given_up AS (
            UPDATE seat_assignments a SET released_at = now()
            FROM seat_claims s
            WHERE s.id = a.claim_id AND a.flight_id = :flight_id AND a.released_at IS NULL AND (
                a.claim_id = :claim_id AND a.position IN (SELECT position FROM wanted)
                OR NOT ({_LIVE}) AND (a.seat IN (SELECT seat FROM wanted)
                                      OR a.infant_block IN (SELECT infant_block FROM wanted)))
            RETURNING a.id)
        INSERT INTO seat_assignments (flight_id, seat, claim_id, position, infant_block)
        SELECT s.flight_id, w.seat, s.id, w.position, w.infant_block
        FROM wanted w JOIN seat_claims s ON s.id = :claim_id AND s.flight_id = :flight_id AND {_LIVE}
        WHERE (SELECT count(*) FROM given_up) >= 0
        ORDER BY w.seat
        ON CONFLICT DO NOTHING
        RETURNING claim_id, flight_id, position, seat, assigned_at
        """,
        flight_id=claim["flight_id"],
        claim_id=claim["claim_id"],
        positions=list(positions),
        seats=list(seats),
        infant_blocks=list(infant_blocks),
    )


async def release(session: Session, claim_ids: list[int], positions: list[int] | None) -> None:
    """Give up the seats of these claims, or of some of their passengers."""
    await rows(
        session,
        """
        UPDATE seat_assignments SET released_at = now()
        WHERE claim_id = ANY(CAST(:claim_ids AS bigint[])) AND released_at IS NULL
          AND (CAST(:positions AS smallint[]) IS NULL OR position = ANY(CAST(:positions AS smallint[])))
        """,
        claim_ids=claim_ids,
        positions=positions,
    )
