"""What must be true of the whole database whatever has happened: questions that find nothing.

Each question is one statement that gives what breaks it, as one column. `broken` asks them all in one round trip, of
everything or of what has to do with some flights.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson

from app.webhooks.schemas import EVENTS
from tests.support.client import Sandbox
from tests.support.fleet import Flight

Ask = Callable[..., Awaitable[list[dict[str, Any]]]]

# `b` the bookings and `f` the flights that are asked about; who still flies what is in `flying`.
_SCOPE = """
    WITH f AS (SELECT id FROM flights WHERE CAST(:flights AS bigint[]) IS NULL OR id = ANY(CAST(:flights AS bigint[]))),
    b AS (SELECT * FROM bookings WHERE CAST(:flights AS bigint[]) IS NULL
          OR id IN (SELECT booking_id FROM booking_segments WHERE flight_id = ANY(CAST(:flights AS bigint[])))),
    flying AS (
        SELECT b.id AS booking_id, b.user_id, b.pnr, p.position, p.type, p.ticket_name, p.born_on, s.slice_index,
               s.segment_index, s.flight_id, s.claim_id
        FROM b JOIN booking_passengers p ON p.booking_id = b.id AND p.cancelled_at IS NULL
            JOIN booking_segments s ON s.booking_id = b.id AND s.state = 'active'
        WHERE (b.status = 'held' AND b.hold_expires_at > now())
           OR (b.status IN ('confirmed', 'completed') AND EXISTS (
               SELECT FROM coupons c WHERE c.booking_id = b.id AND c.position = p.position
                 AND c.slice_index = s.slice_index AND c.segment_index = s.segment_index
                 AND c.status NOT IN ('E', 'R', 'V')))),
    books AS (
        SELECT e.booking_id,
               coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 'fares' OR l.account LIKE 'taxes:%'), 0) AS sold,
               coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 'extras'), 0) AS extras,
               coalesce(sum(l.amount_minor) FILTER (WHERE l.account IN ('processor', 'processor_fees')), 0) AS taken,
               coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 'refunds_owed'), 0) AS owed,
               coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 'penalties'), 0) AS penalties,
               coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 'unapplied'), 0) AS unapplied
        FROM ledger_entries e JOIN ledger_lines l ON l.entry_id = e.id
        WHERE e.booking_id IN (SELECT id FROM b) GROUP BY e.booking_id),
    journal AS (
        SELECT what, payment_intent AS intent, amount, metadata->>'payment' AS payment, id AS reference
        FROM jsonb_to_recordset(CAST(:journal AS jsonb))
            AS j(what text, payment_intent text, amount bigint, metadata jsonb, id text))
