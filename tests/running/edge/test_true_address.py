"""Limits count the address that a request comes from, whatever it says."""

import re
from itertools import count

import aiohttp

from tests.running.edge.conftest import Edge
from tests.support.client import Client

_addresses = count(20)


def left(answer: aiohttp.ClientResponse) -> int:
    """Requests that the caller may still make in this minute."""
    found = re.search(r'"anonymous";r=(\d+)', answer.headers["ratelimit"])
    assert found
    return int(found[1])


async def asked(edge: Edge, address: str, **headers: str) -> int:
    connector = aiohttp.TCPConnector(ssl=edge.trusted, local_addr=(address, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(f"https://127.0.0.1:{edge.port}/airports/JFK", headers=headers) as answer:
            return left(answer)


async def test_whoever_makes_addresses_up_stays_who_they_are(edge: Edge, api: Client) -> None:
    """Each of the requests counts for the same caller; the made-up address has asked nothing."""
    address, made_up = f"127.0.1.{next(_addresses)}", f"198.51.100.{next(_addresses)}"
    first = await asked(edge, address)
    for told in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X_Forwarded_For"):
        said = f"for={made_up}" if told == "Forwarded" else made_up
        await asked(edge, address, **{told: said})
    last = await asked(
        edge, address, **{"X-Forwarded-For": f"{made_up}, 127.0.0.1", "Connection": "X-Forwarded-For"}
    )

    assert first - last == 5
    async with api.session.get(f"{api.base}/airports/JFK", headers={"X-Forwarded-For": made_up}) as direct:
        assert left(direct) == first


async def test_two_people_behind_the_edge_are_two(edge: Edge) -> None:
    """And not both of them the edge."""
    one, other = f"127.0.1.{next(_addresses)}", f"127.0.1.{next(_addresses)}"

    assert await asked(edge, one) == await asked(edge, other)
