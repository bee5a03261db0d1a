"""What somebody wants to hear, on which way, and when not."""

import uuid
from datetime import time

from itsdangerous import BadData, URLSafeSerializer

from app.auth import service as accounts
from app.auth.errors import InvalidToken
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.notifications import repository
from app.notifications.errors import NotificationRequired, UnsubscribeLinkInvalid
from app.notifications.schemas import PreferencesIn

# What somebody can decide: the column, by where it stands in a request.
_CHOICES = {
    ("bookings", "push"): "bookings_push",
    ("flight_alerts", "push"): "flight_alerts_push",
    ("flight_alerts", "email"): "flight_alerts_email",
}
# The law or a contract wants these told in writing: money, tickets, changes of the airline's, and the account itself.
_ALWAYS_MAILED = ("bookings", "account")


async def read(session: Session, user_id: uuid.UUID) -> Row:
    """Raises InvalidToken when the account is gone."""
    found = await repository.preferences(session, user_id)
    if found is None:
        raise InvalidToken
    return _shown(found)


async def change(session: Session, user_id: uuid.UUID, data: PreferencesIn) -> Row:
    """The preferences as they are from now on. Raises NotificationRequired."""
    for category in _ALWAYS_MAILED:
        if getattr(data, category).email is False:
            problem = FieldProblem(f"/{category}/email", NotificationRequired.code, "Cannot be switched off")
            raise NotificationRequired(errors=[problem])
    said = data.model_dump(exclude_unset=True)
    changed = {
        column: said[category][channel]
        for (category, channel), column in _CHOICES.items()
        if channel in said.get(category, ())
    }
    if "quiet_hours" in said:
        hours = data.quiet_hours
        changed["quiet_from"] = time.fromisoformat(hours.from_) if hours else None
        changed["quiet_to"] = time.fromisoformat(hours.to) if hours else None
    if "time_zone" in said:
        changed["time_zone"] = said["time_zone"]
    account = await accounts.lock(session, user_id)
    if "locale" in said:
        account.locale = data.locale
        await session.flush()
    await _keep(session, user_id, changed)
    if changed.keys() & {"quiet_from", "time_zone"}:
        await repository.ask_again(session, user_id)
    return await read(session, user_id)


def unsubscribe_url(user_id: uuid.UUID) -> str:
    """The link with which a mail lets its reader have no more of its kind, without signing in; it never runs out."""
    return f"{settings().public_url}/notifications/unsubscribe?token={_signer().dumps(user_id.hex)}"


async def language(session: Session, token: str) -> str:
    """The language of whose link it is. Raises UnsubscribeLinkInvalid."""
    return str((await read(session, _reader(token)))["locale"])


async def unsubscribe(session: Session, token: str) -> str:
    """No more flight alerts by mail; gives the reader's language. Raises UnsubscribeLinkInvalid."""
    user_id = _reader(token)
    account = await accounts.lock(session, user_id)
    await _keep(session, user_id, {"flight_alerts_email": False})
    return account.locale


def _reader(token: str) -> uuid.UUID:
    """Whose link it is. Raises UnsubscribeLinkInvalid."""
    try:
        return uuid.UUID(hex=_signer().loads(token))
    except (BadData, ValueError, TypeError, AttributeError):
        raise UnsubscribeLinkInvalid from None


async def _keep(session: Session, user_id: uuid.UUID, changed: Row) -> None:
    """With the account locked, so that of two changes at once neither undoes the other."""
    known = await repository.preferences(session, user_id) or {}
    await repository.keep_preferences(session, user_id, {**known, **changed})


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_keys, salt="unsubscribe from flight alerts")


def _shown(row: Row) -> Row:
    begins, ends = row["quiet_from"], row["quiet_to"]
    hours = {"from": f"{begins:%H:%M}", "to": f"{ends:%H:%M}"} if begins is not None else None
    return {
        "bookings": {"email": True, "push": row["bookings_push"] is not False},
        "flight_alerts": {
            "email": _or(row["flight_alerts_email"], not row["has_device"]),
            "push": row["flight_alerts_push"] is not False,
        },
        "account": {"email": True, "push": None},
        "quiet_hours": hours,
        "time_zone": row["time_zone"],
        "locale": row["locale"],
    }


def _or(said: bool | None, otherwise: bool) -> bool:
    return otherwise if said is None else said
