"""The same person at another process."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from tests.support.client import Answer, Client


def at(base: str, client: Client) -> Client:
    there = Client(client.session, base, client.token)
    there.user = client.user
    return there


async def seconds_until(code: str, ask: Callable[[], Awaitable[Answer]], most: float = 6) -> float:
    """For how long something is still answered otherwise than with this refusal."""
    started = monotonic()
    while (answer := await ask()).code != code:
        assert monotonic() - started < most, (answer.status, answer.code)
        await asyncio.sleep(0.02)
    return monotonic() - started
