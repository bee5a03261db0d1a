"""Attack: requests that mean one thing to a proxy, a cache or a check, and another to the product."""

import re
from typing import Any

import pytest
from yarl import URL

from app.core.config import settings
from tests.notifications.support import Mails
from tests.ownership.conftest import Person
from tests.ownership.described import Operation
from tests.support.client import Client, in_days

ELSEWHERE = "evil.example"
SEARCH = f"/flights/search?origin=JFK&destination=LHR&departure_date={in_days(97)}"


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_another_method_in_a_header(ada: Person, name: str) -> None:
    """What is read stays read."""
    path = f"/webhooks/subscriptions/{ada.ids['subscriptions']}"
    for method in ("GET", "POST"):
        await ada.client.send(method, path, headers={name: "DELETE"})
        await ada.client.send(method, path + "?_method=DELETE")

    assert (await ada.client.get(path)).status == 200


@pytest.mark.parametrize(
    "name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Path"]
)
async def test_another_path_in_a_header(bob: Person, name: str) -> None:
    """The path that is asked for is the one that is answered."""
    answer = await bob.client.get("/livez", headers={name: "/admin/jobs"})

    assert answer.body == {"status": "ok"}


@pytest.mark.parametrize(
    "path",
    [
        "/ADMIN/jobs",
        "//admin/jobs",
        "/admin//jobs",
        "/admin/jobs/",
        "/admin/jobs;x=1",
        "/./admin/jobs",
        "/flights/../admin/jobs",
        "/%61dmin/jobs",
        "/admin/jobs%2f",
        "/admin/jobs%00",
        "/admin/jobs%20",
        "/admin/jobs.json",
        "/admin%2fjobs",
        "/livez/..%2fadmin/jobs",
    ],
)
async def test_another_spelling_of_an_operators_path(bob: Person, path: str) -> None:
    """Refused like the path itself, or not there; never answered, and never a way around by a redirect."""
    url = URL(bob.client.base + path, encoded=True)
    headers = {"Authorization": f"Bearer {bob.client.token}"}
    async with bob.client.session.get(url, headers=headers, allow_redirects=False) as response:
        assert response.status in (400, 403, 404, 405, 422)


@pytest.mark.parametrize(
    "secret", ["etc/passwd", ".env", "app/core/config.py", "proc/self/environ", ".git/config"]
)
async def test_a_way_out_of_every_folder(api: Client, secret: str) -> None:
    """There is nothing to be found under pages, assets or documents."""
    for way in ("/", "/docs/", "/static-offline-docs/", "/bookings/K7QX2M/", "/offers/", "/admin/rules/"):
        for step in ("../", "..%2f", "%2e%2e/", "..%5c", "....//", "..%c0%af", "..%252f"):
            url = URL(api.base + way + step * 6 + secret, encoded=True)
            async with api.session.get(url, allow_redirects=False) as response:
                text = await response.text(errors="replace")
                assert response.status in (400, 401, 404, 422), url
                assert not re.search("root:|JWT_SECRET|repositoryformat|PATH=", text), url


async def test_the_host_that_a_request_names(mails: Mails) -> None:
    """Links in mails lead to the product, whatever host the request was sent to."""
    pnr = await mails.booked()
    await mails.sent()
    headers = {"Host": ELSEWHERE, "X-Forwarded-Host": ELSEWHERE, "Forwarded": f"host={ELSEWHERE}"}
    guest = Client(mails.traveller.session, mails.traveller.base)

    await guest.post("/bookings/lookup/link", {"pnr": pnr, "family_name": "Lovelace"}, headers)

    mail = (await mails.sent())[-1]
    assert f"{settings().public_url}/bookings/guest#token=" in mail["text"]
    assert ELSEWHERE not in mail["text"] + mail["html"] + str(mail["headers"])


@pytest.mark.parametrize("host", [ELSEWHERE, "localhost:1", "a" * 300, "[::1]", "x y"])
async def test_a_host_comes_back_in_no_answer(api: Client, host: str) -> None:
    """Neither in a redirect, nor in a body, nor in a header."""
    for path in ("/", "/docs", "/openapi.json", "/bookings/guest", "/nowhere", "/bookings/"):
        headers = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "javascript"}
        async with api.session.get(api.base + path, headers=headers, allow_redirects=False) as response:
            assert "Location" not in response.headers, path
            assert len(host) < 8 or host not in await response.text(), path
            assert host not in str(response.headers), path


