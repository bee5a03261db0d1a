"""No name, no address and no change of mind in between leads to where only we can go."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import pytest

from app.core import strangers
from app.core.addresses import ForbiddenURL
from app.core.config import settings
from tests.support.strangers import RESOLVE, Names, post, stranger

pytestmark = pytest.mark.usefixtures("connected")


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere this machine is permitted, and the test's servers are on it."""
    monkeypatch.setattr(settings(), "app_env", "production")


async def test_a_name_that_turns_inside_after_it_was_registered_is_blocked(
    production: None, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a packet is sent; where the address is permitted the same request arrives."""
    async with stranger() as inside:
        url = f"https://hooks.example:{inside.port}/"
        names.lead("hooks.example", "8.8.8.8")
        await strangers.resolves_to_public(url)
        names.lead("hooks.example", "127.0.0.1")

        assert (await post(url)).error == "blocked"
        await asyncio.sleep(0.02)
        assert inside.connections == 0

        monkeypatch.setattr(settings(), "app_env", "test")
        assert (await post(url.replace("https", "http"))).status == 200
        assert inside.connections == 1


@pytest.mark.parametrize(
    "answers",
    [
        ("10.0.0.1",),
        ("8.8.8.8", "127.0.0.1"),
        ("2606:4700::1111", "8.8.8.8", "::1"),
        ("::ffff:169.254.169.254",),
        ("64:ff9b::a9fe:a9fe",),
        ("fe80::1%eth0",),
    ],
    ids=" ".join,
)
async def test_one_denied_answer_denies_the_name(
    production: None, names: Names, answers: tuple[str, ...]
) -> None:
    """At registration and when it is used; which one would be connected to is not left to luck."""
    names.lead("hooks.example", *answers)

    with pytest.raises(ForbiddenURL) as refused:
        await strangers.resolves_to_public("https://hooks.example/")
    assert refused.value.code == "address"
    reply = await post("https://hooks.example/")
    assert (reply.status, reply.error) == (None, "blocked")


async def test_a_permitted_answer_is_not_connected_to_beside_a_denied_one(names: Names) -> None:
    """Where this machine is permitted and its neighbour is not."""
    names.lead("hooks.example", "127.0.0.1", "10.0.0.1")
    names.lead("other.example", "127.0.0.1")
    async with stranger() as server:
        assert (await post(f"http://hooks.example:{server.port}/")).error == "blocked"
        assert server.connections == 0
        assert (await post(f"http://other.example:{server.port}/")).status == 200


async def test_public_names_can_be_registered(production: None, names: Names) -> None:
    """Without this, a client that refuses everything would pass."""
    names.lead("hooks.example", "8.8.8.8", "2606:4700::1111")

    await strangers.resolves_to_public("https://hooks.example/")
    await strangers.resolves_to_public("https://8.8.8.8/")
    assert names.asked == ["hooks.example"]
    with pytest.raises(ForbiddenURL):
        await strangers.resolves_to_public("https://127.0.0.1/")


async def test_an_address_in_place_of_a_name_is_checked_at_the_socket(
    production: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the checks of the URL and of its addresses are off."""
    monkeypatch.setattr(strangers, "check_url", lambda url: url)
    async with stranger() as inside, stranger(host="::1") as inside_6:
        for url in (f"http://127.0.0.1:{inside.port}/", f"http://[::1]:{inside_6.port}/"):
            assert (await post(url)).error == "blocked"
        assert inside.connections + inside_6.connections == 0

        monkeypatch.setattr(strangers, "check_addresses", lambda _: None)
        assert (await post(f"http://127.0.0.1:{inside.port}/")).error == "blocked"
        monkeypatch.setattr(strangers, "permitted", lambda _: True)
        assert (await post(f"http://127.0.0.1:{inside.port}/")).status == 200
        assert (await post(f"http://[::1]:{inside_6.port}/")).status == 200


async def test_the_socket_is_checked_even_if_a_name_was_not(
    production: None, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several answers race for the connection; none of them gets a socket."""
    monkeypatch.setattr(strangers, "check_url", lambda url: url)
    monkeypatch.setattr(strangers, "check_addresses", lambda _: None)
    names.lead("hooks.example", "127.0.0.1", "::1", "127.0.0.2")
    async with stranger(host="127.0.0.1") as inside:
        assert (await post(f"http://hooks.example:{inside.port}/")).error == "blocked"
        assert inside.connections == 0


async def test_production_sends_nothing_in_the_clear(production: None, names: Names) -> None:
    """A database that has moved brings its URLs along; the name is not even looked up."""
    names.lead("hooks.example", "8.8.8.8")

    assert (await post("http://hooks.example/")).error == "blocked"
    assert names.asked == []


async def test_a_name_is_looked_up_once_and_its_answer_is_connected_to(names: Names) -> None:
    """A second look could be answered otherwise; a few requests in a row share one."""
    answers = iter([["127.0.0.1"]])
    names["hooks.example"] = lambda: next(answers)
    async with stranger() as server:
        replies = await asyncio.gather(*(post(f"http://hooks.example:{server.port}/") for _ in range(3)))

    assert [reply.status for reply in replies] == [200] * 3
    assert names.asked == ["hooks.example"]
    assert f"host: hooks.example:{server.port}".encode() in server.requests[0].lower()


async def test_a_server_with_ipv6_alone_is_reached(names: Names) -> None:
    """And one whose first address does not answer."""
    names.lead("six.example", "::1")
    names.lead("both.example", "::1", "127.0.0.1")
    async with stranger(host="::1") as server, stranger() as other:
        assert (await post(f"http://six.example:{server.port}/")).status == 200
        assert (await post(f"http://[::1]:{server.port}/")).status == 200
        assert (await post(f"http://both.example:{other.port}/")).status == 200


async def test_localhost_is_known_where_it_is_permitted() -> None:
    """As what runs beside the product is called."""
    async with stranger() as server:
        await strangers.resolves_to_public(f"http://localhost:{server.port}/")
        assert (await post(f"http://localhost:{server.port}/")).status == 200


async def test_in_the_clear_only_our_own_networks_are_registered(names: Names) -> None:
    """On a developer's machine, too, events do not cross the internet unencrypted."""
    names.lead("hooks.example", "8.8.8.8")

    with pytest.raises(ForbiddenURL) as refused:
        await strangers.resolves_to_public("http://hooks.example/")
    assert refused.value.code == "not_https"
    await strangers.resolves_to_public("https://hooks.example/")


async def test_a_name_without_an_address_is_told_apart(names: Names) -> None:
    """It may have one tomorrow."""

    def unknown() -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    names["hooks.example"] = unknown
    with pytest.raises(ForbiddenURL) as refused:
        await strangers.resolves_to_public("https://hooks.example/")
    assert refused.value.code == "unresolvable"
    assert (await post("https://hooks.example/")).error == "dns"


@pytest.fixture
def answered() -> Iterator[threading.Event]:
    """Slow names are answered at the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


async def test_slow_names_are_given_up_and_keep_nobody_waiting(
    impatient: None, names: Names, answered: threading.Event
) -> None:
    """Thirty at once: other names, and other work in threads, go on beside them."""

    def slow() -> list[str]:
        answered.wait(5)
        return ["127.0.0.1"]

    for number in range(30):
        names[f"slow{number}.example"] = slow
    names.lead("hooks.example", "127.0.0.1")
    started = perf_counter()
    async with stranger() as server:
        waiting = [asyncio.create_task(post(f"https://slow{number}.example/")) for number in range(30)]
        await asyncio.sleep(0.01)
        assert (await post(f"http://hooks.example:{server.port}/")).status == 200
        await asyncio.to_thread(time.monotonic)
        assert not any(task.done() for task in waiting)
        replies: list[Any] = await asyncio.gather(*waiting)

    assert {reply.error for reply in replies} == {"dns"}
    assert RESOLVE * 0.9 < perf_counter() - started < 3


async def test_registering_a_slow_name_is_given_up(names: Names, answered: threading.Event) -> None:
    """The user waits for the answer."""

    def slow() -> list[str]:
        answered.wait(5)
        return ["8.8.8.8"]

    names["slow.example"] = slow
    with pytest.raises(ForbiddenURL) as refused:
        await strangers.resolves_to_public("https://slow.example/", seconds=0.05)
    assert refused.value.code == "unresolvable"
