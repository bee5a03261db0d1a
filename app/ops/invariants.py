"""What must be true of the database whatever has happened: questions that find nothing, asked each minute.

Constraints stand behind most of them. What they cannot say, or would not say after a restore, a migration or a hand
in the database, is said here. The work is bounded however large the database is: what changed lately is looked at,
which is what the newest events are about.
"""

from typing import NamedTuple


class Invariant(NamedTuple):
    """What is so where it is broken, and the question that gives what breaks it, by ids: one is logged, and a PNR opens
    doors.
    """

    broken: str
    question: str


_LATELY = 10_000

# `b` are the bookings that something has happened to lately.
_BOOKINGS = f"""
    WITH b AS (SELECT id, status, total_minor, sequence FROM bookings WHERE pnr IN (
        SELECT subject FROM (SELECT subject FROM outbox ORDER BY id DESC LIMIT {_LATELY}) events))
"""

INVARIANTS: dict[str, Invariant] = {
    "seats_beyond_capacity": Invariant(
        "More seats are held and sold on a flight than its cabin has.",
        """
        SELECT flight_id FROM inventory WHERE held + sold > capacity OR held < 0 OR sold < 0""",
    ),
    "seats_held_miscounted": Invariant(
        "The seats that are held on a flight are not those that somebody holds.",
        """
        SELECT flight_id FROM (SELECT flight_id, cabin, held FROM inventory WHERE held <> 0) i
            FULL JOIN (SELECT flight_id, cabin, sum(seats) AS claimed FROM seat_claims
                       WHERE released_at IS NULL AND expires_at IS NOT NULL GROUP BY flight_id, cabin) c
            USING (flight_id, cabin)
        WHERE coalesce(held, 0) <> coalesce(claimed, 0)""",
    ),
    "confirmed_without_seats": Invariant(
        "A confirmed booking has no seats, or they run out.",
        f"""{_BOOKINGS}
        SELECT b.id FROM b JOIN booking_segments g ON g.booking_id = b.id AND g.state = 'active'
            JOIN seat_claims s ON s.id = g.claim_id
        WHERE b.status = 'confirmed' AND (s.released_at IS NOT NULL OR s.expires_at IS NOT NULL)""",
    ),
    "ended_with_seats": Invariant(
        "A booking that was cancelled or has expired keeps its seats.",
        f"""{_BOOKINGS}
        SELECT b.id FROM b JOIN booking_segments g ON g.booking_id = b.id JOIN seat_claims s ON s.id = g.claim_id
        WHERE b.status IN ('cancelled', 'expired') AND s.released_at IS NULL""",
    ),
    "confirmed_without_payment": Invariant(
        "A booking is confirmed and nobody has paid for it.",
        f"""{_BOOKINGS}
        SELECT b.id FROM b WHERE b.status IN ('confirmed', 'completed') AND NOT EXISTS (
            SELECT FROM payments p WHERE p.booking_id = b.id AND p.purpose = 'purchase' AND p.status = 'captured')""",
    ),
    "confirmed_without_tickets": Invariant(
        "A booking is confirmed and has no tickets.",
        f"""{_BOOKINGS}
        SELECT b.id FROM b WHERE b.status IN ('confirmed', 'completed') AND NOT EXISTS (
            SELECT FROM tickets t WHERE t.booking_id = b.id)""",
    ),
    "sold_at_another_price": Invariant(
        "What the ledger has for the fares and taxes of a booking is not its price.",
        f"""{_BOOKINGS}
        SELECT b.id FROM b LEFT JOIN ledger_entries e ON e.booking_id = b.id LEFT JOIN ledger_lines l
            ON l.entry_id = e.id AND (l.account = 'fares' OR l.account LIKE 'taxes:%')
        GROUP BY b.id, b.status, b.total_minor HAVING -coalesce(sum(l.amount_minor), 0)
            <> CASE WHEN b.status IN ('confirmed', 'completed') THEN b.total_minor ELSE 0 END""",
    ),
    "steps_missing": Invariant(
        "A booking's state is not the one that its last step led to.",
        f"""{_BOOKINGS}
        SELECT b.id FROM b LEFT JOIN booking_timeline t ON t.booking_id = b.id AND t.sequence = b.sequence
        WHERE t.status IS DISTINCT FROM b.status""",
    ),
    "ledger_out_of_balance": Invariant(
        "The lines of an entry in the ledger do not add up to nothing, or it has one line.",
        f"""
        SELECT e.id FROM (SELECT id FROM ledger_entries ORDER BY id DESC LIMIT {_LATELY}) e
            LEFT JOIN ledger_lines l ON l.entry_id = e.id
        GROUP BY e.id HAVING coalesce(sum(l.amount_minor), 0) <> 0 OR count(l.line) < 2""",
    ),
    # Each of these is looked after every few seconds, and each has had many chances.
    "hold_overdue": Invariant(
        "A hold that nobody pays for ran out more than five minutes ago and still is one.",
        """
        SELECT b.id FROM bookings b
        WHERE b.status = 'held' AND b.hold_expires_at < now() - interval '5 minutes' AND NOT EXISTS (
            SELECT FROM payments p WHERE p.booking_id = b.id
              AND p.status IN ('processing', 'requires_action', 'authorised'))""",
    ),
    "payment_forgotten": Invariant(
        "A payment that has not ended was to be looked at more than five minutes ago, or never will be.",
        """
        SELECT id FROM payments WHERE status IN ('processing', 'requires_action', 'authorised')
          AND (next_look_at IS NULL OR next_look_at < now() - interval '5 minutes')""",
    ),
    "refund_forgotten": Invariant(
        "A refund was to be tried more than five minutes ago.",
        "SELECT id FROM refunds WHERE next_try_at < now() - interval '5 minutes'",
    ),
    "event_not_handed_on": Invariant(
        "An event has waited for more than five minutes to be handed on.",
        """
        SELECT event_id FROM outbox
        WHERE dispatched_at IS NULL AND created_at < now() - interval '5 minutes'""",
    ),
    "webhook_sender_lost": Invariant(
        "A delivery is in the hands of a sender whose time was over more than five minutes ago.",
        """
        SELECT id FROM webhook_deliveries
        WHERE state = 'sending' AND lease_until < now() - interval '5 minutes'""",
    ),
}
