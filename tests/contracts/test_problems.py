"""Bad requests: each is answered with one shape of problem, without an echo, and none breaks anything."""

import asyncio
import json
from typing import Any

import pytest
import pytest_asyncio

from tests.support.client import Answer, Client, booking

MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "retryable"}
CANARY = "canary-31337"
JSON = {"Content-Type": "application/json"}

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "broken": b'{"email": "canary-31337',
    "a bare word": b"canary-31337",
    "trailing comma": b'{"email": "canary-31337",}',
    "single quotes": b"{'email': 'canary-31337'}",
    "null": b"null",
    "a number": b"31337",
    "a string": b'"canary-31337"',
    "an array": b'["canary-31337"]',
    "deep array": b"[" * 100_000,
    "deep array, closed": b"[" * 5000 + b"]" * 5000,
    "deep object": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "invalid UTF-8": b'{"email": "\xff\xfe canary-31337"}',
    "UTF-16": '{"email": "canary-31337"}'.encode("utf-16"),
    "NUL byte": b'{"email": "a\x00b"}',
    "byte order mark": b'\xef\xbb\xbf{"email": "canary-31337"}',
    "long integer": b'{"email": ' + b"9" * 5000 + b"}",
    "two documents": b"{}{}",
    "megabytes": b'{"email": "' + b"x" * 900_000 + b'"}',
    "many members": b"{" + b",".join(b'"canary-31337-%d": 1' % i for i in range(5000)) + b"}",
}

VALUES: dict[str, bytes] = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "1e999": b"1e999",
    "10**30": b"1" + b"0" * 30,
    "negative zero": b"-0.0",
    "true": b"true",
    "null": b"null",
    "array": b'["canary-31337"]',
    "object": b'{"canary-31337": {}}',
    "lone surrogate": b'"\\ud800canary-31337"',
    "surrogates reversed": b'"\\udc00\\ud800"',
    "NUL": b'"canary-31337\\u0000"',
    "controls": b'"\\u0001\\u001b[31m canary-31337"',
    "long": b'"' + b"canary-31337" * 20_000 + b'"',
    "markup": b'"<script>canary-31337</script>"',
    "SQL": b'"canary-31337\'; DROP TABLE users; --"',
}