"""

SEATS = {
    "a counter differs from the recount of its claims, or is beyond the capacity": """
        SELECT i.flight_id FROM inventory i JOIN f ON f.id = i.flight_id LEFT JOIN seat_claims s
            ON s.flight_id = i.flight_id AND s.cabin = i.cabin AND s.released_at IS NULL
        GROUP BY i.flight_id, i.cabin
        HAVING i.held <> coalesce(sum(s.seats) FILTER (WHERE s.expires_at IS NOT NULL), 0)
            OR i.sold <> coalesce(sum(s.seats) FILTER (WHERE s.expires_at IS NULL), 0)
            OR i.held + i.sold > i.capacity OR i.held < 0 OR i.sold < 0""",
    "a claim belongs to no booking": """
        SELECT s.id FROM seat_claims s JOIN f ON f.id = s.flight_id
        WHERE s.released_at IS NULL AND NOT EXISTS (SELECT FROM booking_segments g WHERE g.claim_id = s.id)""",
    "a claim is of another flight than its segment": """
        SELECT b.pnr FROM b JOIN booking_segments g ON g.booking_id = b.id JOIN seat_claims s ON s.id = g.claim_id
        WHERE s.flight_id <> g.flight_id OR s.cabin <> b.cabin""",
    "a booking that has ended, or a slice that was removed, keeps seats": """
        SELECT b.pnr FROM b JOIN booking_segments g ON g.booking_id = b.id JOIN seat_claims s ON s.id = g.claim_id
        WHERE s.released_at IS NULL AND (b.status IN ('cancelled', 'expired') OR g.state = 'removed')""",
    "a paid booking has no seats, or they may run out": """
        SELECT b.pnr FROM b JOIN booking_segments g ON g.booking_id = b.id JOIN seat_claims s ON s.id = g.claim_id
        WHERE b.status IN ('confirmed', 'completed') AND g.state = 'active'
          AND (s.released_at IS NOT NULL OR s.expires_at IS NOT NULL)""",
    "a hold has no seats, or they run out at another time than the hold": """
        SELECT b.pnr FROM b JOIN booking_segments g ON g.booking_id = b.id JOIN seat_claims s ON s.id = g.claim_id
        WHERE b.status = 'held' AND b.hold_expires_at > now() AND (
            s.released_at IS NOT NULL OR s.expires_at IS DISTINCT FROM b.hold_expires_at)
          AND NOT EXISTS (SELECT FROM payments p WHERE p.booking_id = b.id AND p.status = 'authorised')""",
    "a claim is not for the people who need a seat": """
        SELECT s.id FROM flying JOIN seat_claims s ON s.id = flying.claim_id
        GROUP BY s.id HAVING s.seats <> count(*) FILTER (WHERE flying.type <> 'infant')""",
    "nobody flies an active slice": """
        SELECT b.pnr FROM b JOIN booking_segments g ON g.booking_id = b.id AND g.state = 'active'
        WHERE b.status = 'confirmed' AND NOT EXISTS (
            SELECT FROM flying WHERE flying.booking_id = b.id AND flying.slice_index = g.slice_index)""",
    "slices wait for a payment that is not there": """
        SELECT b.pnr FROM b JOIN booking_segments g ON g.booking_id = b.id AND g.state = 'pending'
        WHERE NOT EXISTS (SELECT FROM payments p WHERE p.booking_id = b.id AND p.purpose = 'change'
                          AND p.status IN ('processing', 'requires_action', 'authorised'))""",
    "two sit on one seat": """
        SELECT a.seat FROM seat_assignments a JOIN f ON f.id = a.flight_id JOIN seat_claims s ON s.id = a.claim_id
        WHERE a.released_at IS NULL AND s.released_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > now())
        GROUP BY a.flight_id, a.seat HAVING count(*) > 1""",
    "somebody who does not fly there has a seat": """
        SELECT a.id FROM seat_assignments a JOIN booking_segments g ON g.claim_id = a.claim_id AND g.state = 'active'
            JOIN b ON b.id = g.booking_id AND b.status = 'confirmed'
        WHERE a.released_at IS NULL AND NOT EXISTS (
            SELECT FROM flying WHERE flying.claim_id = a.claim_id AND flying.position = a.position
              AND flying.flight_id = a.flight_id AND flying.type <> 'infant')""",
    "a seat was paid for, and its passenger does not have it": """
        SELECT e.id FROM booking_extras e JOIN b ON b.id = e.booking_id AND b.status = 'confirmed'
            JOIN booking_segments g ON g.booking_id = b.id AND g.flight_id = e.flight_id AND g.state = 'active'
        WHERE e.kind = 'seat' AND e.state = 'paid' AND NOT EXISTS (
            SELECT FROM seat_assignments a WHERE a.claim_id = g.claim_id AND a.position = e.position
              AND a.seat = e.seat AND a.released_at IS NULL)""",
    "who flies is not known to be on the flight": """
        SELECT flying.pnr FROM flying WHERE NOT EXISTS (
            SELECT FROM booking_trips t WHERE t.booking_id = flying.booking_id AND t.flight_id = flying.flight_id)""",
    "an account has somebody twice on a flight": """
        SELECT flight_id FROM flying GROUP BY user_id, ticket_name, born_on, flight_id HAVING count(*) > 1""",
}

MONEY = {
    "an entry does not balance, or has one line": """
        SELECT e.id FROM ledger_entries e JOIN b ON b.id = e.booking_id LEFT JOIN ledger_lines l ON l.entry_id = e.id
        GROUP BY e.id HAVING coalesce(sum(l.amount_minor), 0) <> 0 OR count(l.line) < 2""",
    "what was sold is not the price of what is booked": """
        SELECT b.pnr FROM b LEFT JOIN books ON books.booking_id = b.id
        WHERE -coalesce(books.sold, 0)
            <> CASE WHEN b.status IN ('confirmed', 'completed') THEN b.total_minor ELSE 0 END""",
    "extras that were sold are not those that are paid": """
        SELECT b.pnr FROM b LEFT JOIN books ON books.booking_id = b.id
        WHERE -coalesce(books.extras, 0) <> (
            SELECT coalesce(sum(e.amount_minor), 0)
                FROM booking_extras e WHERE e.booking_id = b.id AND e.state = 'paid')""",
    "what the processor has for us is not what was captured and not refunded": """
        SELECT b.pnr FROM b LEFT JOIN books ON books.booking_id = b.id
        WHERE coalesce(books.taken, 0) <> (
            SELECT coalesce(sum(p.amount_minor), 0) FROM payments p WHERE p.booking_id = b.id AND p.status = 'captured')
          - (SELECT coalesce(sum(r.amount_minor), 0)
              FROM refunds r WHERE r.booking_id = b.id AND r.status = 'succeeded')""",
    "what is owed is not what was not refunded yet": """
        SELECT b.pnr FROM b LEFT JOIN books ON books.booking_id = b.id
        WHERE -coalesce(books.owed, 0) <> (
            SELECT coalesce(sum(r.amount_minor), 0)
                FROM refunds r WHERE r.booking_id = b.id AND r.status <> 'succeeded')""",
    "money came for nothing and is kept": "SELECT booking_id FROM books WHERE unapplied <> 0",
    "somebody pays us a penalty, and gets it": "SELECT booking_id FROM books WHERE penalties > 0",
    "a payment's refunds are not those that it knows of, or exceed it": """
        SELECT p.id FROM payments p JOIN b ON b.id = p.booking_id LEFT JOIN refunds r ON r.payment_id = p.id
        GROUP BY p.id HAVING p.refunded_minor <> coalesce(sum(r.amount_minor), 0) OR p.refunded_minor >
            p.amount_minor""",
    "a booking is paid for twice, or is confirmed and not paid for": """
        SELECT b.pnr FROM b LEFT JOIN payments p ON p.booking_id = b.id AND p.purpose = 'purchase'
            AND p.status = 'captured'
        GROUP BY b.pnr, b.status
        HAVING count(p.id) > 1 OR (b.status IN ('confirmed', 'completed') AND count(p.id) = 0)""",
    "a payment is of another currency than its booking": """
        SELECT p.id FROM payments p JOIN b ON b.id = p.booking_id WHERE p.currency <> b.currency""",
    "a payment is under way for a booking that was given up, or two are": """
        SELECT b.pnr FROM b JOIN payments p ON p.booking_id = b.id
            AND p.status IN ('processing', 'requires_action', 'authorised')
        GROUP BY b.pnr, b.status HAVING count(*) > 1 OR b.status IN ('cancelled', 'completed')""",
    "an open payment is never looked at again": """
        SELECT p.id FROM payments p JOIN b ON b.id = p.booking_id
        WHERE p.status IN ('processing', 'requires_action', 'authorised') AND p.next_look_at IS NULL""",
    "extras of a paid booking wait for a payment that is not there": """
        SELECT e.id FROM booking_extras e JOIN b ON b.id = e.booking_id
            AND b.status IN ('confirmed', 'cancelled', 'completed')
        WHERE e.state = 'pending' AND NOT EXISTS (
            SELECT FROM payments p WHERE p.booking_id = b.id AND p.purpose = 'extras' AND p.subject_id = e.order_id
              AND p.status IN ('processing', 'requires_action', 'authorised'))""",
    "the lines of a price do not add up to its total": """
        SELECT b.pnr FROM b
        WHERE CAST(replace(b.price->'total'->>'amount', '.', '') AS bigint) <> b.total_minor
           OR CAST(b.price->'total'->>'amount' AS numeric)
              <> CAST(b.price->'base'->>'amount' AS numeric) + CAST(b.price->'taxes'->>'amount' AS numeric)
           OR CAST(b.price->'total'->>'amount' AS numeric) <> (
              SELECT coalesce(sum(CAST(line->'base'->>'amount' AS numeric) + CAST(line->'taxes'->>'amount' AS
                  numeric)), 0)
              FROM jsonb_array_elements(b.price->'passengers') AS line)""",
}

STATES = {
    "a booking has taken a step that there is not": """
        SELECT pnr FROM (
            SELECT b.pnr, t.status AS after, lag(t.status) OVER (PARTITION BY b.id ORDER BY t.sequence) AS before
            FROM b JOIN booking_timeline t ON t.booking_id = b.id) steps
        WHERE (coalesce(before, 'none'), after) NOT IN (
            ('none', 'held'), ('held', 'held'), ('held', 'confirmed'), ('held', 'cancelled'), ('held', 'expired'),
            ('expired', 'expired'), ('expired', 'held'), ('confirmed', 'confirmed'), ('confirmed', 'cancelled'),
            ('confirmed', 'completed'), ('cancelled', 'cancelled'), ('completed', 'completed'))""",
    "a booking is not where its last step left it": """
        SELECT b.pnr FROM b LEFT JOIN booking_timeline t ON t.booking_id = b.id AND t.sequence = b.sequence
        WHERE t.status IS DISTINCT FROM b.status""",
    "timeline, outbox and sequence differ": """
        SELECT b.pnr FROM b LEFT JOIN LATERAL (
            SELECT count(*) AS steps, count(o.id) AS told, max(t.sequence) AS last FROM booking_timeline t
            LEFT JOIN outbox o ON o.subject = b.pnr AND o.sequence = t.sequence AND o.type = t.type
            WHERE t.booking_id = b.id) AS s ON true
        WHERE b.sequence <> s.steps OR b.sequence <> s.told OR b.sequence <> s.last
           OR b.sequence <> (SELECT count(*) FROM outbox o WHERE o.subject = b.pnr)""",
    "a change is being paid for, and nobody pays": """
        SELECT q.id FROM change_quotes q JOIN b ON b.id = q.booking_id
        WHERE q.state = 'paying' AND NOT EXISTS (
            SELECT FROM payments p WHERE p.purpose = 'change' AND p.subject_id = q.id
              AND p.status IN ('processing', 'requires_action', 'authorised'))""",
    "a change of a flight that is no longer booked waits for an answer": """
        SELECT a.id FROM airline_changes a JOIN b ON b.id = a.booking_id
        WHERE a.state = 'open' AND NOT EXISTS (
            SELECT FROM booking_segments g WHERE g.booking_id = b.id AND g.slice_index = a.slice_index
              AND g.state = 'active')""",
}

TICKETS = {
    "who flies in a paid booking has no coupon, or two": """
        SELECT b.pnr FROM b JOIN flying ON flying.booking_id = b.id LEFT JOIN coupons c
            ON c.booking_id = b.id AND c.position = flying.position AND c.slice_index = flying.slice_index
           AND c.segment_index = flying.segment_index AND c.flight_id = flying.flight_id
           AND c.status NOT IN ('E', 'R', 'V')
        WHERE b.status IN ('confirmed', 'completed')
        GROUP BY b.pnr, flying.position, flying.slice_index, flying.segment_index HAVING count(c.number) <> 1""",
    "a passenger of a paid booking was never given a ticket": """
        SELECT b.pnr FROM b JOIN booking_passengers p ON p.booking_id = b.id AND p.cancelled_at IS NULL
        WHERE b.status IN ('confirmed', 'completed') AND NOT EXISTS (
            SELECT FROM flying WHERE flying.booking_id = b.id AND flying.position = p.position)""",
    "a coupon is good for travel, and nobody travels": """
        SELECT c.ticket_number FROM coupons c JOIN b ON b.id = c.booking_id
            LEFT JOIN flying ON flying.booking_id = b.id AND flying.position = c.position
             AND flying.slice_index = c.slice_index AND flying.segment_index = c.segment_index
        WHERE c.status IN ('O', 'A', 'C', 'L', 'S', 'I') AND (
            flying.pnr IS NULL OR b.status NOT IN ('confirmed', 'completed'))""",
    "a ticket number is given twice": """
        SELECT t.number FROM tickets t WHERE t.booking_id IN (SELECT id
            FROM b) GROUP BY t.number HAVING count(*) > 1""",
    "a check-in sequence is given twice": """
        SELECT c.check_in_sequence FROM coupons c JOIN f ON f.id = c.flight_id WHERE c.check_in_sequence IS NOT NULL
        GROUP BY c.flight_id, c.check_in_sequence HAVING count(*) > 1""",
}

IDEMPOTENCY = {
    "a key was left unfinished": """
        SELECT k.key FROM idempotency_keys k WHERE k.caller IN (SELECT user_id FROM b) AND k.status IS NULL
          AND k.locked_at IS DISTINCT FROM CAST('epoch' AS timestamptz)""",
    "an answer was kept of a booking that is not there": """
        SELECT k.key FROM idempotency_keys k WHERE k.caller IN (SELECT user_id FROM b) AND k.path = '/bookings'
          AND k.status = 201
          AND NOT EXISTS (SELECT FROM bookings o WHERE o.pnr = convert_from(k.body, 'UTF8')::jsonb->>'pnr')""",
}

# The card processor's journal beside our books, both ways; whose it is is said by the name that we gave.
PROCESSOR = {
    "the processor took money that we do not know of": """
        SELECT j.intent FROM journal j LEFT JOIN payments p ON 'pay_' || replace(p.public_id::text, '-', '') = j.payment
        WHERE j.what = 'charged' AND (p.id IS NULL OR p.amount_minor <> j.amount
            OR p.status NOT IN ('captured', 'authorised'))""",
    "a card was charged twice for one payment": """
        SELECT intent FROM journal WHERE what = 'charged' GROUP BY intent HAVING count(*) > 1""",
    "a payment was captured, and the processor did not charge it": """
        SELECT p.id FROM payments p JOIN b ON b.id = p.booking_id WHERE p.status = 'captured' AND NOT EXISTS (
            SELECT FROM journal j WHERE j.what = 'charged' AND j.intent = p.intent AND j.amount = p.amount_minor)""",
    "the processor gave money back that we do not owe, or owe once": """
        SELECT j.reference FROM journal j WHERE j.what = 'refunded' AND NOT EXISTS (
            SELECT FROM refunds r JOIN payments p ON p.id = r.payment_id
            WHERE p.intent = j.intent AND r.amount_minor = j.amount
                AND coalesce(r.reference, j.reference) = j.reference)
        UNION ALL
        SELECT j.intent FROM journal j JOIN payments p ON p.intent = j.intent WHERE j.what = 'refunded'
        GROUP BY j.intent, p.refunded_minor HAVING sum(j.amount) > p.refunded_minor""",
    "a refund succeeded, and the processor gave nothing back": """
        SELECT r.reference FROM refunds r JOIN b ON b.id = r.booking_id WHERE r.status = 'succeeded' AND NOT EXISTS (
            SELECT FROM journal j WHERE j.what = 'refunded' AND j.reference = r.reference
                AND j.amount = r.amount_minor)""",
    "a card stays reserved for nothing": """
        SELECT p.id FROM payments p JOIN b ON b.id = p.booking_id JOIN journal j ON j.intent = p.intent
        WHERE p.status IN ('failed', 'cancelled') AND p.next_look_at IS NULL
        GROUP BY p.id HAVING count(*) FILTER (WHERE j.what = 'authorised')
                           > count(*) FILTER (WHERE j.what IN ('charged', 'released', 'declined'))""",
}

# What was sent for some subscriptions `s`: their deliveries `d` with what their attempts `a` came to in `h`, the
# events `e` and whose they are, and what the receivers say that they heard.
_SENT = """
    WITH s AS (SELECT * FROM webhook_subscriptions WHERE id = ANY(CAST(:subscriptions AS uuid[]))),
    d AS (SELECT d.*, s.url, s.user_id, s.events, s.bookings, s.status, s.updated_at
          FROM webhook_deliveries d JOIN s ON s.id = d.subscription_id),
    a AS (SELECT a.*, d.status AS of, d.updated_at FROM webhook_attempts a
          JOIN d ON d.id = a.delivery_id AND d.event_at = a.event_at),
    h AS (SELECT delivery_id, count(*) AS made, min(number) AS first, max(number) AS last,
                 bool_or(a.status BETWEEN 200 AND 299 AND error IS NULL) AS taken FROM a GROUP BY delivery_id),
    e AS (SELECT o.*, coalesce(b.user_id, CAST(o.data->>'user_id' AS uuid)) AS user_id FROM outbox o
          LEFT JOIN bookings b ON b.pnr = o.subject AND o.type ~ '^(booking|payment)[.]'
          WHERE o.type = ANY(CAST(:public AS text[])) AND (
            b.user_id IN (SELECT user_id FROM s) OR o.data->>'user_id' IN (SELECT CAST(user_id AS text) FROM s)
            OR o.event_id IN (SELECT event_id FROM d))),
    heard AS (
        SELECT * FROM jsonb_to_recordset(CAST(:journal AS jsonb))
            AS j(url text, event_id uuid, digest text, signed boolean))
