"""What people do about their account: show that its address is theirs, and change password, address and profile."""

import uuid

from app.auth import (
    challenges,
    keys,
    lookups,
    notices,
    passwords,
    proofs,
    repository,
    second_factor,
    sessions,
)
from app.auth.errors import EmailTaken, InvalidToken, LinkNotValid
from app.auth.models import User
from app.auth.schemas import Profile
from app.core import attempts, audit, db, origin
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import TooManyRequests

# Mails that somebody can have sent: to an account, and by who comes from one address.
_MAILS = attempts.Policy("account_mails", 5, 24 * 60 * 60)
_ASKED_BY_ADDRESS = attempts.Policy("account_mails_asked", 5, 60 * 60)


async def send_verification(session: Session, user_id: uuid.UUID) -> None:
    """Mail the link once more, unless the address is verified. Raises TooManyRequests, InvalidToken."""
    user = await _locked(session, user_id)
    if not user.email_verified:
        await _require_room_here()
        await attempts.spend_in(session, _MAILS, f"verify {user_id}")
        await challenges.begin(session, "verify_email", user_id)


async def verify(session: Session, token: str) -> None:
    """Raises LinkNotValid, also for a link that was mailed to an address that the account had before."""
    spent = await challenges.answer(session, "verify_email", token)
    user = await _locked(session, spent["user_id"])
    if spent["email"] != user.email:
        raise LinkNotValid
    user.email_verified = True
    await notices.note(session, user.id, "email.verified")


async def forgot_password(email: str) -> None:
    """Mail a link with which to choose a new password. Raises TooManyRequests beyond the limit of who asks.

    For an address that nobody has, the same statements write the same rows, and nothing is mailed. Beyond the limit
    of the account nothing is either, and nobody is told.
    """
    await _require_room_here()
    async with db.transaction() as session:
        user = await repository.user_by_email(session, email)
        open_to = user.id if user and user.suspended_at is None and user.erased_at is None else None
        try:
            await attempts.spend_in(session, _MAILS, f"reset {email}")
        except TooManyRequests:
            return
        await challenges.begin(session, "reset_password", open_to)
        subject = f"user:{open_to}" if open_to else None
        await audit.record(session, "password.forgotten", by="nobody", subject=subject)


async def reset_password(token: str, new_password: str, *, revoke_api_keys: bool) -> None:
    """A new password for who has the mailed link; nobody is signed in by that, and everybody is signed out.

    What stood beside the password of an address that nobody had verified may be a stranger's, so it goes as well. Other
    API keys go on, because servers run on them, unless their owner wants them ended.
    Raises LinkNotValid, WeakPassword, Overloaded.
    """
    async with db.transaction() as session:
        user = await repository.user(session, await challenges.whose(session, "reset_password", token))
    if user is None:
        raise LinkNotValid
    _require_strong(new_password, user)
    with passwords.place():
        password_hash = await passwords.hashed(new_password)
    async with db.transaction() as session:
        spent = await challenges.answer(session, "reset_password", token)
        user = await _locked(session, spent["user_id"])
        if not user.email_verified and user.totp_secret is not None:
            await second_factor.drop(session, user)
        if revoke_api_keys or not user.email_verified:
            await keys.end_all(session, user.id)
        if not user.email_verified:
            await notices.tell(
                session, user.id, "claimed"
            )  # To whoever else tells an account's owner something.
        user.email_verified = True
        await _keep_password(session, user, password_hash, "password.reset")


async def change_password(
    user_id: uuid.UUID,
    session_id: uuid.UUID,
    current_password: str,
    new_password: str,
    *,
    revoke_api_keys: bool,
) -> None:
    """A new password; the other sessions end. Raises NotConfirmed, WeakPassword, TooManyRequests, Overloaded."""
    proven = await proofs.password(user_id, current_password)
    _require_strong(new_password, proven)
    with passwords.place():
        password_hash = await passwords.hashed(new_password)
    async with db.transaction() as session:
        user = await proofs.still(session, proven)
        if revoke_api_keys:
            await keys.end_all(session, user.id)
        await _keep_password(session, user, password_hash, "password.changed", keep=session_id)


async def ask_for_email(user_id: uuid.UUID, new_email: str, current_password: str) -> None:
    """Mail a link to the new address; only who follows it changes anything. Raises NotConfirmed, TooManyRequests.

    An address that somebody has is answered like any other, and gets no mail.
    """
    proven = await proofs.password(user_id, current_password)
    await _require_room_here()
    async with db.transaction() as session:
        user = await proofs.still(session, proven)
        await attempts.spend_in(session, _MAILS, f"email {user_id}")
        is_taken = await repository.user_by_email(session, new_email) is not None
        await challenges.begin(session, "change_email", None if is_taken else user.id, new_email)
        await notices.note(session, user.id, "email.change_asked")


async def confirm_email(session: Session, token: str, here: tuple[uuid.UUID, uuid.UUID] | None) -> None:
    """The new address is the account's from now on; other sessions than the one here end, the old address is told.

    `here` is the account and the session of who follows the link, if they are signed in. Raises LinkNotValid,
    EmailTaken.
    """
    spent = await challenges.answer(session, "change_email", token)
    user = await _locked(session, spent["user_id"])
    old, new = user.email, spent["email"]
    if not await lookups.move_address(session, user.id, new):
        raise EmailTaken
    await lookups.void_challenges(session, user.id)
    await lookups.readdress(session, spent["id"], old)
    stays = here[1] if here and here[0] == user.id else None
    await sessions.end(session, user.id, "email_changed", keep=stays)
    await notices.note(session, user.id, "email.changed")
    await notices.tell(session, user.id, "email_changed", challenge_id=str(spent["id"]))


async def change_profile(session: Session, user_id: uuid.UUID, data: Profile) -> Row:
    """The account as it is from now on. Raises InvalidToken."""
    user = await _locked(session, user_id)
    changed = data.model_dump(exclude_none=True)
    for name, value in changed.items():
        setattr(user, name, value)
    await session.flush()
    if changed:
        await notices.note(session, user_id, "account.changed", fields=" ".join(sorted(changed)))
    return sessions.view(user)


async def _keep_password(
    session: Session, user: User, password_hash: str, action: str, keep: uuid.UUID | None = None
) -> None:
    await lookups.change_password(session, user.id, password_hash)
    await lookups.void_challenges(session, user.id)
    await sessions.end(session, user.id, action.replace(".", "_"), keep=keep)
    await notices.note(session, user.id, action)
    await notices.tell(session, user.id, "password_changed")


async def _require_room_here() -> None:
    """Raises TooManyRequests where this address has had too many mails sent, whomever to."""
    if settings().by_address:
        await attempts.spend(_ASKED_BY_ADDRESS, origin.customer(origin.address.get()))


def _require_strong(new_password: str, user: User) -> None:
    passwords.require_strong(new_password, about=(user.email, user.full_name), pointer="/new_password")


async def _locked(session: Session, user_id: uuid.UUID) -> User:
    user = await repository.locked_user(session, user_id)
    if user is None:
        raise InvalidToken
    return user
