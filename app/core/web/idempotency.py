"""`Idempotency-Key` for routes that change money, seats or subscriptions."""

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Request
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response

from app.core import idempotency
from app.core.db import Session
from app.core.errors import Conflict, Unprocessable

_LOCK_TIMEOUT = "55P03"


class IdempotencyKeyReused(Unprocessable):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key came with another body before"


class IdempotencyInProgress(Conflict):
    code = "idempotency_in_progress"
    title = "The first request with this Idempotency-Key is still running"
    retryable = True


class Once:
    """Runs an effect once for a key and answers every repetition with the first answer's bytes."""

    def __init__(self, request: Request, key: str | None) -> None:
        self._request = request
        self._key = key

    async def __call__(
        self, session: Session, caller: uuid.UUID, status: int, effect: Callable[[], Awaitable[Any]]
    ) -> Response:
        """Raises IdempotencyKeyReused, IdempotencyInProgress, and whatever the effect raises."""
        if self._key is None:
            return _answer(status, orjson.dumps(await effect()))
        method, path = self._request.method, self._request.url.path
        fingerprint = hashlib.sha256(idempotency.canonical(await self._request.body())).digest()
        try:
            claimed = await idempotency.claim(session, caller, method, path, self._key, fingerprint)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT:
                raise IdempotencyInProgress(retry_after=1) from None
            raise
        if claimed is not None:
            body = orjson.dumps(await effect())
            await idempotency.keep(session, claimed, status, body)
            return _answer(status, body)
        first = await idempotency.used(session, caller, method, path, self._key)
        if first is None or first["status"] is None:
            raise IdempotencyInProgress(retry_after=1)
        if first["fingerprint"] != fingerprint:
            raise IdempotencyKeyReused("Use a new key for another request.")
        return _answer(first["status"], first["body"], {"Idempotency-Replayed": "true"})


def _answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def _once(
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
