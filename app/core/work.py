"""What is known of the request or task in hand, for the one line that tells of it when it is done.

A record that is changed and not replaced, so that what is started for a request, and a worker's loop in its thread,
add to the record of who asked.
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """`user` is the account that asks, by a session or by the API key `key`, and `trace` the trace that all of it
    belongs to: ids, and empty where there is none.

    `cache` says where a ready answer was: `hot` in this process, `redis`, or nowhere, and it was `computed`.
    `told` is the end of its line, where one record serves many and nothing is added to it any more.
    Calls to others at the same time count in full, so that their seconds may be more than the whole took.
    """

    user: str = ""
    key: str = ""
    cache: str = ""
    trace: str = ""
    calls: int = 0
    call_seconds: float = 0.0
    told: str = ""


# Outside of requests and tasks there is none: what a worker keeps doing has lines of its own.
current: ContextVar[Work | None] = ContextVar("work", default=None)


def signed_in(user: str, key: str = "") -> None:
    if work := current.get():
        work.user, work.key = user, key


def answered_from(cache: str) -> None:
    if work := current.get():
        work.cache = cache


def called(seconds: float) -> None:
    """Somebody outside was asked, however that ended."""
    if work := current.get():
        work.calls += 1
        work.call_seconds += seconds
