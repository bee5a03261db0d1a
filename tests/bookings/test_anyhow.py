"""Whatever happens in whatever order, some of it at once: every invariant holds after every step.

The suite lives through the same few histories each time. JETWAY_HISTORIES=200 makes a night of it with new ones, which
`--hypothesis-seed=…` draws again; JETWAY_SHRINK=1 has a history that fails made as short as it gets.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.bookings.anyhow import OFTEN, STEPS, World
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet

HISTORIES = int(os.environ.get("JETWAY_HISTORIES", "0"))

_STEP = st.tuples(st.sampled_from((*OFTEN, *STEPS)), st.integers(0, 2**16))
_BATCH = st.lists(_STEP, min_size=1, max_size=3)
_HISTORY = st.lists(_BATCH, min_size=12, max_size=24)


@settings(
    max_examples=HISTORIES or 4,
    derandomize=not HISTORIES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if "JETWAY_SHRINK" in os.environ else [])),
)
@given(history=_HISTORY)
async def test_every_invariant_holds_after_every_step(
    history: list[list[tuple[str, int]]],
    crowd: list[Client],
    fleet: Fleet,
    sandbox: Sandbox,
    sql: Any,
) -> None:
    """Seats, money, steps, tickets and the processor's journal tell one story."""
    world = await World(crowd, fleet, sandbox, sql).open()
    for number, batch in enumerate(history):
        await world.do(batch)
        assert await world.broken() == {}, f"after step {number}: {batch}"
    await world.settle()
    assert await world.broken() == {}, "after everything was settled"


@pytest.fixture
async def crowd(api: Client) -> list[Client]:
    """Three accounts."""
    return [await api.signed_up() for _ in range(3)]
