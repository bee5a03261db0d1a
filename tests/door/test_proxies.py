"""Whom a request comes from: what trusted proxies tell, and nothing that anybody else does."""

from ipaddress import ip_address

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import redis
from app.core.config import settings
from app.core.web.proxies import Proxies
from tests.support.client import Client
from tests.support.stack import served

PROXY, OUTER = "10.0.0.1", "10.0.0.2"
ADDRESSES = st.ip_addresses().map(str).filter(lambda one: one not in (PROXY, OUTER))


def seen(
    client: tuple[str, int],
    *told: str,
    trusted: tuple[str, ...] = (PROXY, OUTER),
    uvicorn_was_told: bool = False,
) -> str:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in told]
    scope = {"client": client, "headers": headers, "scheme": "http"}
    Proxies(trusted, uvicorn_was_told=uvicorn_was_told).see_through(scope)
    return str(scope["client"][0])


@given(ADDRESSES, st.lists(ADDRESSES, max_size=4))
def test_the_last_address_that_no_proxy_has_is_the_client(client: str, made_up: list[str]) -> None:
    """Whatever the client itself put before it."""
    assert seen((PROXY, 4000), ", ".join([*made_up, client])) == client
    assert seen((PROXY, 4000), ", ".join([*made_up, client, OUTER])) == client
    assert seen((PROXY, 4000), *made_up, client) == client


@given(ADDRESSES, st.lists(ADDRESSES | st.text(max_size=20).filter(str.isascii), max_size=4))
def test_who_is_no_proxy_tells_nothing(peer: str, told: list[str]) -> None:
    """Their own address counts."""
    assert seen((peer, 4000), *told) == peer


@pytest.mark.parametrize(
    ("written", "client"),
    [
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("  198.51.100.7  ", "198.51.100.7"),
        ("::ffff:198.51.100.7", str(ip_address("::ffff:198.51.100.7"))),
        (",, 198.51.100.7,,", "198.51.100.7"),
    ],
)
def test_proxies_write_addresses_in_many_ways(written: str, client: str) -> None:
    """With ports, in brackets, with empty places."""
    assert seen((PROXY, 4000), written) == client


@pytest.mark.parametrize(
    "garbage",
    ["unknown", "1.2.3", "1.2.3.4.5", "[::1", "fe80::1%eth0", "\xff", "_hidden", "999.1.1.1", "::1::"],
)
def test_behind_what_is_no_address_nobody_is_believed(garbage: str) -> None:
    """What is before it could be made up; the proxy that told it is all that is known."""
    assert seen((PROXY, 4000), f"198.51.100.7, {garbage}") == PROXY
    assert seen((PROXY, 4000), f"198.51.100.7, {garbage}, {OUTER}") == OUTER


def test_networks_are_trusted_as_a_whole() -> None:
    """Of both kinds, and in IPv6's way of writing IPv4."""
    networks = ("10.0.0.0/8", "2001:db8::/32")
    assert seen(("10.9.9.9", 1), "198.51.100.7, 2001:db8::5", trusted=networks) == "198.51.100.7"
    assert seen(("::ffff:10.1.1.1", 1), "198.51.100.7", trusted=networks) == "198.51.100.7"
    assert seen((PROXY, 1), OUTER) == OUTER


def test_what_uvicorn_put_there_by_itself_is_undone() -> None:
    """It believes 127.0.0.1; behind it stands whoever it was told of, with port 0 or the port it was told."""
    assert seen(("6.6.6.6", 0), "6.6.6.6") == "127.0.0.1"
    assert seen(("6.6.6.6", 77), "6.6.6.6:77") == "127.0.0.1"
    assert seen(("6.6.6.6", 0), "6.6.6.6", trusted=("127.0.0.1",)) == "6.6.6.6"
    assert seen(("6.6.6.6", 0), "6.6.6.6", uvicorn_was_told=True) == "6.6.6.6"


def test_nobody_makes_an_address_up_by_naming_their_own() -> None:
    """As uvicorn would have done, where it has not."""
    assert seen(("5.5.5.5", 77), "6.6.6.6, 5.5.5.5:77", trusted=("127.0.0.1",)) == "5.5.5.5"
    assert seen(("5.5.5.5", 77), "5.5.5.5:77, 6.6.6.6", trusted=("127.0.0.1",)) == "5.5.5.5"


@pytest.mark.parametrize(
    ("peer", "scheme"), [(PROXY, "https"), ("198.51.100.7", "http"), ("127.0.0.1", "http")]
)
def test_the_scheme_is_told_by_trusted_proxies_too(peer: str, scheme: str) -> None:
    """And by nobody else."""
    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-proto", b"https")], "scheme": "http"}
    Proxies([PROXY], uvicorn_was_told=False).see_through(scope)
    assert scope["scheme"] == scheme


async def test_without_trusted_proxies_an_address_cannot_be_made_up(
    http: aiohttp.ClientSession, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a uvicorn that nobody has told anything, which believes this machine: ten addresses share the limit of one."""
    from app.main import create_app

    monkeypatch.setattr(settings(), "trusted_proxies", "")
    monkeypatch.setattr(settings(), "rate_limit_per_minute", 5)
    await redis.client().delete("limit:anonymous:127.0.0.1")
    async with served(create_app(), lifespan="off") as url:
        answers = [
            await Client(http, url).get("/airports/JFK", headers={"X-Forwarded-For": told})
            for n in range(5)
            for told in (f"203.0.113.{n}", f"203.0.113.{n}:4711")
        ]
    await redis.client().delete("limit:anonymous:127.0.0.1")

    assert [answer.status for answer in answers] == [200] * 5 + [429] * 5
