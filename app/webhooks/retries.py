"""What an answer means, and when a delivery that failed is tried again.

The first attempt is made at once, the tenth after some 76 hours: nine steps, set by `WEBHOOK_RETRY_SCHEDULE`.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from random import uniform

from app.core.config import settings
from app.core.strangers import Reply

# A receiver that is overloaded is not helped by a second attempt after five seconds.
_OVERLOADED = (429, 502, 504)
_BREATH_SECONDS = 60.0
_SAYS_WHEN = (429, 503)
_LONGEST_WISH_SECONDS = 3600.0
# What a sender that was lost may have sent is not sent again at once.
LOST, LOST_WAIT_SECONDS = "worker_lost", 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that follows, and for `pending` how long to wait. `error` is a word of ours; None for a success."""

    state: str
    wait_seconds: float = 0.0
    error: str | None = None
    gone: bool = False


DELIVERED = Verdict("delivered")


def judge(reply: Reply, attempts: int, now: datetime) -> Verdict:
    """What follows from the reply to the attempt of this number, counted from 1.

    A receiver's `Retry-After` may put the next attempt off, to twice its time or by an hour, never bring it forward.
    """
    if reply.status is not None and reply.error is None and 200 <= reply.status < 300:
        return DELIVERED
    if reply.status == 410:
        return Verdict("cancelled", error="gone", gone=True)
    error = reply.error or ("redirect" if 300 <= (reply.status or 0) < 400 else "status")
    schedule = settings().webhook_retry_seconds
    if attempts > len(schedule):
        return Verdict("exhausted", error=error)
    wait = schedule[attempts - 1] * uniform(1.0, 1.0 + settings().webhook_retry_jitter)
    wish = _wish(reply.headers.get("retry-after"), now) if reply.status in _SAYS_WHEN else None
    if wish is not None:
        wait = min(max(wish, wait), max(2 * wait, _LONGEST_WISH_SECONDS))
    elif reply.status in _OVERLOADED or error == "timeout":
        wait = max(wait, _BREATH_SECONDS)
    return Verdict("pending", wait, error)


def lost(attempts: int) -> Verdict:
    """What follows when the sender of this attempt is gone before the reply is here. It counts as one."""
    last = attempts > len(settings().webhook_retry_seconds)
    return Verdict("exhausted" if last else "pending", LOST_WAIT_SECONDS, LOST)


def _wish(retry_after: str | None, now: datetime) -> float | None:
    """The seconds a `Retry-After` asks for (RFC 9110, 10.2.3); None for what is neither a number nor a date."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return (parsedate_to_datetime(retry_after) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