@pytest.mark.parametrize("name", ["next", "url", "redirect", "return_url", "redirect_uri", "continue"])
async def test_a_redirect_to_anywhere(described: list[Operation], api: Client, name: str) -> None:
    """No operation sends a browser on, so none sends it to somebody else's page."""
    for operation in described:
        if operation.method == "GET" and not operation.is_protected and "stream" not in operation.path:
            path = f"{operation.at({})}?{name}=https://{ELSEWHERE}&token=x"
            async with api.session.get(api.base + path, allow_redirects=False) as response:
                assert not 300 <= response.status < 400, operation
                assert ELSEWHERE not in str(response.headers), operation
                assert ELSEWHERE not in await response.text(), operation


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": ELSEWHERE},
        {"X-Forwarded-Scheme": "http", "X-Forwarded-Proto": "ftp"},
        {"Accept-Language": "de"},
        {"Origin": f"https://{ELSEWHERE}"},
        {"User-Agent": "<script>"},
        {"Accept": "text/html"},
        {"Cookie": "currency=XXX; admin=1"},
        {"Authorization": "Bearer x"},
        {"Range": "bytes=0-10"},
        {"X-Forwarded-For": "127.0.0.1"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_a_cached_search_that_one_caller_colours_for_all(api: Client, headers: dict[str, str]) -> None:
    """What differs from caller to caller is not in an answer that all are given."""
    first = await api.send("GET", SEARCH, headers=headers)
    second = await api.send("GET", SEARCH)

    assert (first.status, second.status) == (200, 200)
    assert [one["price"] for one in first.body["data"]] == [one["price"] for one in second.body["data"]]
    assert ELSEWHERE.encode() not in second.raw
    assert b"<script>" not in second.raw


async def test_a_parameter_that_comes_twice_or_is_unknown(api: Client) -> None:
    """Caches and the product must not read different ones: the answer is that of one of them, or a refusal."""
    honest = (await api.send("GET", SEARCH + "&currency=USD")).body["data"]

    for more in ("&currency=USD&currency=XXX", "&currency=USD&curr%65ncy=XXX", "&currency=USD#currency=XXX"):
        answer = await api.send("GET", SEARCH + more)
        assert answer.status == 422 or answer.body["data"] == honest, more
    poisoned = await api.send("GET", SEARCH + "&currency=USD&utm_content=%3Cscript%3E&callback=alert")
    assert poisoned.status == 422 or b"script" not in poisoned.raw


async def test_nobodys_page_is_kept_by_a_cache(described: list[Operation], ada: Person) -> None:
    """Every answer about somebody says so itself."""
    for operation in described:
        if operation.method == "GET" and operation.is_protected and not operation.is_for_admins:
            if operation.path in ("/bookings/{pnr}/events", "/admin/metrics"):
                continue
            answer = await operation.called(ada.client, ada.ids)
            if answer.status == 200:
                assert "no-store" in answer.headers["Cache-Control"], operation


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "PROPFIND", "FOO"])
async def test_another_verb_reads_nothing(bob: Person, ada: Person, method: str) -> None:
    """Neither Ada's booking nor the operators' pages."""
    for path in (f"/bookings/{ada.ids['bookings']}", "/admin/jobs", "/admin/metrics"):
        answer = await bob.client.send(method, path)
        assert answer.status in (400, 401, 403, 404, 405, 501), path
        assert ada.ids["bookings"].encode() not in answer.raw


@pytest.mark.parametrize(
    "token",
    [
        "",
        "metrics-token",
        "metrics-token-of-all-of-the-test",
        "metrics-token-of-all-of-the-testss",
        "METRICS-TOKEN-OF-ALL-OF-THE-TESTS",
        "metrics-token-of-all-of-the-tests\u00e9",
        "null",
        "undefined",
        "Bearer",
        "'' OR 1=1",
    ],
)
async def test_guesses_of_the_metrics_token(api: Client, token: str) -> None:
    """Only the whole of it opens them."""
    answer = await Client(api.session, api.base, token or None).get("/admin/metrics")

    assert answer.status == 401
    assert b"jetway_" not in answer.raw


@pytest.mark.parametrize(
    "request_id",
    ["x" * 65, "short", "a b c d e f g h", "<script>alert(1)</script>", "abcdefgh\u00e9", "../../etc/passwd"],
)
async def test_a_request_id_that_would_be_written_into_logs(api: Client, request_id: str) -> None:
    """One that is not plain is replaced, so no line of a log, and no header, is anybody's own."""
    answer = await api.get("/livez", headers={"X-Request-ID": request_id})

    assert re.fullmatch("[A-Za-z0-9_-]{8,64}", answer.headers["X-Request-ID"])
    assert answer.headers["X-Request-ID"] != request_id


async def test_line_breaks_in_what_becomes_a_header(ada: Person) -> None:
    """A file's name is made of the reference alone."""
    for evil in ("%0d%0aSet-Cookie:%20x=1", "%0aX-Evil:1"):
        answer: Any = await ada.client.send(
            "GET", f"/bookings/{ada.ids['bookings']}{evil}/itinerary.pdf?lang=en{evil}"
        )
        assert answer.status in (404, 422)
        assert "Set-Cookie" not in answer.headers
        assert "X-Evil" not in answer.headers
