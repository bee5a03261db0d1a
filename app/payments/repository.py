"""Every question to payments, refunds and the ledger."""

import uuid
from collections.abc import Mapping, Sequence

import orjson

from app.core.db import Row, Session, rows

_OPEN = "('processing', 'requires_action', 'authorised')"


async def add(session: Session, payment: Row, patience_seconds: float) -> Row | None:
    """A new payment, or None while another of the booking is open.

    Whoever made it has so long to finish it before the sweep takes it up.
    """
    added = await rows(
        session,
        """
        INSERT INTO payments (booking_id, purpose, subject_id, amount_minor, currency, payment_method, next_look_at)
        VALUES (:booking_id, :purpose, :subject_id, :amount_minor, :currency, :payment_method,
                now() + make_interval(secs => :patience))
        ON CONFLICT (booking_id) WHERE status IN ('processing', 'requires_action', 'authorised') DO NOTHING
        RETURNING *
        """,
        **payment,
        patience=patience_seconds,
    )
    return added[0] if added else None


async def adopt(session: Session, payment: Row) -> int | None:
    """A payment for a booking that the processor knows and we have forgotten; None while another one is open."""
    added = await rows(
        session,
        """
        INSERT INTO payments (public_id, booking_id, purpose, amount_minor, currency, payment_method, intent,
                              next_look_at)
        VALUES (:public_id, :booking_id, 'purchase', :amount_minor, :currency, 'restored', :intent, now())
        ON CONFLICT DO NOTHING RETURNING id
        """,
        **payment,
    )
    return added[0]["id"] if added else None


async def read(session: Session, payment_id: int) -> Row:
    return (await rows(session, "SELECT * FROM payments WHERE id = :id", id=payment_id))[0]


async def lock(session: Session, payment_id: int) -> Row:
    return (await rows(session, "SELECT * FROM payments WHERE id = :id FOR UPDATE", id=payment_id))[0]


async def by_public_id(session: Session, booking_id: int, public_id: uuid.UUID) -> Row | None:
    found = await rows(
        session,
        "SELECT * FROM payments WHERE booking_id = :booking_id AND public_id = :public_id",
        booking_id=booking_id,
        public_id=public_id,
    )
    return found[0] if found else None


async def open_of(session: Session, booking_id: int) -> Row | None:
    found = await rows(
        session,
        f"SELECT * FROM payments WHERE booking_id = :booking_id AND status IN {_OPEN}",
        booking_id=booking_id,
    )
    return found[0] if found else None


