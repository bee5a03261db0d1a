"""The sender: leases what is due, posts it, and writes down how it went; any number of processes may do so at once.

Each subscription has a lane of its own, narrow until its receiver has answered and again as soon as it fails, so
that one that is slow or dead keeps nobody else waiting. Leases, posts and results are batches: one round trip to
the database serves hundreds of deliveries.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

from app.core import business, clock, db, strangers, tracing
from app.core.config import settings
from app.core.crypto import CannotOpen
from app.core.db import Row
from app.core.logging import logger, trace_in
from app.core.metrics import WEBHOOK_ATTEMPTS, WEBHOOK_FIRST_SECONDS, WEBHOOKS_IN_HAND
from app.webhooks import health, ids, leases, retries, secrets, signing

log = logger("jetway.webhooks")

_IN_HAND = 2000
_BATCH = 500
# A lane that runs well is given more than it sends at once, so that it need not wait for the database each time.
_AHEAD = 8
# A delivery that waits in its lane until too little of its lease is left to send it is given back.
_SENT_WITHIN_SECONDS = 40.0
# The relay and the lanes say when there is something to send. Nobody says when a wait is over or somebody wants a
# test: so long it may take, or longer where looking is dear, because many receivers are waited for.
_LOOKS_SECONDS = 1.0
_LOOKS_SHARE = 0.05
_SWEEPS_SECONDS = 5.0
_RESTS_SECONDS = 1.0
_WRITES_AFTER_SECONDS = 0.005
# When a process is asked to end, it still waits so long for answers: shorter than it has for ending.
_ENDS_WITHIN_SECONDS = 5.0
# What cannot be signed is not looked at again sooner.
_UNSIGNED_SECONDS = 60.0
_WRITTEN_WITHIN_SECONDS = leases.LEASE_SECONDS - _SENT_WITHIN_SECONDS
_USER_AGENT = "Jetway-Webhooks/1"
_NOT_SENT = dict.fromkeys(
    ("url", "sent_at", "signature", "milliseconds", "status", "error", "excerpt"), None
) | {"wait_seconds": 0.0}


class Lane:
    """What is in hand for one subscription, and how many posts it may have in flight."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: list[bytes] = []
        self.waiting: deque[Row] = deque()
        self.sending = 0
        self.width = 1
        self.failing = False

    @property
    def room(self) -> int:
        ahead = 1 if self.width == 1 else self.width * _AHEAD
        return max(0, ahead - self.sending - len(self.waiting))


