"""Bookings of the past, by the ten thousand: rows in every table that a booking writes, made by PostgreSQL.

They are copies of one booking that was made through the product, each of somebody else on some flight. Two of four
are confirmed, one was cancelled, one expired.
"""

import asyncpg

# The pattern's id is {0}, how many are made {1}; a claim has its booking's id below zero, before all new ones.
_ROWS = """
INSERT INTO users (id, email, full_name, password_hash)
SELECT gen_random_uuid(), 'past' || n || '@example.com', 'Ada Lovelace', '-' FROM generate_series(1, {1} / 4) n;

CREATE TEMP TABLE past AS
WITH flown AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS every FROM flights),
     owner AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS every
               FROM users WHERE email LIKE 'past%')
SELECT n, flown.id AS flight_id, owner.id AS user_id,
       (ARRAY['confirmed', 'confirmed', 'cancelled', 'expired'])[1 + n % 4] AS status,
       (SELECT string_agg(substr('BCDFGHJKMNPQRSTVWXYZ23456789',
                                 1 + mod(floor(n * 7919.0 / 28 ^ place)::bigint, 28)::int, 1), '')
        FROM generate_series(0, 5) place) AS pnr
FROM generate_series(1, {1}) n
JOIN flown ON flown.place = n % flown.every JOIN owner ON owner.place = n % owner.every;

INSERT INTO seat_claims (id, flight_id, cabin, seats, expires_at, released_at) OVERRIDING SYSTEM VALUE
SELECT -n, flight_id, 'economy', 1, CASE status WHEN 'expired' THEN now() END,
       CASE WHEN status <> 'confirmed' THEN now() END
FROM past;
INSERT INTO inventory AS i (flight_id, cabin, capacity, sold)
SELECT flight_id, 'economy', 10000000, count(*) FROM past WHERE status = 'confirmed' GROUP BY flight_id
ON CONFLICT (flight_id, cabin) DO UPDATE SET sold = i.sold + excluded.sold;

INSERT INTO bookings (id, pnr, user_id, status, total_minor, currency, cabin, fare_brand, price, conditions, baggage,
                      contact, terms, hold_expires_at, price_stands_until, sequence)
OVERRIDING SYSTEM VALUE
SELECT -n, past.pnr, past.user_id, past.status, total_minor, currency, cabin, fare_brand, price, conditions, baggage,
       contact, terms, hold_expires_at, price_stands_until, 2
FROM past, bookings b WHERE b.id = {0};
INSERT INTO booking_passengers (booking_id, position, type, given_name, family_name, born_on, ticket_name)
SELECT -n, position, type, given_name, family_name, born_on, ticket_name
FROM past, booking_passengers p WHERE p.booking_id = {0};
INSERT INTO booking_segments (booking_id, slice_index, segment_index, flight_id, claim_id, booking_class)
SELECT -n, 0, 0, flight_id, -n, 'Y' FROM past;
INSERT INTO booking_trips (flight_id, traveller, booking_id)
SELECT flight_id, substr(sha256(convert_to(n::text, 'UTF8')), 1, 16), -n FROM past;
INSERT INTO booking_timeline (booking_id, sequence, type, status)
SELECT -n, step, 'booking.' || one, one FROM past,
     LATERAL unnest(ARRAY['held', status]) WITH ORDINALITY AS steps(one, step);
INSERT INTO outbox (type, subject, sequence, data, dispatched_at)
SELECT 'booking.' || one, pnr, step, jsonb_build_object('pnr', pnr, 'status', one), now() FROM past,
     LATERAL unnest(ARRAY['held', status]) WITH ORDINALITY AS steps(one, step);
INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, status, body)
SELECT past.user_id, 'POST', '/bookings', n::text, sha256(convert_to(n::text, 'UTF8')), 201,
       convert_to(price::text || conditions::text || terms::text, 'UTF8')
FROM past, bookings b WHERE b.id = {0};
DROP TABLE past;
"""


async def fill(url: str, bookings: int) -> None:
    """So many bookings like the newest one, and what the planner wants to know of them."""
    connection = await asyncpg.connect(url)
    pattern = await connection.fetchval("SELECT max(id) FROM bookings")
    await connection.execute(_ROWS.format(pattern, bookings))
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