async def of_bookings(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Oldest first."""
    return await rows(
        session,
        "SELECT * FROM payments WHERE booking_id = ANY(CAST(:ids AS bigint[])) ORDER BY id",
        ids=booking_ids,
    )


async def refunds_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Oldest first."""
    return await rows(
        session,
        """
        SELECT r.*, p.public_id AS payment_public_id FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE r.booking_id = ANY(CAST(:ids AS bigint[])) ORDER BY r.id
        """,
        ids=booking_ids,
    )


async def learn(
    session: Session, payment_id: int, status: str, *, next_look_seconds: float | None, **learnt: str | None
) -> Row:
    """Move a payment and keep what the processor said; when it is to be looked at again, None for never."""
    return (
        await rows(
            session,
            """
            UPDATE payments SET status = CAST(:status AS varchar), intent = coalesce(:intent, intent),
                brand = coalesce(:brand, brand), last4 = coalesce(:last4, last4), failure = :failure,
                captured_at = CASE WHEN CAST(:status AS varchar) = 'captured' THEN coalesce(captured_at, now()) END,
                looks = looks + 1, updated_at = now(),
                next_look_at = now() + make_interval(secs => CAST(:seconds AS double precision))
            WHERE id = :id RETURNING *
            """,
            id=payment_id,
            status=status,
            seconds=next_look_seconds,
            intent=learnt.get("intent"),
            brand=learnt.get("brand"),
            last4=learnt.get("last4"),
            failure=learnt.get("failure"),
        )
    )[0]


async def postpone(session: Session, payment_id: int, seconds: float) -> Row:
    """Look at a payment later; if it has moved on meanwhile, it stays as it is."""
    return (
        await rows(
            session,
            """
            UPDATE payments SET looks = looks + 1, updated_at = now(),
                next_look_at = CASE WHEN next_look_at IS NOT NULL THEN now() + make_interval(secs => :seconds) END
            WHERE id = :id RETURNING *
            """,
            id=payment_id,
            seconds=seconds,
        )
    )[0]


async def take_due(session: Session, most: int, patience_seconds: float) -> list[int]:
    """Payments that are to be looked at, kept from other sweeps for a while."""
    taken = await rows(
        session,
        """
        UPDATE payments SET next_look_at = now() + make_interval(secs => :patience)
        WHERE id IN (SELECT id FROM payments WHERE next_look_at <= now() ORDER BY next_look_at LIMIT :most
                     FOR UPDATE SKIP LOCKED)
        RETURNING id
        """,
        most=most,
        patience=patience_seconds,
    )
    return [row["id"] for row in taken]


async def add_refund(session: Session, refund: Row) -> Row | None:
    """Owe money back against a payment; None if more would go back than came."""
    added = await rows(
        session,
        """
        WITH owing AS (
            UPDATE payments SET refunded_minor = refunded_minor + CAST(:amount_minor AS bigint), updated_at = now()
            WHERE id = :payment_id AND status = 'captured'
              AND refunded_minor + CAST(:amount_minor AS bigint) <= amount_minor
            RETURNING id, booking_id, currency)
        INSERT INTO refunds (booking_id, payment_id, amount_minor, currency, reason, due_on, due_rule)
        SELECT booking_id, id, :amount_minor, currency, :reason, CAST(:due_on AS date), :due_rule FROM owing
        RETURNING *
        """,
        **refund,
    )
    return added[0] if added else None


async def take_due_refunds(session: Session, most: int, patience_seconds: float) -> Sequence[Row]:
    return await rows(
        session,
        """
        UPDATE refunds r SET next_try_at = now() + make_interval(secs => :patience), tries = r.tries + 1
        FROM payments p
        WHERE p.id = r.payment_id AND r.id IN (
            SELECT id FROM refunds WHERE next_try_at <= now() ORDER BY next_try_at LIMIT :most FOR UPDATE SKIP LOCKED)
        RETURNING r.*, p.intent, p.public_id AS payment_public_id
        """,
        most=most,
        patience=patience_seconds,
    )


async def settle_refund(
    session: Session,
    refund_id: int,
    status: str,
    reference: str | None,
    failure: str | None,
    again_seconds: float | None,
) -> Row | None:
    """What became of a refund, with its state `before`; None once it has failed."""
    settled = await rows(
        session,
        """
        WITH known AS (SELECT id, status AS before FROM refunds WHERE id = :id FOR UPDATE)
        UPDATE refunds r SET status = CAST(:status AS varchar), reference = coalesce(r.reference, :reference),
            failure = :failure,
            next_try_at = now() + make_interval(secs => CAST(:again AS double precision)),
            succeeded_at = CASE WHEN CAST(:status AS varchar) = 'succeeded' THEN coalesce(r.succeeded_at, now()) END
        FROM known WHERE r.id = known.id AND known.before <> 'failed' RETURNING r.*, known.before
        """,
        id=refund_id,
        status=status,
        reference=reference,
        failure=failure,
        again=again_seconds,
    )
    return settled[0] if settled else None


async def postpone_refund(session: Session, refund_id: int, seconds: float) -> None:
    """Ask about a refund later; if it has been settled meanwhile, it stays as it is."""
    await rows(
        session,
        """
        UPDATE refunds SET next_try_at = now() + make_interval(secs => :seconds)
        WHERE id = :id AND next_try_at IS NOT NULL
        """,
        id=refund_id,
        seconds=seconds,
    )


async def post(
    session: Session, booking_id: int, kind: str, reference: str, currency: str, lines: Mapping[str, int]
) -> bool:
    """Write an entry with its lines, once for a reference; false if it was written before."""
    posted = await rows(
        session,
        """
        WITH entry AS (
            INSERT INTO ledger_entries (booking_id, kind, reference, currency)
            VALUES (:booking_id, :kind, :reference, :currency) ON CONFLICT (reference) DO NOTHING RETURNING id)
        INSERT INTO ledger_lines (entry_id, line, account, amount_minor)
        SELECT entry.id, l.line, l.account, l.amount FROM entry, jsonb_to_recordset(CAST(:lines AS jsonb))
            AS l(line smallint, account text, amount bigint)
        RETURNING entry_id
        """,
        booking_id=booking_id,
        kind=kind,
        reference=reference,
        currency=currency,
        lines=orjson.dumps(
            [
                {"line": number, "account": account, "amount": amount}
                for number, (account, amount) in enumerate(lines.items())
            ]
        ).decode(),
    )
    return bool(posted)


async def hear(session: Session, event: Row) -> bool:
    """Keep a message of the processor, and have what it is about looked at; false if it came before.

    A payment that is captured has nothing left to be looked at. A refund may fail after it has succeeded.
    """
    heard = await rows(
        session,
        """
        WITH payment AS (
            SELECT id FROM payments
            WHERE intent = :intent OR public_id = CAST(:payment AS uuid)),
        kept AS (
            INSERT INTO processor_events (event_id, type, object_id, payment_id)
            VALUES (:event_id, :type, :object_id, (SELECT id FROM payment LIMIT 1))
            ON CONFLICT (event_id) DO NOTHING RETURNING event_id),
        looked_at AS (
            UPDATE payments SET next_look_at = least(next_look_at, now() + interval '1 second'),
                intent = coalesce(intent, CAST(:intent AS varchar))
            WHERE id IN (SELECT id FROM payment) AND status <> 'captured' AND EXISTS (SELECT FROM kept)),
        tried AS (
            UPDATE refunds SET next_try_at = now()
            WHERE reference = :refund AND status <> 'failed' AND EXISTS (SELECT FROM kept))
        SELECT event_id FROM kept
        """,
        **event,
    )
    return bool(heard)


async def failed_of(session: Session, booking_id: int) -> int:
    """How many payments of a booking came to nothing."""
    found = await rows(
        session,
        "SELECT count(*) AS n FROM payments WHERE booking_id = :id AND status IN ('failed', 'cancelled')",
        id=booking_id,
    )
    count: int = found[0]["n"]
    return count


async def unpaid_of_payer(session: Session, booking_id: int, seconds: int) -> Row:
    """How many payments the booking's account has begun lately that came to nothing, or to nothing yet, and the
    seconds until the first of them counts no more.

    Whoever asks next for the same account waits until this transaction has ended, and counts what it has added.
    """
    await rows(
        session,
        """
        SELECT pg_advisory_xact_lock(hashtextextended('pays ' || CAST(user_id AS text), 0))
        FROM bookings WHERE id = :id
        """,
        id=booking_id,
    )
    found = await rows(
        session,
        """
        SELECT count(*) AS unpaid,
               extract(epoch FROM min(p.created_at) - now()) + CAST(:seconds AS double precision) AS wait
        FROM payments p JOIN bookings b ON b.id = p.booking_id
        WHERE p.status <> 'captured' AND p.created_at > now() - make_interval(secs => :seconds)
          AND b.user_id = (SELECT user_id FROM bookings WHERE id = :id)
        """,
        id=booking_id,
        seconds=seconds,
    )
    return found[0]


async def unknown_for(session: Session, minutes: int) -> int:
    """Payments of which nobody has known for so long whether they were made."""
    found = await rows(
        session,
        """
        SELECT count(*) AS n FROM payments
        WHERE status IN ('processing', 'authorised') AND created_at < now() - make_interval(mins => :minutes)
        """,
        minutes=minutes,
    )
    count: int = found[0]["n"]
    return count


async def overdue_refunds(session: Session) -> int:
    found = await rows(
        session, "SELECT count(*) AS n FROM refunds WHERE status <> 'succeeded' AND due_on < current_date"
    )
    count: int = found[0]["n"]
    return count


async def purge(session: Session) -> None:
    """Forget which messages of the processor came; it repeats one for some days and no longer."""
    await rows(session, "DELETE FROM processor_events WHERE received_at < now() - interval '90 days'")
