"""Accounts, as administrators see them."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from app.auth import users
from app.auth.dependencies import NOT_AN_ADMIN, AdminUser
from app.auth.errors import OwnAccount, UserNotFound
from app.auth.shapes import AccountList, AccountOut, AccountSearch, UserPatch
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems

router = APIRouter(prefix="/admin/users", tags=["Operations"])


@router.get("", response_model=AccountList, responses=problems(*NOT_AN_ADMIN))
async def list_users(
    _: AdminUser,
    session: SessionDep,
    email: Annotated[
        str | None,
        Query(
            max_length=254,
            deprecated=True,
            description="The whole address. A request's own address is kept in many places: better search.",
        ),
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JSONResponse:
    """Newest first."""
    return JSONResponse(await users.page(session, email, cursor, limit))


@router.post("/search", response_model=AccountList, responses=problems(*NOT_AN_ADMIN))
async def find_users(_: AdminUser, session: SessionDep, data: AccountSearch) -> JSONResponse:
    """The account with an e-mail address, which nobody on the way writes down from a body."""
    return JSONResponse(await users.page(session, data.email, None, 1))


@router.get("/{user_id}", response_model=AccountOut, responses=problems(*NOT_AN_ADMIN, UserNotFound))
async def read_user(_: AdminUser, session: SessionDep, user_id: uuid.UUID) -> JSONResponse:
    """One account."""
    return JSONResponse(await users.read(session, user_id))


@router.patch(
    "/{user_id}", response_model=AccountOut, responses=problems(*NOT_AN_ADMIN, UserNotFound, OwnAccount)
)
async def change_user(
    admin: AdminUser, session: SessionDep, user_id: uuid.UUID, data: UserPatch
) -> JSONResponse:
    """Change what is named. A new role ends the user's sessions, a suspension ends their API keys as well.

    Nobody changes themselves. Bookings and payments of a suspended account go on.
    """
    return JSONResponse(await users.change(session, admin.user_id, user_id, data))