"""

WEBHOOKS = {
    "an event was told of twice": "SELECT event_id FROM e GROUP BY event_id HAVING count(*) > 1",
    "an event waits in the outbox": """
        SELECT event_id FROM e WHERE dispatched_at IS NULL AND user_id IN (SELECT user_id FROM s)""",
    "who is entitled to an event has no delivery of it, or two": """
        SELECT e.event_id FROM e JOIN s ON s.user_id = e.user_id AND s.status <> 'deleted'
            AND e.created_at >= s.created_at AND s.events && ARRAY[e.type, '*']
            AND (s.bookings IS NULL OR e.subject = ANY(s.bookings))
            LEFT JOIN d ON d.event_id = e.event_id AND d.subscription_id = s.id
        WHERE e.dispatched_at IS NOT NULL GROUP BY e.event_id, s.id HAVING count(d.id) <> 1""",
    "somebody hears of what is not theirs, or of nothing": """
        SELECT d.id FROM d LEFT JOIN e ON e.event_id = d.event_id
        WHERE d.type <> 'webhook.test' AND (e.id IS NULL OR NOT d.events && ARRAY[e.type, '*']
            OR e.type NOT LIKE 'flight.%' AND e.user_id IS DISTINCT FROM d.user_id)""",
    "it is delivered and no attempt was taken, or one was and it is not": """
        SELECT d.id FROM d LEFT JOIN h ON h.delivery_id = d.id
        WHERE (d.delivered_at IS NOT NULL) <> coalesce(h.taken, false)
           OR d.state = 'delivered' AND d.delivered_at IS NULL""",
    "attempts are missing, or not numbered as they were made": """
        SELECT d.id FROM d LEFT JOIN h ON h.delivery_id = d.id
        WHERE coalesce(h.made, 0) <> d.tries - CAST(d.state = 'sending' AS int)
           OR h.first <> 1 OR h.last <> h.made OR d.attempts > d.tries""",
    "it was tried more often than the schedule says, or given up before": """
        SELECT d.id FROM d
        WHERE d.attempts > CAST(:most AS int) OR d.state = 'exhausted' AND d.attempts <> CAST(:most AS int)""",
    "something is overdue, or under way for longer than a lease": """
        SELECT d.id FROM d
        WHERE d.state = 'pending' AND d.status = 'active' AND d.next_attempt_at < now() - interval '1 minute'
           OR d.state = 'sending' AND d.lease_until < now() - interval '1 minute'""",
    "something waits for a receiver that is not called any more": """
        SELECT d.id FROM d WHERE d.state = 'pending' AND d.status IN ('disabled', 'deleted')""",
    "a receiver that is not called any more was called": """
        SELECT delivery_id FROM a
        WHERE of IN ('disabled', 'deleted') AND sent_at > updated_at + interval '20 seconds'""",
    "it was tried again before its time": """
        SELECT delivery_id FROM (
            SELECT delivery_id, number,
                   sent_at - lag(sent_at) OVER (PARTITION BY delivery_id ORDER BY number) AS passed FROM a) waits
        WHERE passed < make_interval(secs => (CAST(:schedule AS float8[]))[number - 1])""",
}

# The receivers' journal beside our deliveries, both ways.
RECEIVERS = {
    "it is delivered and did not arrive": """
        SELECT d.id FROM d LEFT JOIN heard ON heard.url = d.url AND heard.event_id = d.event_id
        WHERE d.delivered_at IS NOT NULL AND heard.event_id IS NULL""",
    "something arrived that was not sent there": """
        SELECT heard.event_id FROM heard LEFT JOIN d ON heard.url = d.url AND heard.event_id = d.event_id
        WHERE d.id IS NULL""",
    "what arrived are not the bytes that are kept, or they are not signed": """
        SELECT heard.event_id FROM heard JOIN webhook_messages m ON m.event_id = heard.event_id
        WHERE NOT heard.signed OR heard.digest <> encode(sha256(m.body), 'hex')""",
    "it arrived more often than it was sent": """
        SELECT d.id FROM d JOIN heard ON heard.url = d.url AND heard.event_id = d.event_id
        GROUP BY d.id, d.tries HAVING count(*) > d.tries""",
}

BOOKS = SEATS | MONEY | STATES | TICKETS | IDEMPOTENCY
INVARIANTS = BOOKS | PROCESSOR


async def broken(
    ask: Ask, flights: Iterable[Flight] | None = None, journal: list[dict[str, Any]] | None = None
) -> dict[str, str]:
    """The invariants that do not hold, each with one thing that breaks it. Without the card processor's journal
    only our own books are looked at."""
    return await _broken(
        ask,
        _SCOPE,
        BOOKS if journal is None else INVARIANTS,
        flights=None if flights is None else [flight.id for flight in flights],
        journal=orjson.dumps(journal or []).decode(),
    )


async def webhooks_broken(
    ask: Ask,
    subscriptions: list[uuid.UUID],
    journal: list[dict[str, Any]],
    schedule: list[float] | None = None,
    most: int = 10,
) -> dict[str, str]:
    """The invariants of what is sent to some subscriptions that do not hold, each with one thing that breaks it.

    The journal has `url`, `event_id`, `digest` and `signed` of each request that a receiver heard. Waits are looked
    at if the schedule is given, for which no test may have moved the time.
    """
    return await _broken(
        ask,
        _SENT,
        WEBHOOKS | RECEIVERS,
        subscriptions=subscriptions,
        journal=orjson.dumps(journal).decode(),
        schedule=schedule,
        most=most,
        public=list(EVENTS),
    )


async def _broken(ask: Ask, scope: str, questions: dict[str, str], **known: Any) -> dict[str, str]:
    asked = [
        f"SELECT {number} AS number, min(CAST(found AS text)) AS found FROM ({question}) q(found)"
        for number, question in enumerate(questions.values())
    ]
    found = await ask(
        f"{scope} SELECT * FROM ({' UNION ALL '.join(asked)}) answers WHERE found IS NOT NULL ORDER BY number",
        **known,
    )
    names = list(questions)
    return {names[row["number"]]: row["found"] for row in found}


async def journal_of(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Every movement of money at the card processor since it was last reset."""
    lines: list[dict[str, Any]] = (await sandbox.control("GET", "/cards"))["journal"]
    return lines
