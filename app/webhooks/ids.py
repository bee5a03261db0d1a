"""Ids as the world sees them: a prefix that says what it is, and the row's own."""

import uuid

SUBSCRIPTION, DELIVERY, EVENT = "whs_", "whd_", "evt_"


def shown(prefix: str, own: uuid.UUID) -> str:
    return prefix + own.hex


def own(prefix: str, shown: str) -> uuid.UUID | None:
    """None for what cannot be one of ours."""
    if not shown.startswith(prefix):
        return None
    try:
        return uuid.UUID(shown.removeprefix(prefix))
    except ValueError:
        return None
