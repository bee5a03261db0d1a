"""Every question of the daily comparison with the card processor's books."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime

import orjson

from app.core.db import Row, Session, rows


async def captured_between(session: Session, start: datetime, end: datetime) -> Sequence[Row]:
    return await rows(
        session,
        """
        SELECT public_id, intent, amount_minor, currency FROM payments
        WHERE captured_at >= :start AND captured_at < :end
        """,
        start=start,
        end=end,
    )


async def refunded_between(session: Session, start: datetime, end: datetime) -> Sequence[Row]:
    return await rows(
        session,
        """
        SELECT public_id, reference, amount_minor, currency FROM refunds
        WHERE succeeded_at >= :start AND succeeded_at < :end
        """,
        start=start,
        end=end,
    )


async def by_intents(session: Session, intents: list[str]) -> Sequence[Row]:
    return await rows(
        session,
        """
        SELECT public_id, intent, status, amount_minor, currency FROM payments
        WHERE intent = ANY(CAST(:intents AS text[]))
        """,
        intents=intents,
    )


async def by_references(session: Session, references: list[str]) -> Sequence[Row]:
    return await rows(
        session,
        """
        SELECT public_id, reference, status, amount_minor, currency FROM refunds
        WHERE reference = ANY(CAST(:references AS text[]))
        """,
        references=references,
    )


async def keep_reconciliation(
    session: Session, day: date, charges: int, refunds: int, differences: list[Row]
) -> None:
    await rows(
        session,
        """
        INSERT INTO reconciliations (day, charges, refunds, differences)
        VALUES (:day, :charges, :refunds, CAST(:differences AS jsonb))
        ON CONFLICT (day) DO UPDATE SET charges = excluded.charges, refunds = excluded.refunds,
            differences = excluded.differences, checked_at = now()
        """,
        day=day,
        charges=charges,
        refunds=refunds,
        differences=orjson.dumps(differences).decode(),
    )


async def reconciliations(session: Session, before: date | None, size: int) -> Sequence[Row]:
    """Latest day first."""
    return await rows(
        session,
        f"SELECT * FROM reconciliations {'WHERE day < :before' if before else ''} ORDER BY day DESC LIMIT :size",
        size=size,
        **({"before": before} if before else {}),
    )


async def last_reconciled(session: Session) -> date | None:
    found = await rows(session, "SELECT max(day) AS day FROM reconciliations")
    day: date | None = found[0]["day"]
    return day


async def any_captured(session: Session) -> bool:
    return bool(await rows(session, "SELECT id FROM payments WHERE captured_at IS NOT NULL LIMIT 1"))


async def known_payments(session: Session, names: list[uuid.UUID]) -> set[uuid.UUID]:
    """Those of our names under which there is a payment here."""
    found = await rows(
        session, "SELECT public_id FROM payments WHERE public_id = ANY(CAST(:names AS uuid[]))", names=names
    )
    return {row["public_id"] for row in found}


async def known_refunds(session: Session, names: list[uuid.UUID]) -> set[uuid.UUID]:
    """Those of our names under which there is a refund here."""
    found = await rows(
        session, "SELECT public_id FROM refunds WHERE public_id = ANY(CAST(:names AS uuid[]))", names=names
    )
    return {row["public_id"] for row in found}


async def pnr_of_intent(session: Session, intent: str) -> str | None:
    """The booking that was paid for by this payment."""
    found = await rows(
        session,
        "SELECT b.pnr FROM payments p JOIN bookings b ON b.id = p.booking_id WHERE p.intent = :intent",
        intent=intent,
    )
    return found[0]["pnr"] if found else None
