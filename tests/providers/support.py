"""Allowances of vendors that nobody else calls, and what became of asking for a turn."""

import itertools
from typing import Any

from app.providers import governor
from app.providers.base import ProviderError
from app.providers.governor import Allowance, Call

_vendors = itertools.count(1)


def allowance(limit: int = 100, **more: Any) -> Allowance:
    """A month's calls of a new vendor."""
    plain = {"budget": "calls", "period": "month", "background_share": 0.5}
    return Allowance(**{"provider": f"vendor{next(_vendors)}", "limit": limit, **plain, **more})


def call(paid_from: Allowance | None = None, endpoint: str = "things", **more: Any) -> Call:
    return Call(endpoint, paid_from or allowance(), **more)


async def outcome(wanted: Call) -> str:
    """`admitted`, or why not."""
    try:
        await governor.admit(wanted)
    except ProviderError as refusal:
        return refusal.code
    return "admitted"


async def refused(wanted: Call) -> ProviderError:
    """The refusal, which there must be."""
    try:
        await governor.admit(wanted)
    except ProviderError as refusal:
        return refusal
    raise AssertionError("admitted")


class Books:
    """What the database holds about vendors."""

    def __init__(self, sql: Any) -> None:
        self.sql = sql

    async def spent(self, paid_from: Allowance) -> tuple[int, int]:
        """What was spent in all periods, and how much of it by the background."""
        [found] = await self.sql(
            "SELECT coalesce(sum(spent), 0)::int AS spent, coalesce(sum(background_spent), 0)::int AS background"
            " FROM provider_budgets WHERE provider = :provider",
            provider=paid_from.provider,
        )
        return found["spent"], found["background"]

    async def endpoint(self, provider: str, endpoint: str = "things") -> dict[str, Any]:
        found = await self.sql(
            "SELECT *, CAST(extract(epoch FROM paused_until - now()) AS float) AS pause"
            " FROM provider_endpoints WHERE provider = :provider AND endpoint = :endpoint",
            provider=provider,
            endpoint=endpoint,
        )
        return found[0] if found else {}

    async def pause_is_over(self, provider: str) -> None:
        await self.sql(
            "UPDATE provider_endpoints SET paused_until = now() - interval '1 second', next_call_at = NULL"
            " WHERE provider = :provider AND paused_until IS NOT NULL",
            provider=provider,
        )
