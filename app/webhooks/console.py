"""`python -m app webhooks`: for operators who want to see what is delivered, and what is not."""

import argparse
import asyncio
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from app.core import clock, db
from app.core.db import Row, Session
from app.webhooks import overview
from app.webhooks.ids import EVENT, SUBSCRIPTION, own, shown
from app.webhooks.models import STATES

T = TypeVar("T")

_NOT_KNOWN = 2
_SHOWN = 20
_LOOKS_SECONDS = 0.5
# Attempts of several processes are written in batches and by several clocks: what is nearly new is looked at twice.
_OVERLAP = timedelta(seconds=10)
_A_LOOK = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--follow", action="store_true", help="a line for each attempt, until Ctrl-C")
    parser.add_argument(
        "--since", type=float, default=0, metavar="MINUTES", help="attempts of so many minutes too"
    )
    parser.add_argument("--subscription", metavar="whs_…", help="only attempts for this one")
    parser.add_argument("--user", metavar="EMAIL", help="only attempts for this account")
    parser.add_argument("--state", choices=STATES, help="only attempts whose delivery is in this state now")


async def run(arguments: argparse.Namespace) -> int:
    """A summary, then attempts if any are asked for. The exit code: 2 where a subscription's id is none."""
    subscription_id = own(SUBSCRIPTION, arguments.subscription or "")
    if arguments.subscription and subscription_id is None:
        sys.stderr.write(f"{arguments.subscription} is not the id of a subscription.\n")
        return _NOT_KNOWN
    await _summarise(patient=arguments.follow)
    since = clock.now() - timedelta(minutes=arguments.since)
    told: dict[tuple[uuid.UUID, int], datetime] = {}
    while arguments.since or arguments.follow:
        wanted = {"subscription_id": subscription_id, "email": arguments.user, "state": arguments.state}
        attempts = partial(overview.attempts, since=since, most=_A_LOOK, **wanted)
        found = await _answered(attempts, patient=arguments.follow)
        for one in found:
            key = (one["delivery_id"], one["number"])
            if key not in told:
                _tell(_line(one))
            told[key] = one["ended_at"]
        full = len(found) == _A_LOOK
        since = found[-1]["ended_at"] if full else max(since, clock.now() - _OVERLAP)
        told = {key: ended_at for key, ended_at in told.items() if ended_at >= since}
        if full:
            continue
        if not arguments.follow:
            break
        await asyncio.sleep(_LOOKS_SECONDS)
    return 0


async def _answered(question: Callable[[Session], Awaitable[T]], *, patient: bool) -> T:
    """What the database says. Who follows goes on when it is back, and has missed nothing; others are told why not."""
    away = False
    while True:
        try:
            async with db.transaction() as session:
                found = await question(session)
        except db.GONE_WRONG as error:
            told = f"The database does not answer ({type(error).__name__})"
            if not patient:
                sys.exit(f"{told}.")
            if not away:
                sys.stderr.write(f"{told}; waiting for it.\n")
            away = True
            await asyncio.sleep(_LOOKS_SECONDS)
            continue
        if away:
            sys.stderr.write("The database answers again.\n")
        return found


async def _overview(session: Session) -> tuple[list[Row], Row, list[Row]]:
    return (
        await overview.waiting(session),
        await overview.sending(session),
        await overview.failing(session, _SHOWN),
    )


async def _summarise(*, patient: bool) -> None:
    waiting, sending, failing = await _answered(_overview, patient=patient)
    _tell(f"sending: {sending['deliveries']}, of them {sending['lost']} by a sender that was lost")
    for one in waiting:
        _tell(
            f"pending: {one['deliveries']} for {one['receivers']} {one['receiver']} subscriptions, "
            f"the oldest due for {one['lag_seconds']:.0f} s"
        )
    if not waiting:
        _tell("pending: 0")
    for line in _failing(failing):
        _tell(line)


def _failing(found: Iterable[Row]) -> Iterable[str]:
    for one in found:
        yield (
            f"failing since {clock.rfc3339(one['failing_since'])}: {shown(SUBSCRIPTION, one['id'])} of {one['email']} "
            f"at {urlsplit(one['url']).hostname}, {one['deliveries']} waiting, next at {clock.rfc3339(one['next'])}"
        )


def _line(one: Row) -> str:
    """Of the URL the host only: what follows may be a secret."""
    came = (
        one["status"] if one["error"] in (None, "status") else f"{one['error']} {one['status'] or ''}".strip()
    )
    took = f"{one['milliseconds']} ms" if one["milliseconds"] is not None else "?"
    state = one["state"]
    if state == "pending":
        state += f" until {clock.rfc3339(one['next_attempt_at'])}"
    host = urlsplit(one["url"] or "").netloc or "?"
    return (
        f"{one['ended_at']:%H:%M:%S} {shown(SUBSCRIPTION, one['subscription_id'])} {one['email']} {host} "
        f"{one['type']} {shown(EVENT, one['event_id'])} attempt {one['number']}: {came}, {took}, {state}"
    )


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
