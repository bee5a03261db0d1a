"""Where somebody is signed in, and signing out there."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from app.auth import sessions
from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.auth.errors import SessionNotFound
from app.auth.shapes import SessionList
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems

router = APIRouter(prefix="/auth/sessions", tags=["Accounts"])


@router.get("", response_model=SessionList, responses=problems(*NOT_SIGNED_IN))
async def list_sessions(
    caller: CurrentUser, session: SessionDep, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """Where you are signed in, newest first."""
    found = await sessions.page(session, caller.user_id, caller.session_id, cursor, limit)
    return JSONResponse(found)


@router.delete("/{session_id}", status_code=204, responses=problems(*NOT_SIGNED_IN, SessionNotFound))
async def revoke_session(caller: CurrentUser, session: SessionDep, session_id: uuid.UUID) -> Response:
    """Sign out there. Its tokens are refused within a second for what writes, and within five for what reads."""
    await sessions.revoke(session, caller.user_id, session_id)
    return Response(status_code=204)


@router.delete("", status_code=204, responses=problems(*NOT_SIGNED_IN))
async def revoke_sessions(
    caller: CurrentUser,
    session: SessionDep,
    keep_current: Annotated[bool, Query(description="Stay signed in here.")] = False,
) -> Response:
    """Sign out everywhere, here included unless `keep_current` is true. API keys are no sessions and go on."""
    await sessions.revoke_all(session, caller.user_id, caller.session_id if keep_current else None)
    return Response(status_code=204)
