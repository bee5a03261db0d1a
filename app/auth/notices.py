"""What an account's owner hears of by mail because somebody else may have done it, and what is kept of it."""

import uuid

from app.core import audit, outbox
from app.core.db import Session


async def tell(session: Session, user_id: uuid.UUID, kind: str, *, once: str = "", **data: str) -> None:
    """Have a mail of this kind written to the owner, from the caller's transaction: `account.<kind>` in the outbox.

    What has a name for `once` is refused by the database a second time, as long as events are kept.
    Only ids and our own words go into `data`; what is mailed is read when the mail is written.
    """
    event = {
        "type": f"account.{kind}",
        "subject": once or f"account-notice:{uuid.uuid4()}",
        "sequence": 1,
        "data": {"user_id": str(user_id), **data},
    }
    await outbox.record(session, [event])


async def note(session: Session, user_id: uuid.UUID, action: str, **data: str | bool) -> None:
    """Keep in the audit log that an account's owner did this, or somebody in their name."""
    await audit.record(session, action, by="user", actor=user_id, subject=f"user:{user_id}", **data)
