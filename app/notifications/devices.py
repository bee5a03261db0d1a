"""The phones and browsers that pushes go to. Their tokens are sealed in the database, and neither shown nor logged."""

import hashlib
import uuid

from app.auth import service as accounts
from app.core import audit, crypto
from app.core.clock import rfc3339
from app.core.db import Row, Session
from app.notifications import repository
from app.notifications.errors import DeviceNotFound, TooManyDevices
from app.notifications.schemas import DeviceIn

MOST = 20
_PREFIX = "dev_"


async def register(session: Session, user_id: uuid.UUID, data: DeviceIn) -> tuple[Row, bool]:
    """The device with this token as it is now, and whether the account has it anew. Raises TooManyDevices.

    A token is one installation of the app: whoever signs in there last has it, and the one before hears nothing more.
    """
    token_hash = hashlib.sha256(data.token.encode()).digest()
    await accounts.lock(session, user_id)
    await repository.take_device(session, token_hash, user_id)
    if await repository.other_devices(session, user_id, token_hash) >= MOST:
        raise TooManyDevices
    device_id = uuid.uuid4()
    device = await repository.keep_device(
        session,
        id=device_id,
        user_id=user_id,
        token_hash=token_hash,
        token=crypto.seal(data.token, _context(device_id)),
        **data.model_dump(exclude={"token"}),
    )
    is_new = device["id"] == device_id
    if is_new:
        await _audit(session, "device.registered", device_id)
    return _shown(device), is_new


async def listed(session: Session, user_id: uuid.UUID) -> Row:
    """All of an account's devices, for there are few; the one that was seen last comes first."""
    found = await repository.devices(session, user_id)
    return {"data": [_shown(device) for device in found], "next_cursor": None}


async def remove(session: Session, user_id: uuid.UUID, public_id: str) -> None:
    """Raises DeviceNotFound, also for somebody else's."""
    try:
        device_id = uuid.UUID(hex=public_id.removeprefix(_PREFIX))
    except ValueError:
        raise DeviceNotFound from None
    if not await repository.remove_device(session, user_id, device_id):
        raise DeviceNotFound
    await _audit(session, "device.removed", device_id)


async def remove_all(session: Session, user_id: uuid.UUID) -> None:
    """An app that its owner opens again registers itself anew."""
    for device in await repository.devices(session, user_id):
        await repository.remove_device(session, user_id, device["id"])
        await _audit(session, "device.removed", device["id"])


async def _audit(session: Session, action: str, device_id: uuid.UUID) -> None:
    by, actor = audit.signed_in()
    await audit.record(session, action, by=by, actor=actor, subject=f"device:{_PREFIX}{device_id.hex}")


def token(device: Row) -> str:
    """The push service's name for a device. Raises CannotOpen."""
    return crypto.open(device["token"], _context(device["id"]))


async def reseal(session: Session, most: int) -> int:
    """Seal tokens anew that were sealed with an older key; returns how many were. Raises CannotOpen."""
    found = await repository.devices_not_sealed_by(session, crypto.newest(), most)
    for device in found:
        device["token"] = crypto.seal(token(device), _context(device["id"]))
    await repository.reseal_devices(session, found)
    return len(found)


def _context(device_id: uuid.UUID) -> str:
    return f"device {device_id.hex} token"


def _shown(device: Row) -> Row:
    return {
        "id": _PREFIX + device["id"].hex,
        **{name: device[name] for name in ("platform", "name", "locale", "time_zone")},
        "created_at": rfc3339(device["created_at"]),
        "last_seen_at": rfc3339(device["seen_at"]),
    }
