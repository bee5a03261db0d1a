"""Every question to quotes, extras, and to the slices and passengers that they add or take away."""

import uuid
from collections.abc import Sequence
from typing import Any

import orjson

from app.core.db import Row, Session, rows


async def add_cancellation_quote(session: Session, quote: Row) -> Row:
    return (
        await rows(
            session,
            """
            INSERT INTO cancellation_quotes (booking_id, revision, positions, slices, reason, refund_minor,
                                             penalty_minor, lines, accounts, expires_at)
            VALUES (:booking_id, :revision, CAST(:positions AS jsonb), CAST(:slices AS jsonb), :reason, :refund_minor,
                    :penalty_minor, CAST(:lines AS jsonb), CAST(:accounts AS jsonb), :expires_at)
            RETURNING *
            """,
            **_encoded(quote, "positions", "slices", "lines", "accounts"),
        )
    )[0]


async def cancellation_quote(session: Session, booking_id: int, public_id: uuid.UUID) -> Row | None:
    """A quote; `newest` if no other of the booking came after it, `run_out` by the database's clock."""
    found = await rows(
        session,
        """
        SELECT q.*, q.expires_at <= now() AS run_out,
               q.id = (SELECT max(id) FROM cancellation_quotes n WHERE n.booking_id = q.booking_id) AS newest
        FROM cancellation_quotes q WHERE q.booking_id = :booking_id AND q.public_id = :public_id
        """,
        booking_id=booking_id,
        public_id=public_id,
    )
    return found[0] if found else None


async def newest_cancellation_quote(session: Session, booking_id: int) -> Row:
    return (
        await rows(
            session,
            "SELECT * FROM cancellation_quotes WHERE booking_id = :id ORDER BY id DESC LIMIT 1",
            id=booking_id,
        )
    )[0]


async def newest_change_quote(session: Session, booking_id: int) -> Row:
    return (
        await rows(
            session,
            "SELECT * FROM change_quotes WHERE booking_id = :id ORDER BY id DESC LIMIT 1",
            id=booking_id,
        )
    )[0]


async def confirm_cancellation(session: Session, quote_id: int) -> None:
    await rows(session, "UPDATE cancellation_quotes SET confirmed_at = now() WHERE id = :id", id=quote_id)


async def add_change_quote(session: Session, quote: Row) -> Row:
    return (
        await rows(
            session,
            """
            INSERT INTO change_quotes (booking_id, revision, slices, offer, reason, fee_minor, difference_minor,
                                       due_minor, lines, accounts, parts, expires_at)
            VALUES (:booking_id, :revision, CAST(:slices AS jsonb), :offer, :reason, :fee_minor, :difference_minor,
                    :due_minor, CAST(:lines AS jsonb), CAST(:accounts AS jsonb), CAST(:parts AS jsonb), :expires_at)
            RETURNING *
            """,
            **_encoded(quote, "slices", "lines", "accounts", "parts"),
        )
    )[0]


async def change_quote(session: Session, booking_id: int, public_id: uuid.UUID) -> Row | None:
    """As `cancellation_quote`."""
    found = await rows(
        session,
        """
        SELECT q.*, q.expires_at <= now() AS run_out,
               q.id = (SELECT max(id) FROM change_quotes n WHERE n.booking_id = q.booking_id) AS newest
        FROM change_quotes q WHERE q.booking_id = :booking_id AND q.public_id = :public_id
        """,
        booking_id=booking_id,
        public_id=public_id,
    )
    return found[0] if found else None


async def change_quote_by_id(session: Session, quote_id: int) -> Row:
    return (await rows(session, "SELECT * FROM change_quotes WHERE id = :id", id=quote_id))[0]


async def move_change(
    session: Session, quote_id: int, state: str, new_slices: list[int] | None = None
) -> None:
    await rows(
        session,
        """
        UPDATE change_quotes SET state = CAST(:state AS varchar),
            new_slices = coalesce(CAST(:new_slices AS jsonb), new_slices),
            confirmed_at = CASE WHEN CAST(:state AS varchar) = 'done' THEN now() ELSE confirmed_at END
        WHERE id = :id
        """,
        id=quote_id,
        state=state,
        new_slices=None if new_slices is None else orjson.dumps(new_slices).decode(),
    )


async def next_slice(session: Session, booking_id: int) -> int:
    """An index that no slice of the booking has had."""
    found = await rows(
        session,
        "SELECT max(slice_index) + 1 AS next FROM booking_segments WHERE booking_id = :id",
        id=booking_id,
    )
    index: int = found[0]["next"]
    return index


