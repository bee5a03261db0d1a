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


async def add_airline_change(session: Session, change: Row) -> Row:
    """A change to answer; an open one of the same flight gives way to it."""
    await supersede_airline_change(session, change["booking_id"], change["flight_id"])
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


async def supersede_airline_change(session: Session, booking_id: int, flight_id: int) -> None:
    """What was to be answered of a flight is no longer so."""
    await rows(
        session,
        """
        UPDATE airline_changes SET state = 'superseded', answered_at = now()
        WHERE booking_id = :id AND flight_id = :flight_id AND state = 'open'
        """,
        id=booking_id,
        flight_id=flight_id,
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


def _encoded(values: Row, *documents: str) -> dict[str, Any]:
    return {
        name: orjson.dumps(value).decode() if name in documents else value for name, value in values.items()
    }
