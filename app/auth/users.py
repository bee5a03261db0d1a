"""What administrators and operators do to accounts: look, give and take the role, suspend."""

import uuid

from app.auth import keys, repository, sessions
from app.auth.errors import AdminsOnly, OwnAccount, UserNotFound
from app.auth.shapes import UserPatch
from app.core import audit, cursors
from app.core.clock import rfc3339
from app.core.db import Row, Session


async def page(session: Session, email: str | None, cursor: str | None, size: int) -> Row:
    """Accounts, newest first, or the one with an address."""
    wanted = email.strip().lower() if email is not None else None
    found = await repository.accounts(session, wanted, cursors.moment(cursor), size + 1)
    return cursors.page([_view(one) for one in found[:size]], found, size, "created_at")


async def read(session: Session, user_id: uuid.UUID) -> Row:
    """Raises UserNotFound."""
    found = await repository.account(session, user_id)
    if found is None:
        raise UserNotFound
    return _view(found)


async def change(session: Session, admin_id: uuid.UUID, user_id: uuid.UUID, data: UserPatch) -> Row:
    """Give or take the role, suspend or bring back. Raises OwnAccount, UserNotFound, AdminsOnly.

    Both accounts are locked, so that of two administrators who demote each other one remains.
    """
    if user_id == admin_id:
        raise OwnAccount
    found = await repository.locked_accounts(session, [admin_id, user_id])
    admin, user = found.get(admin_id), found.get(user_id)
    if admin is None or admin["role"] != "admin" or admin["suspended_at"]:
        raise AdminsOnly
    if user is None:
        raise UserNotFound
    role = data.role or user["role"]
    suspended = bool(user["suspended_at"]) if data.suspended is None else data.suspended
    if role != user["role"]:
        await _role_changed(session, user_id, role, "admin", admin_id)
    if suspended != bool(user["suspended_at"]):
        await _suspended(session, user_id, admin_id, suspended)
    await repository.change_account(session, user_id, role, suspended)
    return await read(session, user_id)


async def exists(session: Session, email: str) -> bool:
    return await repository.user_by_email(session, email.lower()) is not None


async def promote(session: Session, email: str) -> None:
    """Make an existing account an administrator's by an operator's order. Raises UserNotFound."""
    found = await repository.user_by_email(session, email.lower())
    users = await repository.locked_accounts(session, [found.id]) if found else {}
    if found is None or found.id not in users:
        raise UserNotFound
    if users[found.id]["role"] != "admin":
        await repository.change_account(session, found.id, "admin", bool(users[found.id]["suspended_at"]))
        await _role_changed(session, found.id, "admin", "operator", None)


async def _role_changed(
    session: Session, user_id: uuid.UUID, role: str, by: audit.Actor, actor: uuid.UUID | None
) -> None:
    await sessions.end(session, user_id, "role_changed")
    subject = f"user:{user_id}"
    await audit.record(session, "user.role_changed", by=by, actor=actor, subject=subject, role=role)


async def _suspended(session: Session, user_id: uuid.UUID, admin_id: uuid.UUID, suspended: bool) -> None:
    """Keys that were ended by a suspension stay so: who comes back makes new ones."""
    if suspended:
        await sessions.end(session, user_id, "suspended")
        await keys.end(session, user_id)
    action = "user.suspended" if suspended else "user.unsuspended"
    await audit.record(session, action, by="admin", actor=admin_id, subject=f"user:{user_id}")


def _view(found: Row) -> Row:
    suspended_at = found["suspended_at"]
    return {
        "id": str(found["id"]),
        **{name: found[name] for name in ("email", "full_name", "role", "email_verified", "locale")},
        "created_at": rfc3339(found["created_at"]),
        "suspended_at": rfc3339(suspended_at) if suspended_at else None,
        "totp_enabled": found["totp_enabled"],
    }
