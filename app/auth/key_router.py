"""API keys of the signed-in user."""

import uuid

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from app.auth import keys, proofs
from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.auth.errors import ApiKeyNotFound, NotConfirmed, Overloaded, TooManyApiKeys
from app.auth.shapes import ApiKeyIn, ApiKeyList, ApiKeyWithSecret
from app.core.errors import TooManyRequests
from app.core.web.dependencies import SessionDep
from app.core.web.idempotency import IdempotencyInProgress, IdempotencyKeyReused, OnceDep
from app.core.web.problems import problems

router = APIRouter(prefix="/auth/api-keys", tags=["Accounts"])

_ONCE = (IdempotencyInProgress, IdempotencyKeyReused)


@router.post(
    "",
    status_code=201,
    response_model=ApiKeyWithSecret,
    responses=problems(*NOT_SIGNED_IN, NotConfirmed, *_ONCE, TooManyApiKeys, TooManyRequests, Overloaded),
)
async def create_api_key(caller: CurrentUser, once: OnceDep, data: ApiKeyIn) -> Response:
    """A key for a server of yours. It is in this answer and in no other."""
    proven = await proofs.password(caller.user_id, data.password)
    return await once.in_one(
        caller.user_id, 201, lambda session: keys.create(session, proven, data), secret=True
    )


@router.get("", response_model=ApiKeyList, responses=problems(*NOT_SIGNED_IN))
async def list_api_keys(caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """The keys that are honoured, newest first."""
    return JSONResponse(await keys.listed(session, caller.user_id))


@router.delete("/{key_id}", status_code=204, responses=problems(*NOT_SIGNED_IN, ApiKeyNotFound))
async def revoke_api_key(caller: CurrentUser, session: SessionDep, key_id: uuid.UUID) -> Response:
    """The key is refused within a second for what writes, and within five for what reads."""
    await keys.revoke(session, caller.user_id, key_id)
    return Response(status_code=204)
