"""`python -m app forgotten-payments`: what only the card processor knows after a restore, and what to do about it."""

import argparse
import sys
from datetime import datetime

from app.bookings import recovering
from app.bookings.recovering import Forgotten
from app.payments import service as payments
from app.providers.base import ProviderError

_CANNOT = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "since",
        type=_instant,
        metavar="INSTANT",
        help="the moment to which the database was restored, such as 2026-12-01T08:15:00Z",
    )
    parser.add_argument(
        "--take-in", action="store_true", help="settle those whose booking waits here for its payment"
    )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError("name the zone, as in 2026-12-01T08:15:00Z")
    return instant


async def run(arguments: argparse.Namespace) -> int:
    """A line for each; the exit code is 1 while something is left for people to do."""
    if not payments.offered():
        sys.stderr.write("STRIPE_SECRET_KEY is not set: there is nobody to ask.\n")
        return _CANNOT
    try:
        found = await recovering.forgotten(arguments.since, take_in=arguments.take_in)
    except ProviderError as error:
        sys.stderr.write(f"The card processor could not be asked ({error.code}); try again.\n")
        return _CANNOT
    for one in found:
        sys.stdout.write(f"{_line(one)}\n")
    left = sum(one.taken_in is None for one in found)
    sys.stdout.write(f"{len(found)} forgotten, {left} of them left to settle\n")
    return 1 if left else 0


def _line(one: Forgotten) -> str:
    amount = f"{one.amount['amount']} {one.amount['currency']}"
    where = f"{one.reference}: {one.what} of {amount} for booking {one.pnr or '?'}"
    if one.booking is None:
        return f"{where}, which is not here: give the money back at the processor, or book again by hand"
    if one.what == "refund":
        return f"{where}, which is {one.booking} here: it was cancelled or changed, so see that nobody flies for it"
    if one.taken_in is not None:
        if one.booking in ("confirmed", "completed"):
            return f"{where}: taken in, the booking is {one.booking}"
        if one.taken_in == "captured":
            return f"{where}: taken in; the seats were gone, so the money goes back"
        return f"{where}: taken in as {one.taken_in}, nothing is kept"
    if one.can_be:
        return f"{where}, which is {one.booking} here: --take-in settles it"
    return (
        f"{where}, which is {one.booking} here and costs something else: give the money back at the processor"
    )
