"""Every question to budgets and endpoints."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from app.core.db import Row, Session, rows

if TYPE_CHECKING:
    from app.providers.governor import Allowance

# The period that contains this moment, in UTC, for a month that begins on day `:starts_on`.
_PERIOD = """
    SELECT starts_at, CASE WHEN CAST(:period AS text) = 'day' THEN starts_at + interval '1 day'
                           ELSE starts_at + interval '1 month' END AS ends_at
    FROM (SELECT CASE WHEN CAST(:period AS text) = 'day' THEN date_trunc('day', now(), 'UTC')
                      ELSE date_trunc('month', now() - make_interval(days => :days), 'UTC')
                           + make_interval(days => :days) END AS starts_at) begun
"""


async def take_turn(
    session: Session,
    provider: str,
    endpoint: str,
    spacing_seconds: float,
    patience_seconds: float,
    probe_seconds: float,
) -> Row:
    """Reserve the endpoint's next slot: `taken`, or else `pause_reason` (if it is paused) and the wait.

    The first call after a pause is a probe: the pause goes on for everybody else until it has ended.
    """
    await rows(
        session,
        """
        INSERT INTO provider_endpoints (provider, endpoint) VALUES (:provider, :endpoint), (:provider, '*')
        ON CONFLICT DO NOTHING
        """,
        provider=provider,
        endpoint=endpoint,
    )
    found = await rows(
        session,
        """
        WITH state AS (
            SELECT e.provider, e.endpoint, greatest(coalesce(e.next_call_at, now()), now()) AS slot,
                   greatest(e.spacing_seconds, :spacing) AS spacing,
                   CASE WHEN e.paused_until > now() THEN e.pause_reason
                        WHEN whole.paused_until > now() THEN whole.pause_reason END AS pause_reason,
                   greatest(e.paused_until, whole.paused_until) AS paused_until,
                   e.paused_until <= now() AS probing
            FROM provider_endpoints e JOIN provider_endpoints whole USING (provider)
            WHERE e.provider = :provider AND e.endpoint = :endpoint AND whole.endpoint = '*'
            FOR UPDATE OF e),
        taken AS (
            UPDATE provider_endpoints e
            SET next_call_at = CASE WHEN spacing > 0 THEN slot + make_interval(secs => spacing) END,
                paused_until = CASE WHEN probing THEN now() + make_interval(secs => :probe)
                                    ELSE e.paused_until END
            FROM state
            WHERE e.provider = state.provider AND e.endpoint = state.endpoint
              AND state.pause_reason IS NULL AND slot <= now() + make_interval(secs => :patience)
            RETURNING 1)
        SELECT pause_reason, EXISTS (SELECT FROM taken) AS taken,
               CAST(extract(epoch FROM CASE WHEN pause_reason IS NULL THEN slot ELSE paused_until END - now())
                    AS float) AS wait_seconds
        FROM state
        """,
        provider=provider,
        endpoint=endpoint,
        spacing=spacing_seconds,
        patience=patience_seconds,
        probe=probe_seconds,
    )
    return found[0]


async def period(session: Session, kind: str, starts_on: int) -> tuple[float, float]:
    """How much of the present period has passed, as a share, and the seconds that are left of it."""
    found = await rows(
        session,
        f"""
        SELECT CAST(extract(epoch FROM now() - starts_at) / extract(epoch FROM ends_at - starts_at) AS float)
                   AS elapsed,
               CAST(extract(epoch FROM ends_at - now()) AS float) AS left_seconds
        FROM ({_PERIOD}) period
        """,
        period=kind,
        days=starts_on - 1,
    )
    return found[0]["elapsed"], found[0]["left_seconds"]


async def spend(
    session: Session,
    allowance: "Allowance",
    *,
    cost: int,
    background_cost: int,
    ceiling: int,
    background_ceiling: int,
) -> bool:
    """Whether the cost could be paid; the row's lock puts all payers in a queue."""
    paid = await rows(
        session,
        f"""
        INSERT INTO provider_budgets AS b (provider, budget, period_start, spent, background_spent)
        SELECT :provider, :budget, starts_at, :cost, :background FROM ({_PERIOD}) period
        WHERE CAST(:cost AS int) <= :ceiling
          AND (CAST(:background AS int) = 0 OR CAST(:background AS int) <= :background_ceiling)
        ON CONFLICT (provider, budget, period_start) DO UPDATE
            SET spent = b.spent + excluded.spent, background_spent = b.background_spent + excluded.background_spent
            WHERE b.spent + excluded.spent <= :ceiling
              AND (excluded.background_spent = 0
                   OR b.background_spent + excluded.background_spent <= :background_ceiling)
        RETURNING 1
        """,
        provider=allowance.provider,
        budget=allowance.budget,
        period=allowance.period,
        days=allowance.starts_on - 1,
        cost=cost,
        background=background_cost,
        ceiling=ceiling,
        background_ceiling=background_ceiling,
    )
    return bool(paid)


async def spent(session: Session, allowance: "Allowance") -> Row:
    """`spent`, `background_spent` and the bounds of the present period."""
    found = await rows(
        session,
        f"""
        SELECT starts_at AS period_start, ends_at AS period_end, coalesce(b.spent, 0) AS spent,
               coalesce(b.background_spent, 0) AS background_spent
        FROM ({_PERIOD}) period
        LEFT JOIN provider_budgets b
          ON b.period_start = starts_at AND b.provider = :provider AND b.budget = :budget
        """,
        provider=allowance.provider,
        budget=allowance.budget,
        period=allowance.period,
        days=allowance.starts_on - 1,
    )
    return found[0]


