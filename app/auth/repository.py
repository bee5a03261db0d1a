"""Every question to users, tokens and failed logins."""

import uuid
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.auth.models import LoginFailure, RefreshToken, User
from app.core.db import Row, Session, rows


async def user(session: Session, user_id: uuid.UUID) -> User | None:
    return await session.get(User, user_id)


async def user_by_email(session: Session, email: str) -> User | None:
    return await session.scalar(select(User).where(User.email == email))


async def locked_user(session: Session, user_id: uuid.UUID) -> User | None:
    return await session.scalar(select(User).where(User.id == user_id).with_for_update(key_share=True))


async def add_user(
    session: Session, email: str, full_name: str, password_hash: str, role: str = "user", locale: str = "en"
) -> User | None:
    """The new user, or None when the address is taken, also by a signup at this very moment."""
    statement = (
        insert(User)
        .values(
            id=uuid.uuid4(),
            email=email,
            full_name=full_name,
            password_hash=password_hash,
            role=role,
            locale=locale,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(User)
    )
    return (await session.scalars(statement)).one_or_none()


async def add_token(
    session: Session, family: uuid.UUID, user_id: uuid.UUID, token_hash: bytes, days: int
) -> None:
    session.add(
        RefreshToken(
            family_id=family,
            user_id=user_id,
            token_hash=token_hash,
            expires_at=func.now() + timedelta(days=days),
        )
    )
    await session.flush()


async def locked_token(session: Session, token_hash: bytes) -> Row | None:
    """The token's row, locked, so that two presentations of it are seen one after the other."""
    found = await rows(
        session,
        """
        SELECT id, family_id, user_id, rotated_at IS NOT NULL AS spent, revoked_at IS NOT NULL AS revoked,
               expires_at <= now() AS expired
        FROM refresh_tokens WHERE token_hash = :token_hash FOR UPDATE
        """,
        token_hash=token_hash,
    )
    return found[0] if found else None


async def spend(session: Session, token_id: int) -> None:
    await session.execute(
        update(RefreshToken).where(RefreshToken.id == token_id).values(rotated_at=func.now())
    )


async def revoke_family(session: Session, family: uuid.UUID) -> None:
    await session.execute(
        update(RefreshToken)
        .where(RefreshToken.family_id == family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )


async def recent_failures(session: Session, email: str, client: str, window: timedelta) -> int:
    count = await session.scalar(
        select(func.count())
        .select_from(LoginFailure)
        .where(
            LoginFailure.email == email, LoginFailure.client == client, LoginFailure.at > func.now() - window
        )
    )
    return count or 0


async def add_failure(session: Session, email: str, client: str) -> None:
    session.add(LoginFailure(email=email, client=client))
    await session.flush()


async def forget_failures(session: Session, email: str, client: str) -> None:
    await session.execute(
        delete(LoginFailure).where(LoginFailure.email == email, LoginFailure.client == client)
    )


async def purge(session: Session) -> None:
    """Drop what nobody can use any more."""
    await session.execute(delete(LoginFailure).where(LoginFailure.at < func.now() - timedelta(days=1)))
    await session.execute(
        delete(RefreshToken).where(RefreshToken.expires_at < func.now() - timedelta(days=7))
    )
