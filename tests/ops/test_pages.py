"""The home page, the documentation pages, and the request id on every answer."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from tests.support.client import Client


class References(HTMLParser):
    """Every `src` and `href` of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


@pytest.mark.parametrize("page", ["/", "/docs", "/redoc"])
async def test_a_page_needs_nobody_elses_server(api: Client, page: str) -> None:
    """Whatever it refers to is served here, so it works without the internet and tells nobody of its readers."""
    answer = await api.get(page)
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    html, parser = answer.raw.decode(), References()
    parser.feed(html)
    scripted = re.findall(r"""(?:url|specUrl|spec-url)\s*[:=]\s*["']([^"']+)""", html)

    assert parser.found
    assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?(?:https?:)?//""", html)
    for reference in {*parser.found, *scripted}:
        if reference.startswith("data:"):
            continue
        local = urlsplit(urljoin(page, reference))
        assert not local.netloc, reference
        served = await api.get(local.path, **dict(part.split("=") for part in local.query.split("&") if part))
        assert (served.status, bool(served.raw)) == (200, True), reference


async def test_the_home_page_says_where_things_are(api: Client) -> None:
    """A first look needs no manual."""
    html = (await api.get("/")).raw.decode()

    assert {'href="/docs"', 'href="/openapi.json"', 'href="/admin/health"'} <= set(
        re.findall(r'href="[^"]*"', html)
    )


@pytest.mark.parametrize(
    "path", ["/livez", "/airports/JFK", "/flights/search?origin=JFK", "/nowhere", "/bookings"]
)
async def test_every_answer_has_a_request_id(api: Client, path: str) -> None:
    """A new one each time; refusals carry it in their body too."""
    first, second = await api.get(path), await api.get(path)

    assert re.fullmatch(r"[0-9a-f]{32}", first.headers["X-Request-ID"])
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    if first.status >= 400:
        assert first.body["request_id"] == first.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "request_id", ["abcdefgh", "a" * 64, "6f9619ff-8b86-d011-b42d-00c04fc964ff", "A_b-C_d-0"]
)
async def test_a_well_formed_request_id_is_kept(api: Client, request_id: str) -> None:
    """So that a caller's trace goes through."""
    answer = await api.get("/nowhere", headers={"X-Request-ID": request_id})

    assert answer.headers["X-Request-ID"] == answer.body["request_id"] == request_id


@pytest.mark.parametrize(
    "request_id", ["", "short", "a" * 65, "two words", 'quote"quote', "é" * 8, "a;b=c,d/e"]
)
async def test_another_request_id_is_replaced(api: Client, request_id: Any) -> None:
    """What is not plain could break logs."""
    answer = await api.get("/livez", headers={"X-Request-ID": request_id})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])