class Courier:
    """One process's sender. `deliver_due` is for who wants to see the end of it; workers keep delivering."""

    def __init__(self) -> None:
        self._lanes: dict[uuid.UUID, Lane] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._ended: list[Row] = []
        self._in_hand = 0
        self._swept_at = 0.0
        self._look = asyncio.Event()
        self._to_write = asyncio.Event()
        self._written = asyncio.Event()

    async def wake(self) -> None:
        """There may be something to send: look now, and not only at the next turn."""
        self._look.set()

    async def keep_delivering(self, stop: asyncio.Event) -> None:
        """Until asked to stop; then what is in flight may be finished, and what only waits in its lane goes back."""
        stopping = asyncio.create_task(self._wake_at(stop))
        async with self._writing():
            while not stop.is_set():
                self._look.clear()
                try:
                    pause = await self._turn()
                except Exception as error:  # noqa: BLE001  Whatever ails the database, it is tried again.
                    log.warning("webhooks not leased", reason=type(error).__name__)
                    pause = _RESTS_SECONDS
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._look.wait(), pause)
            for lane in self._lanes.values():
                self._release(lane)
            await self._all_sent()
            await self._all_written()
        await stopping

    async def _turn(self) -> float:
        """Look once, and after lost senders now and then; returns when to look again, in seconds."""
        began = monotonic()
        if began - self._swept_at > _SWEEPS_SECONDS:
            await health.sweep()
            self._swept_at = began
        if await self._take() == _BATCH:
            return 0.0
        return max(_LOOKS_SECONDS, (monotonic() - began) / _LOOKS_SHARE)

    async def deliver_due(self) -> None:
        """Send everything that is due now and return when it is written down how that went."""
        async with self._writing():
            while await self._take() or self._in_hand:
                self._written.clear()
                if self._in_hand:
                    await self._written.wait()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._look.set()

    async def _take(self) -> int:
        """Lease what is due, as far as there is room, and have it sent; returns how many deliveries."""
        most = min(_BATCH, _IN_HAND - self._in_hand)
        if most <= 0:
            return 0
        token = uuid.uuid4()
        rooms = {subscription_id: lane.room for subscription_id, lane in self._lanes.items()}
        async with db.direct() as session:
            taken = await leases.claim(session, token, rooms, most)
            found = (
                await leases.receivers(session, list({one["subscription_id"] for one in taken}))
                if taken
                else []
            )
        send_by = monotonic() + _SENT_WITHIN_SECONDS
        for receiver in found:
            self._lane(receiver)
        for one in taken:
            self._lanes[one["subscription_id"]].waiting.append({**one, "token": token, "send_by": send_by})
        self._count(len(taken))
        for receiver in found:
            self._start(self._lanes[receiver["id"]])
        return len(taken)

    def _lane(self, receiver: Row) -> None:
        """Bring a lane up to date, or open it; lanes in which nothing happens are closed when there are many."""
        if len(self._lanes) > _IN_HAND:
            self._lanes = {name: lane for name, lane in self._lanes.items() if lane.sending or lane.waiting}
        lane = self._lanes.setdefault(receiver["id"], Lane())
        lane.url, lane.failing = receiver["url"], receiver["failing_since"] is not None
        try:
            lane.keys = secrets.keys(receiver["id"], receiver["secrets"])
        except CannotOpen as error:
            log.error(
                "secrets of a webhook cannot be opened", subscription=str(receiver["id"]), reason=str(error)
            )
            lane.keys = []

    def _start(self, lane: Lane) -> None:
        for _ in range(min(lane.width - lane.sending, len(lane.waiting))):
            lane.sending += 1
            task = asyncio.create_task(self._send_in_turn(lane))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send_in_turn(self, lane: Lane) -> None:
        try:
            while lane.waiting and lane.sending <= lane.width:
                await self._send(lane, lane.waiting.popleft())
        finally:
            lane.sending -= 1
            if not lane.waiting:
                self._look.set()

    async def _send(self, lane: Lane, delivery: Row) -> None:
        if monotonic() > delivery["send_by"]:
            self._end(delivery, "released")
            return
        if not lane.keys:
            # Deleted a moment ago, or sealed with a key that we do not have. Nothing is sent that is not signed.
            self._end(delivery, "released", wait_seconds=_UNSIGNED_SECONDS)
            return
        sent_at = clock.now()
        if delivery["tries"] == 1:
            WEBHOOK_FIRST_SECONDS.observe((sent_at - delivery["event_at"]).total_seconds())
        url, headers = lane.url, _headers(lane.keys, delivery, int(sent_at.timestamp()))
        told = {"jetway.event.id": headers["webhook-id"], "jetway.attempt": delivery["tries"]}
        with tracing.followed(f"deliver {delivery['type']}", "client", delivery["traceparent"], told) as part:
            try:
                reply = await strangers.post(url, delivery["body"], headers)
                verdict = retries.judge(reply, delivery["attempts"], clock.now())
            except asyncio.CancelledError:
                # This process ends: whether it has arrived nobody knows.
                reply, verdict = strangers.Reply(), retries.lost(delivery["attempts"])
            part.tell({"http.response.status_code": reply.status or 0, "jetway.outcome": verdict.state})
            if verdict is not retries.DELIVERED:
                part.failed(verdict.error or verdict.state)
        self._end(
            delivery,
            verdict.state,
            wait_seconds=verdict.wait_seconds,
            url=url,
            sent_at=sent_at,
            signature=headers["webhook-signature"],
            milliseconds=reply.milliseconds,
            status=reply.status,
            error=verdict.error,
            excerpt=reply.excerpt,
        )
        if verdict is retries.DELIVERED:
            lane.width = settings().webhook_concurrency
            self._start(lane)
        else:
            lane.width = 1
            self._release(lane)

    def _release(self, lane: Lane) -> None:
        """Give back what only waits: its receiver does not answer, or this process is about to end."""
        while lane.waiting:
            self._end(lane.waiting.popleft(), "released")

    def _end(self, delivery: Row, outcome: str, **how: Any) -> None:
        WEBHOOK_ATTEMPTS.labels(outcome).inc()
        state = "pending" if outcome == "released" else outcome
        self._ended.append({**_NOT_SENT, **delivery, "state": state, **how})
        self._to_write.set()

    def _count(self, change: int) -> None:
        self._in_hand += change
        WEBHOOKS_IN_HAND.set(self._in_hand)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        writing = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            writing.cancel()

    async def _all_sent(self) -> None:
        """Wait for answers, but not for long."""
        late = set(self._sending)
        if late:
            _, late = await asyncio.wait(late, timeout=_ENDS_WITHIN_SECONDS)
        for task in late:
            task.cancel()

    async def _all_written(self) -> None:
        while self._in_hand:
            self._written.clear()
            await self._written.wait()

    async def _keep_writing(self) -> None:
        """Write what has ended in batches. While the database does not answer it is kept until its lease is over."""
        while True:
            await self._to_write.wait()
            await asyncio.sleep(_WRITES_AFTER_SECONDS)
            self._to_write.clear()
            ended, self._ended = self._ended, []
            try:
                await self._write(ended)
            except Exception as error:  # noqa: BLE001  Whatever ails the database, it is tried again.
                log.warning("results of webhooks not written", reason=type(error).__name__)
                ours = [one for one in ended if monotonic() < one["send_by"] + _WRITTEN_WITHIN_SECONDS]
                self._count(len(ours) - len(ended))
                self._ended += ours
                self._to_write.set()
                await asyncio.sleep(_RESTS_SECONDS)
            else:
                self._count(-len(ended))
            self._written.set()

    async def _write(self, ended: list[Row]) -> None:
        """The receivers' health first: a result that is lost is found by its lease, a receiver that is gone is not."""
        sent = [one for one in ended if one["sent_at"]]
        failed = {
            one["subscription_id"]
            for one in sent
            if one["state"] != "delivered" and one["error"] != retries.LOST
        }
        answered = {
            one["subscription_id"]
            for one in sent
            if one["state"] == "delivered" and self._fails(one["subscription_id"])
        }
        if failed or answered:
            gone = {one["subscription_id"] for one in sent if one["error"] == "gone"}
            await health.note(answered, failed - answered, gone)
        async with db.direct() as session:
            kept = await leases.finish(session, ended)
        ours = {one["id"] for one in kept}
        for state in ("delivered", "exhausted"):
            over = [_fact(one) for one in ended if one["state"] == state and one["id"] in ours]
            business.tell(f"delivery.{state}", over)
        for _ in range(len(ended) - len(kept)):
            WEBHOOK_ATTEMPTS.labels("lost").inc()

    def _fails(self, subscription_id: uuid.UUID) -> bool:
        lane = self._lanes.get(subscription_id)
        return lane is None or lane.failing


