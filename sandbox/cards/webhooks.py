"""Webhooks: every event goes to every address, signed, in the background, a few times if need be."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import orjson

from sandbox.cards.settings import Settings

ATTEMPTS = 5
TIMEOUT = aiohttp.ClientTimeout(total=10)
AT_ONCE = 16
HELD_SECONDS = 0.2
MOST_DELIVERIES = 20_000


@dataclass(frozen=True, slots=True)
class Letter:
    """One event on its way to one address."""

    event: str
    type: str
    url: str
    body: bytes
    attempt: int = 1


class Webhooks:
    """Sends, and remembers what came of it. Nobody ever waits for it who does not want to."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.deliveries: list[dict[str, Any]] = []
        self._held: list[Letter] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._session: aiohttp.ClientSession | None = None
        self._users = 0

    def reset(self, settings: Settings) -> None:
        self.settings = settings
        for timer in self._timers:
            timer.cancel()
        for task in self._sending:
            task.cancel()
        self._timers.clear()
        self._held.clear()
        self.deliveries.clear()

    def tell(self, event: dict[str, Any]) -> None:
        """Takes an event, which goes out as the settings of this moment say."""
        settings = self.settings
        if settings.webhooks == "off" or not settings.webhook_urls:
            return
        body = orjson.dumps(event)
        letters = [Letter(event["id"], event["type"], url, body) for url in settings.webhook_urls]
        if settings.webhooks == "reversed":
            if not self._held:
                self._later(HELD_SECONDS, self._let_go)
            self._held += letters * settings.copies
        else:
            self._later(settings.delay_seconds, self._send, *letters * settings.copies)

    async def told(self) -> None:
        """Until everything that is due has been sent once."""
        self._let_go()
        await asyncio.sleep(0)
        if self._sending:
            await asyncio.wait(self._sending, timeout=TIMEOUT.total)

    def _later(self, seconds: float, work: Any, *letters: Letter) -> None:
        """Now, or by the real clock: a receiver waits in real time."""
        if not seconds:
            return work(*letters)  # type: ignore[no-any-return]

        def ring() -> None:
            self._timers.discard(timer)
            work(*letters)

        timer = asyncio.get_running_loop().call_later(seconds, ring)
        self._timers.add(timer)
        return None

    def _let_go(self) -> None:
        """One after the other, the last first: who sends all at once cannot say which comes first."""
        letters, self._held = self._held[::-1], []
        if letters:
            self._start(self._send_in_turn(letters))

    def _send(self, *letters: Letter) -> None:
        for letter in letters:
            self._start(self._send_in_turn([letter]))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_in_turn(self, letters: list[Letter]) -> None:
        """The connections are closed when nobody needs them any more."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=AT_ONCE)
            self._session = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT)
        session, self._users = self._session, self._users + 1
        try:
            for letter in letters:
                await self._deliver(session, letter)
        finally:
            self._users -= 1
            if not self._users:
                self._session = None
                await session.close()

    async def _deliver(self, session: aiohttp.ClientSession, letter: Letter) -> None:
        status, problem = None, None
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Sandbox/1.0",
            "Stripe-Signature": signature(letter.body, self.settings.webhook_secret),
        }
        try:
            async with session.post(
                letter.url, data=letter.body, headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            problem = type(error).__name__
        told = {"event": letter.event, "type": letter.type, "url": letter.url, "attempt": letter.attempt}
        self.deliveries.append({**told, "status": status, "problem": problem})
        del self.deliveries[:-MOST_DELIVERIES]
        if not (status and 200 <= status < 300) and letter.attempt < ATTEMPTS:
            wait = self.settings.retry_seconds * 2 ** (letter.attempt - 1)
            self._later(max(wait, 0.01), self._send, replace(letter, attempt=letter.attempt + 1))


def signature(body: bytes, secret: str, at: int | None = None) -> str:
    """The real time is in it, not the sandbox's: receivers refuse what is old by their own clock."""
    moment = str(int(time.time()) if at is None else at)
    signed = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256)
    return f"t={moment},v1={signed.hexdigest()}"