async def spent_at_least(session: Session, allowance: "Allowance", amount: int) -> None:
    await rows(
        session,
        f"""
        UPDATE provider_budgets SET spent = greatest(spent, :amount)
        WHERE provider = :provider AND budget = :budget
          AND period_start = (SELECT starts_at FROM ({_PERIOD}) period)
        """,
        provider=allowance.provider,
        budget=allowance.budget,
        period=allowance.period,
        days=allowance.starts_on - 1,
        amount=amount,
    )


# A call that was under way when a pause began is not its probe and does not end it.
_PROBED = "(pause_reason = 'failing' OR paused_until <= now() + make_interval(secs => :probe))"


async def note_success(session: Session, provider: str, endpoint: str, probe_seconds: float) -> None:
    await rows(
        session,
        f"""
        UPDATE provider_endpoints
        SET failures = 0, last_success_at = now(),
            pause_reason = CASE WHEN {_PROBED} THEN NULL ELSE pause_reason END,
            paused_until = CASE WHEN {_PROBED} THEN NULL ELSE paused_until END
        WHERE provider = :provider AND endpoint = :endpoint
        """,
        provider=provider,
        endpoint=endpoint,
        probe=probe_seconds,
    )


async def note_failure(
    session: Session, provider: str, endpoint: str, code: str, probe_seconds: float, *, transient: bool
) -> int:
    """How many transient failures in a row that makes. Any other answer proves that the vendor is there.

    Calls that were under way when a pause began fail with it, and do not make the next one longer.
    """
    noted = await rows(
        session,
        """
        UPDATE provider_endpoints
        SET failures = CASE WHEN NOT CAST(:transient AS boolean) THEN 0
                            WHEN pause_reason = 'failing' AND paused_until > now() + make_interval(secs => :probe)
                            THEN failures ELSE failures + 1 END,
            last_failure_at = now(), last_failure = :code,
            paused_until = CASE WHEN paused_until <= now() + make_interval(secs => :probe) THEN now()
                                ELSE paused_until END
        WHERE provider = :provider AND endpoint = :endpoint
        RETURNING failures
        """,
        provider=provider,
        endpoint=endpoint,
        code=code,
        probe=probe_seconds,
        transient=transient,
    )
    return int(noted[0]["failures"]) if noted else 0


async def pause(session: Session, provider: str, endpoint: str, reason: str, seconds: float) -> None:
    await rows(
        session,
        """
        INSERT INTO provider_endpoints AS e (provider, endpoint, paused_until, pause_reason)
        VALUES (:provider, :endpoint, now() + make_interval(secs => :seconds), :reason)
        ON CONFLICT (provider, endpoint) DO UPDATE
            SET paused_until = greatest(e.paused_until, excluded.paused_until), pause_reason = excluded.pause_reason
        """,
        provider=provider,
        endpoint=endpoint,
        reason=reason,
        seconds=float(seconds),
    )


async def learn_spacing(session: Session, provider: str, endpoint: str, seconds: float) -> None:
    await rows(
        session,
        """
        UPDATE provider_endpoints SET spacing_seconds = greatest(spacing_seconds, :seconds)
        WHERE provider = :provider AND endpoint = :endpoint
        """,
        provider=provider,
        endpoint=endpoint,
        seconds=seconds,
    )


async def learn_window(
    session: Session, provider: str, endpoint: str, today: date, first: date | None, last: date | None
) -> None:
    """Keep what the vendor said of its window; one end at a time, the other stays if it is of today."""
    await rows(
        session,
        """
        UPDATE provider_endpoints
        SET first_date = coalesce(CAST(:first AS date), CASE WHEN window_seen_on = :today THEN first_date END),
            last_date = coalesce(CAST(:last AS date), CASE WHEN window_seen_on = :today THEN last_date END),
            window_seen_on = :today
        WHERE provider = :provider AND endpoint = :endpoint
        """,
        provider=provider,
        endpoint=endpoint,
        today=today,
        first=first,
        last=last,
    )


async def endpoint(session: Session, provider: str, name: str) -> Row | None:
    found = await rows(
        session,
        "SELECT * FROM provider_endpoints WHERE provider = :provider AND endpoint = :name",
        provider=provider,
        name=name,
    )
    return found[0] if found else None


async def last_outcomes(session: Session, provider: str) -> tuple[datetime | None, datetime | None]:
    found = await rows(
        session,
        """
        SELECT max(last_success_at) AS answered, max(last_failure_at) AS failed
        FROM provider_endpoints WHERE provider = :provider
        """,
        provider=provider,
    )
    return found[0]["answered"], found[0]["failed"]


async def endpoints(session: Session) -> list[Row]:
    return await rows(
        session,
        """
        SELECT *, coalesce(paused_until > now(), false) AS paused FROM provider_endpoints
        ORDER BY provider, endpoint
        """,
    )


async def purge(session: Session) -> None:
    """Forget what was spent more than a year ago."""
    await rows(session, "DELETE FROM provider_budgets WHERE period_start < now() - interval '400 days'")