def _headers(keys: list[bytes], delivery: Row, timestamp: int) -> dict[str, str]:
    message_id = ids.shown(ids.EVENT, delivery["event_id"])
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": _USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signing.sign(keys, message_id, timestamp, delivery["body"]),
        "webhook-attempt": str(delivery["tries"]),
    }


def _fact(ended: Row) -> Row:
    """What the business's lines tell of a delivery that is over. It may be replayed: the attempt is part of the id."""
    shown = ids.shown(ids.DELIVERY, ended["id"])
    return {
        "event.id": f"{shown}_{ended['tries']}",
        "trace.id": trace_in(ended.get("traceparent")),
        "event.duration": (ended["milliseconds"] or 0) * 1_000_000,
        "http.response.status_code": ended["status"],
        "jetway.delivery.id": shown,
        "jetway.delivery.subscription_id": ids.shown(ids.SUBSCRIPTION, ended["subscription_id"]),
        "jetway.delivery.event_id": ids.shown(ids.EVENT, ended["event_id"]),
        "jetway.delivery.event_type": ended["type"],
        "jetway.delivery.attempts": ended["tries"],
        "jetway.delivery.lag": int((clock.now() - ended["event_at"]).total_seconds() * 1e9),
        "jetway.reason": ended["error"],
    }


# The one that a worker process keeps delivering with.
courier = Courier()