FIELDS = [
    ("/auth/signup", b'{"email": %s, "password": "a window seat, please", "full_name": "A"}'),
    ("/auth/signup", b'{"email": "canary@example", "password": %s, "full_name": "A"}'),
    ("/auth/signup", b'{"email": "canary@example", "password": "a window seat, please", "full_name": %s}'),
    (
        "/auth/signup",
        b'{"email": "c@example.com", "password": "a window seat, please", "full_name": "A", "x": %s}',
    ),
    ("/auth/login", b'{"email": %s, "password": "not the password"}'),
    ("/auth/login", b'{"email": "nobody@example.com", "password": "x", "y": %s}'),
    ("/auth/refresh", b'{"refresh_token": %s}'),
    ("/bookings", b'{"offer_id": %s, "passengers": [], "contact": {}}'),
    ("/bookings", b'{"offer_id": "off_x", "passengers": %s, "contact": {"email": "ada@example.com"}}'),
    ("/bookings", b'{"offer_id": "off_x", "passengers": [%s], "contact": {"email": "ada@example.com"}}'),
]
PASSENGER_FIELDS = ["type", "title", "given_name", "family_name", "born_on", "gender", "infant_of"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def traveller(http: Any, address: str) -> Client:
    """One account for all of these."""
    return await Client(http, address).signed_up()


def require_problem(answer: Answer, what: str, *, echo: str = CANARY) -> None:
    """A refusal in the contract's shape, which tells nothing of what was sent or how we are built."""
    assert 400 <= answer.status < 500, (what, answer.status)
    assert answer.headers["Content-Type"] == "application/problem+json", what
    assert answer.body.keys() - {"errors"} == MEMBERS, what
    assert answer.body["status"] == answer.status
    assert answer.body["type"] == f"urn:jetway:problem:{answer.body['code']}"
    assert answer.body["request_id"] == answer.headers["X-Request-ID"]
    for problem in answer.body.get("errors", ()):
        assert problem.keys() == {"pointer", "code", "message"}, what
    told = json.dumps({**answer.body, "errors": [p["message"] for p in answer.body.get("errors", ())]})
    for forbidden in (echo, "Traceback", "sqlalchemy", "pydantic", "asyncpg", "SELECT", 'File "'):
        assert forbidden.lower() not in told.lower(), (what, told[:300])


@pytest.mark.parametrize(
    "path", ["/auth/signup", "/auth/login", "/auth/refresh", "/auth/logout", "/bookings"]
)
async def test_a_body_that_is_not_what_was_asked_for(traveller: Client, path: str) -> None:
    """Broken, empty, deep, huge or of another kind."""
    for name, body in BODIES.items():
        answer = await traveller.send("POST", path, data=body, headers=JSON)
        require_problem(answer, f"{path}: {name}")


@pytest.mark.parametrize(("path", "template"), FIELDS, ids=range(len(FIELDS)))
async def test_a_field_that_holds_something_else(traveller: Client, path: str, template: bytes) -> None:
    """Numbers that are none, letters that are half, text that is too long or meant for a machine."""
    taken = {"/auth/signup": {"lone": 0}}.get(path, {})
    for name, value in VALUES.items():
        if b"full_name" in template and b"canary@example" not in template and name in taken:
            continue
        answer = await traveller.send("POST", path, data=template % value, headers=JSON)
        require_problem(answer, f"{path}: {name}")


@pytest.mark.parametrize("field", PASSENGER_FIELDS)
async def test_a_passengers_field_that_holds_something_else(traveller: Client, field: str) -> None:
    """Deep in the body it is no different."""
    for name, value in VALUES.items():
        data = json.dumps(booking("off_x")).encode()
        person = b'"passengers": [{"%s": %s, ' % (field.encode(), value)
        kept = json.dumps({k: v for k, v in booking("off_x")["passengers"][0].items() if k != field}).encode()
        body = (
            data[: data.index(b'"passengers"')]
            + person
            + kept[1:]
            + b'], "contact": {"email": "ada@example.com"}}'
        )
        answer = await traveller.send("POST", "/bookings", data=body, headers=JSON)
        require_problem(answer, f"{field}: {name}")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "image/png", "x", ""]
)
async def test_another_content_type(traveller: Client, kind: str) -> None:
    """JSON is asked for, and the login takes one form."""
    for path in ("/auth/signup", "/auth/login", "/bookings"):
        answer = await traveller.send("POST", path, data=b"<canary-31337/>", headers={"Content-Type": kind})
        require_problem(answer, f"{path}: {kind}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"username=canary-31337",
        b"username=%00&password=x",
        b"username=%ED%A0%80&password=",
        b"&&&=",
        b"a" * 100000,
        b"username=a&" * 5000,
        b"username=canary-31337%00&password=y",
    ],
    ids=range(8),
)
async def test_a_login_form_that_is_incomplete_or_hostile(traveller: Client, body: bytes) -> None:
    """The form is checked like the JSON."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    require_problem(await traveller.send("POST", "/auth/login", data=body, headers=headers), repr(body[:40]))


SEARCH = "/flights/search?origin=JFK&destination=LHR&departure_date=2030-01-01"


@pytest.mark.parametrize(
    "path",
    [
        "/flights/search",
        "/flights/search?origin=canary-31337&destination=LHR&departure_date=2030-01-01",
        "/flights/search?origin=JFK&destination=LHR&departure_date=canary-31337",
        "/flights/search?origin=JFK&destination=LHR&departure_date=2030-02-30",
        "/flights/search?origin=JFK&destination=LHR&departure_date=99999999999999999999",
        "/flights/search?origin=JFK&destination=LHR&departure_date=NaN",
        *(
            f"{SEARCH}&{more}"
            for more in ("adults=0", "adults=1e1", "adults=" + "9" * 5000, "infants=2", "cabin=x")
        ),
        *(
            f"{SEARCH}&{more}"
            for more in ("max_price=NaN", "max_price=1e9", "max_price=-1", "currency=canary-31337")
        ),
        *(
            f"{SEARCH}&{more}"
            for more in ("limit=0", "cursor=canary-31337", "sort=canary-31337", "airlines=%00")
        ),
        *(
            f"{SEARCH}&{more}"
            for more in ("departure_after=25:00", "departure_after=NaN", "return_date=2029-01-01")
        ),
        "/airports?limit=canary-31337",
        "/airports?limit=-1",
        "/airports?near=canary-31337",
        "/airports?near=NaN,NaN",
        "/airports?cursor=%FF%FE",
        "/airports?cursor=%00",
        "/airports?country=%F0%9F%9B%AB",
        "/airports/%FF%FE%FD",
        "/airports/%00%00%00",
        "/airlines?q=%00",
        "/airlines/%00%00",
        "/airlines?cursor=canary-31337",
        "/flights/%00",
        "/flights/canary-31337",
        "/flights/ZZ1-20260230-JFK",
        "/flights/" + "x" * 5000,
        "/bookings/%00",
        "/bookings/canary-31337",
        "/bookings/" + "x" * 5000,
        "/bookings?status=canary-31337",
        "/bookings?cursor=canary-31337",
        "/canary-31337",
        "/%FF",
        "/%00",
        "//",
        "/auth",
        "/bookings/a/b",
        "/docs/canary-31337",
        "/" + "x" * 20_000,
    ],
    ids=lambda path: path[:60],
)
async def test_a_path_or_query_that_leads_nowhere(traveller: Client, path: str) -> None:
    """Values that are none, bytes that are no text, paths that do not exist."""
    require_problem(await traveller.get(path), path[:80])


@pytest.mark.parametrize(
    "path", ["/airports?q=%FF%FE", "/airlines?q=%ED%A0%80", "/airports?q=%00", "/airlines?q=%F0%9F"]
)
async def test_a_query_of_invalid_text_is_refused(traveller: Client, path: str) -> None:
    """It is refused before anybody looks for it."""
    answer = await traveller.get(path)

    assert (answer.status, answer.code) == (400, "malformed_request")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_a_method_that_a_path_does_not_take(traveller: Client, method: str) -> None:
    """405, with the methods it does take."""
    for path in (
        "/auth/login",
        "/bookings",
        "/bookings/K7QX2M",
        "/flights/search",
        "/airports/JFK",
        "/admin/health",
    ):
        answer = await traveller.send(method, path)
        require_problem(answer, f"{method} {path}")
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) & {"GET", "POST"}


async def test_after_all_that_the_server_is_well(traveller: Client) -> None:
    """Many bad requests at once leave no connection busy and no user out."""
    bodies = [body for body in BODIES.values() if len(body) < 10_000] * 5
    storm = (traveller.send("POST", "/bookings", data=body, headers=JSON) for body in bodies)
    for answer in await asyncio.gather(*storm):
        assert 400 <= answer.status < 500

    assert (await traveller.get("/auth/me")).status == 200
    assert (await traveller.get("/readyz")).status == 200
