"""Port 80: a person is led to https, and a program finds nothing there."""

from tests.running.edge.conftest import Edge
from tests.support.client import Client

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_a_browser_is_led_to_https(api: Client, edge: Edge) -> None:
    """For good, to the same page."""
    async with api.session.get(f"{edge.plain_url}/docs?x=1", headers=PAGE, allow_redirects=False) as answer:
        assert answer.status == 301
        assert answer.headers["location"].replace(":443/", "/") == "https://localhost/docs?x=1"


async def test_a_program_is_not(api: Client, edge: Edge) -> None:
    """It would send its key in the clear before each redirect, and nobody would notice."""
    key = {"Authorization": "Bearer jw_key"}
    for method, path, headers in (
        ("GET", "/flights/search?origin=JFK", {}),
        ("GET", "/docs", PAGE | key),
        ("POST", "/auth/login", PAGE),
        ("GET", "/admin/metrics", key),
    ):
        async with api.session.request(
            method, edge.plain_url + path, headers=headers, allow_redirects=False
        ) as answer:
            assert answer.status == 404, (method, path)
            assert "x-request-id" not in answer.headers
