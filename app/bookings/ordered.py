"""Every question to extras that were ordered: seats and bags."""

from collections.abc import Sequence

import orjson

from app.core.db import Row, Session, rows


async def extras_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Extras that are ordered or paid for."""
    return await rows(
        session,
        """
        SELECT * FROM booking_extras
        WHERE booking_id = ANY(CAST(:ids AS bigint[])) AND state <> 'cancelled' ORDER BY id
        """,
        ids=booking_ids,
    )


async def paid_extras(session: Session, booking_id: int, of: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """Extras that were paid for by passenger and slice."""
    return await rows(
        session,
        """
        SELECT e.* FROM booking_extras e
        JOIN unnest(CAST(:positions AS int[]), CAST(:slices AS int[])) AS w(position, slice_index)
          ON w.position = e.position AND w.slice_index = e.slice_index
        WHERE e.booking_id = :id AND e.state = 'paid' ORDER BY e.id
        """,
        id=booking_id,
        positions=[position for position, _ in of],
        slices=[slice_index for _, slice_index in of],
    )


async def next_order(session: Session) -> int:
    order: int = (await rows(session, "SELECT nextval('booking_extra_orders') AS id"))[0]["id"]
    return order


async def add_extras(session: Session, booking_id: int, order_id: int, extras: list[Row]) -> None:
    await rows(
        session,
        """
        INSERT INTO booking_extras (booking_id, order_id, kind, position, slice_index, flight_id, seat, quantity,
                                    amount_minor, state)
        SELECT :booking_id, :order_id, e.* FROM jsonb_to_recordset(CAST(:extras AS jsonb)) AS e(
            kind text, position smallint, slice_index smallint, flight_id bigint, seat text, quantity smallint,
            amount_minor bigint, state text)
        """,
        booking_id=booking_id,
        order_id=order_id,
        extras=orjson.dumps(extras).decode(),
    )


async def order_of(session: Session, order_id: int) -> Sequence[Row]:
    return await rows(
        session,
        "SELECT * FROM booking_extras WHERE order_id = :order_id AND state = 'pending' ORDER BY id",
        order_id=order_id,
    )


async def pay_extras(session: Session, booking_id: int, order_id: int | None = None) -> int:
    """Let what was ordered be paid for; returns what it comes to."""
    paid = await rows(
        session,
        """
        UPDATE booking_extras SET state = 'paid'
        WHERE booking_id = :id AND state = 'pending' AND order_id = coalesce(CAST(:order_id AS bigint), order_id)
        RETURNING amount_minor
        """,
        id=booking_id,
        order_id=order_id,
    )
    return sum(row["amount_minor"] for row in paid)


async def cancel_order(session: Session, order_id: int) -> None:
    await rows(
        session,
        "UPDATE booking_extras SET state = 'cancelled' WHERE order_id = :id AND state = 'pending'",
        id=order_id,
    )


async def paid_seat(session: Session, booking_id: int, position: int, flight_id: int) -> int | None:
    """What a passenger has paid for a seat on a flight; None without one."""
    found = await rows(
        session,
        """
        SELECT sum(amount_minor)::bigint AS amount FROM booking_extras
        WHERE booking_id = :id AND kind = 'seat' AND position = :position AND flight_id = :flight_id AND state = 'paid'
        """,
        id=booking_id,
        position=position,
        flight_id=flight_id,
    )
    amount: int | None = found[0]["amount"]
    return amount


async def move_seat(session: Session, booking_id: int, position: int, flight_id: int, seat: str) -> bool:
    """Let what was paid for a seat count for another; a seat that was only ordered is ordered no more."""
    moved = await rows(
        session,
        """
        UPDATE booking_extras SET seat = CASE state WHEN 'paid' THEN CAST(:seat AS varchar) ELSE seat END,
            state = CASE state WHEN 'paid' THEN 'paid' ELSE 'cancelled' END
        WHERE booking_id = :id AND kind = 'seat' AND position = :position AND flight_id = :flight_id
          AND state <> 'cancelled'
        RETURNING state
        """,
        id=booking_id,
        position=position,
        flight_id=flight_id,
        seat=seat,
    )
    return any(row["state"] == "paid" for row in moved)


async def cancel_extras(session: Session, booking_id: int, of: Sequence[tuple[int, int]] | None) -> None:
    """Cancel extras by passenger and slice, or all of the booking."""
    if of is None:
        await rows(
            session, "UPDATE booking_extras SET state = 'cancelled' WHERE booking_id = :id", id=booking_id
        )
        return
    await rows(
        session,
        """
        UPDATE booking_extras e SET state = 'cancelled'
        FROM unnest(CAST(:positions AS int[]), CAST(:slices AS int[])) AS w(position, slice_index)
        WHERE e.booking_id = :id AND w.position = e.position AND w.slice_index = e.slice_index
        """,
        id=booking_id,
        positions=[position for position, _ in of],
        slices=[slice_index for _, slice_index in of],
    )


async def move_extras(session: Session, booking_id: int, old: list[int], new: list[int]) -> None:
    """Let bags fly on the new slices instead of the old ones; seats of the old flights are given up."""
    targets = [new[min(number, len(new) - 1)] for number in range(len(old))]
    await rows(
        session,
        """
        UPDATE booking_extras e SET slice_index = m.new
        FROM unnest(CAST(:old AS int[]), CAST(:new AS int[])) AS m(old, new)
        WHERE e.booking_id = :id AND e.slice_index = m.old AND e.kind = 'bag' AND e.state = 'paid'
        """,
        id=booking_id,
        old=old,
        new=targets,
    )
    await rows(
        session,
        """
        UPDATE booking_extras SET state = 'cancelled'
        WHERE booking_id = :id AND slice_index = ANY(CAST(:old AS int[])) AND kind = 'seat'
        """,
        id=booking_id,
        old=old,
    )


async def unpaid_extras(session: Session, booking_id: int) -> int:
    """What the extras that are ordered and not paid for come to."""
    found = await rows(
        session,
        """
        SELECT coalesce(sum(amount_minor), 0)::bigint AS amount FROM booking_extras
        WHERE booking_id = :id AND state = 'pending'
        """,
        id=booking_id,
    )
    amount: int = found[0]["amount"]
    return amount


async def seats_lost(session: Session, booking_id: int) -> bool:
    """Whether somebody else sits where a passenger has ordered a seat."""
    found = await rows(
        session,
        """
        SELECT e.id FROM booking_extras e
        JOIN booking_segments g ON g.booking_id = e.booking_id AND g.flight_id = e.flight_id AND g.state = 'active'
        WHERE e.booking_id = :id AND e.kind = 'seat' AND e.state <> 'cancelled' AND NOT EXISTS (
            SELECT FROM seat_assignments a WHERE a.claim_id = g.claim_id AND a.position = e.position
              AND a.seat = e.seat AND a.released_at IS NULL)
        LIMIT 1
        """,
        id=booking_id,
    )
    return bool(found)
