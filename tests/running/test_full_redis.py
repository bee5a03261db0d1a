"""A Redis that is full, whether it refuses writes or throws anything away, costs no sale and no event."""

from pathlib import Path
from typing import Any

import pytest
from redis import Redis as Client

from dev.servers import Redis
from tests.payments.support import bought
from tests.support import client
from tests.support.fleet import Fleet
from tests.support.stack import api_process


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru"])
async def test_it_sells_all_the_same(
    traveller: client.Client, fleet: Fleet, sandbox: client.Sandbox, sql: Any, tmp_path: Path, policy: str
) -> None:
    """Searches, holds and payments are answered, and what follows is in the outbox."""
    with Redis(tmp_path) as full, Client.from_url(full.url) as redis:
        redis.config_set("maxmemory-policy", policy)
        redis.config_set("maxmemory", "100kb")
        with api_process(REDIS_URL=full.url) as base:
            other = client.Client(traveller.session, base, traveller.token)

            booking = await bought(other, fleet)

        info = redis.info()
        assert info["used_memory"] > info["maxmemory"]
        if policy == "noeviction":
            assert redis.dbsize() == 0
    told = await sql("SELECT type FROM outbox WHERE subject = :pnr ORDER BY sequence", pnr=booking["pnr"])
    assert [row["type"] for row in told] == ["booking.held", "payment.succeeded", "booking.confirmed"]
