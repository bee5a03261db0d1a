"""`Idempotency-Key` for routes that change money, seats or subscriptions."""

import asyncio
import hmac
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Request
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response

from app.core import crypto, db, idempotency
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import AppError, Conflict, Unprocessable
from app.core.web import problems

_LOCK_TIMEOUT = "55P03"
# A twin of an effect in several steps waits so long for the first one's answer, and looks so often.
_TWIN_WAITS_SECONDS = 12.0
_TWIN_LOOKS_SECONDS = (0.02, 0.05, 0.1, 0.2)
# However many twins wait in a process, few of them look at once: the one that works needs connections too.
_TWINS_LOOKING = asyncio.Semaphore(2)


class IdempotencyKeyReused(Unprocessable):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key came with another body before"


class IdempotencyInProgress(Conflict):
    code = "idempotency_in_progress"
    title = "The first request with this Idempotency-Key is still running"
    retryable = True


class TakenOver(Exception):
    """Another process has gone on with these steps: nothing of this one may be committed."""


@dataclass(frozen=True, slots=True)
class Steps:
    """An effect made in several transactions. Its last one calls `keep` with the answer, which it returns."""

    request: Request
    key_id: int | None
    lock: uuid.UUID

    async def keep(self, session: Session, result: Row | AppError, status: int = 201) -> Response:
        """Keep the answer in the caller's transaction. Raises TakenOver."""
        answer = (
            problems.answer(self.request, result)
            if isinstance(result, AppError)
            else _answer(status, orjson.dumps(result))
        )
        if self.key_id is not None:
            body = bytes(answer.body)
            if not await idempotency.finish(session, self.key_id, self.lock, answer.status_code, body):
                raise TakenOver
        return answer

    async def leave(self, session: Session, result: Row, location: str) -> Response:
        """Answer 202 and keep nothing: the next repetition goes on at once from where the steps were left."""
        if self.key_id is not None:
            await idempotency.let_go(session, self.key_id, self.lock)
        return _answer(202, orjson.dumps(result), {"Location": location})


class Once:
    """Runs an effect once for a key and answers every repetition with the first answer's bytes."""

    def __init__(self, request: Request, key: str | None) -> None:
        self._request = request
        self._key = key

    async def __call__(
        self,
        session: Session,
        caller: uuid.UUID,
        status: int,
        effect: Callable[[], Awaitable[Any]],
        *,
        secret: bool = False,
    ) -> Response:
        """An answer that holds a secret is kept sealed.

        Raises IdempotencyKeyReused, IdempotencyInProgress, and whatever the effect raises.
        """
        if self._key is None:
            return _answer(status, orjson.dumps(await effect()))
        claimed = await self._claim(session, caller)
        if claimed is not None:
            body = orjson.dumps(await effect())
            kept = crypto.seal(body.decode(), f"answer {claimed}").encode() if secret else body
            await idempotency.keep(session, claimed, status, kept)
            return _answer(status, body)
        first = await self._first(session, caller)
        if first is None or first["status"] is None:
            raise IdempotencyInProgress(retry_after=1)
        if secret:
            first["body"] = crypto.open(first["body"].decode(), f"answer {first['id']}").encode()
        return _replayed(first)

    async def in_one(
        self,
        caller: uuid.UUID,
        status: int,
        effect: Callable[[Session], Awaitable[Any]],
        afterwards: Callable[[], Awaitable[None]] | None = None,
        *,
        secret: bool = False,
    ) -> Response:
        """`__call__` in a transaction of its own, and what is to be done when it is durable."""
        async with db.transaction() as session:
            if afterwards is not None:
                db.after_commit(session, afterwards)
            return await self(session, caller, status, lambda: effect(session), secret=secret)

    def steps(self) -> "Steps":
        """For effects that may be repeated as they are: nothing is kept."""
        return Steps(self._request, None, uuid.uuid4())

    async def in_steps(
        self,
        caller: uuid.UUID,
        start: Callable[[Session], Awaitable[str]],
        go_on: Callable[[str, Steps], Awaitable[Response]],
    ) -> Response:
        """Run an effect that asks others in between. `start` makes its first transaction and names its subject;
        `go_on` makes the others, and must find out from the subject alone what is left to be done.

        Raises what `__call__` does. A refusal of `start` is not kept; what `go_on` keeps is.
        """
        steps = Steps(self._request, None, uuid.uuid4())
        if self._key is None:
            async with db.transaction() as session:
                subject = await start(session)
            return await go_on(subject, steps)
        deadline, looks = monotonic() + _TWIN_WAITS_SECONDS, iter(_TWIN_LOOKS_SECONDS)
        turn: AbstractAsyncContextManager[Any] = nullcontext()
        while True:
            async with turn, db.transaction() as session:
                found = await self._claimed_or_first(session, caller, start, steps.lock)
            turn = _TWINS_LOOKING
            if isinstance(found, Response):
                return found
            if found is not None:
                key_id, subject = found
                try:
                    return await go_on(subject, Steps(self._request, key_id, steps.lock))
                except TakenOver:
                    continue
            if monotonic() > deadline:
                raise IdempotencyInProgress(retry_after=2)
            await asyncio.sleep(next(looks, _TWIN_LOOKS_SECONDS[-1]))

    async def _claimed_or_first(
        self, session: Session, caller: uuid.UUID, start: Callable[[Session], Awaitable[str]], lock: uuid.UUID
    ) -> Response | tuple[int, str] | None:
        """The first answer, or steps that are ours to make; None while somebody else makes them."""
        claimed = await self._claim(session, caller)
        if claimed is not None:
            subject = await start(session)
            await idempotency.begin(session, claimed, subject, lock)
            return claimed, subject
        first = await self._first(session, caller)
        if first is None:
            return None
        if first["status"] is not None:
            return _replayed(first)
        taken = await idempotency.take_over(session, first["id"], lock)
        return (first["id"], first["subject"]) if taken else None

    async def _claim(self, session: Session, caller: uuid.UUID) -> int | None:
        assert self._key is not None  # noqa: S101
        method, path = self._request.method, self._request.url.path
        try:
            return await idempotency.claim(
                session, caller, method, path, self._key, (await self._fingerprints())[-1]
            )
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT:
                raise IdempotencyInProgress(retry_after=1) from None
            raise

    async def _first(self, session: Session, caller: uuid.UUID) -> Row | None:
        """Raises IdempotencyKeyReused."""
        assert self._key is not None  # noqa: S101
        first = await idempotency.used(
            session, caller, self._request.method, self._request.url.path, self._key
        )
        if first is not None and first["fingerprint"] not in await self._fingerprints():
            raise IdempotencyKeyReused("Use a new key for another request.")
        return first

    async def _fingerprints(self) -> list[bytes]:
        """Of the body, with each of the secret keys: a body may hold a password, which nobody shall find by trying."""
        body = idempotency.canonical(await self._request.body())
        return [hmac.digest(key.encode(), b"body " + body, "sha256") for key in settings().secret_keys]


def _replayed(first: Row) -> Response:
    answer = _answer(first["status"], first["body"], {"Idempotency-Replayed": "true"})
    if first["status"] >= 400:
        answer.media_type = "application/problem+json"
        answer.headers["content-type"] = answer.media_type
    return answer


def _answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, "application/json")


async def _once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]+$",
            description="Repeat a request safely: the same key and body give the first answer again, for 72 hours.",
        ),
    ] = None,
) -> Once:
    return Once(request, idempotency_key)


OnceDep = Annotated[Once, Depends(_once)]