async def add_pending_segments(session: Session, booking_id: int, segments: list[Row]) -> None:
    await rows(
        session,
        """
        INSERT INTO booking_segments (booking_id, slice_index, segment_index, flight_id, claim_id, booking_class, state)
        SELECT :booking_id, s.*, 'pending' FROM jsonb_to_recordset(CAST(:segments AS jsonb)) AS s(
            slice_index smallint, segment_index smallint, flight_id bigint, claim_id bigint, booking_class text)
        """,
        booking_id=booking_id,
        segments=orjson.dumps(segments).decode(),
    )


async def activate_slices(session: Session, booking_id: int, slices: list[int]) -> None:
    await rows(
        session,
        """
        UPDATE booking_segments SET state = 'active'
        WHERE booking_id = :id AND slice_index = ANY(CAST(:slices AS int[])) AND state = 'pending'
        """,
        id=booking_id,
        slices=slices,
    )


async def remove_slices(session: Session, booking_id: int, slices: list[int], by: str) -> None:
    await rows(
        session,
        """
        UPDATE booking_segments SET state = 'removed', removed_by = :by
        WHERE booking_id = :id AND slice_index = ANY(CAST(:slices AS int[])) AND state <> 'removed'
        """,
        id=booking_id,
        slices=slices,
        by=by,
    )


async def cancel_passengers(session: Session, booking_id: int, positions: list[int]) -> None:
    await rows(
        session,
        """
        UPDATE booking_passengers SET cancelled_at = now()
        WHERE booking_id = :id AND position = ANY(CAST(:positions AS int[])) AND cancelled_at IS NULL
        """,
        id=booking_id,
        positions=positions,
    )


async def set_price(session: Session, booking_id: int, total: int, price: Row) -> None:
    await rows(
        session,
        "UPDATE bookings SET total_minor = :total, price = CAST(:price AS jsonb) WHERE id = :id",
        id=booking_id,
        total=total,
        price=orjson.dumps(price).decode(),
    )


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


async def add_airline_change(session: Session, change: Row) -> Row:
    """A change to answer; an open one of the same flight gives way to it."""
    await rows(
        session,
        """
        UPDATE airline_changes SET state = 'superseded'
        WHERE booking_id = :booking_id AND flight_id = :flight_id AND state = 'open'
        """,
        booking_id=change["booking_id"],
        flight_id=change["flight_id"],
    )
    return (
        await rows(
            session,
            """
            INSERT INTO airline_changes (booking_id, flight_id, slice_index, materiality, facts, options, advice,
                                         deadline_at)
            VALUES (:booking_id, :flight_id, :slice_index, :materiality, CAST(:facts AS jsonb),
                    CAST(:options AS jsonb), CAST(:advice AS jsonb), :deadline_at)
            RETURNING *
            """,
            **_encoded(change, "facts", "options", "advice"),
        )
    )[0]


async def airline_change(session: Session, booking_id: int, public_id: uuid.UUID) -> Row | None:
    found = await rows(
        session,
        """
        SELECT *, deadline_at <= now() AS run_out FROM airline_changes
        WHERE booking_id = :booking_id AND public_id = :public_id
        """,
        booking_id=booking_id,
        public_id=public_id,
    )
    return found[0] if found else None


async def airline_changes_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Oldest first."""
    return await rows(
        session,
        "SELECT * FROM airline_changes WHERE booking_id = ANY(CAST(:ids AS bigint[])) ORDER BY id",
        ids=booking_ids,
    )


async def answer_airline_change(session: Session, change_id: int, state: str) -> None:
    await rows(
        session,
        "UPDATE airline_changes SET state = :state, answered_at = now() WHERE id = :id AND state = 'open'",
        id=change_id,
        state=state,
    )


async def close_airline_changes(session: Session, booking_id: int, slices: list[int], state: str) -> None:
    """Changes of slices that are no longer flown need no answer."""
    await rows(
        session,
        """
        UPDATE airline_changes SET state = :state, answered_at = now()
        WHERE booking_id = :id AND slice_index = ANY(CAST(:slices AS int[])) AND state = 'open'
        """,
        id=booking_id,
        slices=slices,
        state=state,
    )


async def unanswered(session: Session, most: int) -> Sequence[Row]:
    """Open changes whose deadline is over, with their bookings' ids."""
    return await rows(
        session,
        """
        SELECT id, booking_id FROM airline_changes WHERE state = 'open' AND deadline_at <= now()
        ORDER BY deadline_at LIMIT :most
        """,
        most=most,
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


def _encoded(values: Row, *documents: str) -> dict[str, Any]:
    return {
        name: orjson.dumps(value).decode() if name in documents else value for name, value in values.items()
    }
