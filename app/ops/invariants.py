"""What must be true of the database whatever has happened: questions that find nothing, asked each minute.

Constraints stand behind most of them. What they cannot say, or would not say after a restore, a migration or a hand
in the database, is said here. The work is bounded however large the database is: what changed lately is looked at,
which is what the newest events are about.
"""

_LATELY = 10_000

# `b` are the bookings that something has happened to lately.
_BOOKINGS = f"""
    WITH b AS (SELECT id, pnr, status, total_minor, sequence FROM bookings WHERE pnr IN (
        SELECT subject FROM (SELECT subject FROM outbox ORDER BY id DESC LIMIT {_LATELY}) events))
"""

INVARIANTS = {
    "seats_beyond_capacity": """
        SELECT flight_id FROM inventory WHERE held + sold > capacity OR held < 0 OR sold < 0""",
    "seats_held_miscounted": """
        SELECT flight_id FROM (SELECT flight_id, cabin, held FROM inventory WHERE held <> 0) i
            FULL JOIN (SELECT flight_id, cabin, sum(seats) AS claimed FROM seat_claims
                       WHERE released_at IS NULL AND expires_at IS NOT NULL GROUP BY flight_id, cabin) c
            USING (flight_id, cabin)
        WHERE coalesce(held, 0) <> coalesce(claimed, 0)""",
    "confirmed_without_seats": f"""{_BOOKINGS}
        SELECT b.pnr FROM b JOIN booking_segments g ON g.booking_id = b.id AND g.state = 'active'
            JOIN seat_claims s ON s.id = g.claim_id
        WHERE b.status = 'confirmed' AND (s.released_at IS NOT NULL OR s.expires_at IS NOT NULL)""",
    "ended_with_seats": f"""{_BOOKINGS}
        SELECT b.pnr FROM b JOIN booking_segments g ON g.booking_id = b.id JOIN seat_claims s ON s.id = g.claim_id
        WHERE b.status IN ('cancelled', 'expired') AND s.released_at IS NULL""",
    "confirmed_without_payment": f"""{_BOOKINGS}
        SELECT b.pnr FROM b WHERE b.status IN ('confirmed', 'completed') AND NOT EXISTS (
            SELECT FROM payments p WHERE p.booking_id = b.id AND p.purpose = 'purchase' AND p.status = 'captured')""",
    "confirmed_without_tickets": f"""{_BOOKINGS}
        SELECT b.pnr FROM b WHERE b.status IN ('confirmed', 'completed') AND NOT EXISTS (
            SELECT FROM tickets t WHERE t.booking_id = b.id)""",
    "sold_at_another_price": f"""{_BOOKINGS}
        SELECT b.pnr FROM b LEFT JOIN ledger_entries e ON e.booking_id = b.id LEFT JOIN ledger_lines l
            ON l.entry_id = e.id AND (l.account = 'fares' OR l.account LIKE 'taxes:%')
        GROUP BY b.pnr, b.status, b.total_minor HAVING -coalesce(sum(l.amount_minor), 0)
            <> CASE WHEN b.status IN ('confirmed', 'completed') THEN b.total_minor ELSE 0 END""",
    "steps_missing": f"""{_BOOKINGS}
        SELECT b.pnr FROM b LEFT JOIN booking_timeline t ON t.booking_id = b.id AND t.sequence = b.sequence
        WHERE t.status IS DISTINCT FROM b.status""",
    "ledger_out_of_balance": f"""
        SELECT e.id FROM (SELECT id FROM ledger_entries ORDER BY id DESC LIMIT {_LATELY}) e
            LEFT JOIN ledger_lines l ON l.entry_id = e.id
        GROUP BY e.id HAVING coalesce(sum(l.amount_minor), 0) <> 0 OR count(l.line) < 2""",
    # Each of these is looked after every few seconds, and each has had many chances.
    "hold_overdue": """
        SELECT b.pnr FROM bookings b
        WHERE b.status = 'held' AND b.hold_expires_at < now() - interval '5 minutes' AND NOT EXISTS (
            SELECT FROM payments p WHERE p.booking_id = b.id
              AND p.status IN ('processing', 'requires_action', 'authorised'))""",
    "payment_forgotten": """
        SELECT id FROM payments WHERE status IN ('processing', 'requires_action', 'authorised')
          AND (next_look_at IS NULL OR next_look_at < now() - interval '5 minutes')""",
    "refund_forgotten": "SELECT id FROM refunds WHERE next_try_at < now() - interval '5 minutes'",
    "event_not_handed_on": """
        SELECT event_id FROM outbox
        WHERE dispatched_at IS NULL AND created_at < now() - interval '5 minutes'""",
    "webhook_sender_lost": """
        SELECT id FROM webhook_deliveries
        WHERE state = 'sending' AND lease_until < now() - interval '5 minutes'""",
}
