"""What is wrong with requests, on every layer: each is refused with its own status and code, and nothing of it comes
back. The controls show that the same requests are taken when they are right.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from tests.door.raw import CANARY, Reply, chunked, request, send
from tests.support.client import PASSWORD, Client, adult, booking
from tests.support.fleet import Fleet

JSON = "Content-Type: application/json"
SEARCH = "/flights/search?origin=JFK&destination=LHR&departure_date=2030-01-01"
MALFORMED, INVALID = (400, "malformed_json"), (422, "validation_error")
UNCLEAR, MEDIA = (400, "malformed_request"), (415, "unsupported_media_type")


@dataclass(frozen=True)
class Bad:
    name: str
    expected: tuple[int, str]
    method: str = "POST"
    target: str = "/auth/signup"
    headers: list[str | bytes] = field(default_factory=lambda: [JSON])
    body: bytes = b""


def person(**more: Any) -> bytes:
    return orjson.dumps(
        {"email": "somebody@example.com", "password": PASSWORD, "full_name": "Ada Lovelace", **more}
    )


def signup(name: bytes) -> bytes:
    """A good sign-up but for the bytes that stand for the name."""
    return b'{"email":"somebody@example.com","password":"a window seat, please","full_name":' + name + b"}"


def book(**more: Any) -> bytes:
    return orjson.dumps(booking("off_any") | more)


def people(**more: Any) -> bytes:
    return book(passengers=[adult() | more])


def get(name: str, target: str, expected: tuple[int, str] = UNCLEAR, *headers: str | bytes) -> Bad:
    return Bad(name, expected, "GET", target, list(headers))


FRAMES = [
    get("a long path", "/airports/" + "x" * 8200, (414, "uri_too_long")),
    get("a long query", "/airports?q=" + CANARY * 700, (414, "uri_too_long")),
    get("large headers", "/airports", (431, "headers_too_large"), f"X-Note: {CANARY * 1500}"),
    get("many headers", "/airports", (431, "headers_too_large"), *(f"X-{n}: {CANARY}" for n in range(900))),
    get("a zero in the path", "/airports/JFK%00"),
    get("half a character in the path", "/airports/%F0%9F"),
    get("a surrogate in the path", "/flights/%ED%A0%80"),
    get("an overlong slash", "/airports/..%C0%AF"),
    get("a zero in the query", f"/airports?q={CANARY}%00"),
    get("bytes that are no text in the query", f"/airports?q={CANARY}%FF"),
    get("a surrogate in a cursor", "/airports?cursor=%ED%B0%80"),
    get("two hosts", "/airports", UNCLEAR, f"Host: {CANARY}"),
    get("two tokens", "/auth/me", UNCLEAR, "Authorization: Bearer one", "Authorization: Bearer two"),
    Bad("two media types", UNCLEAR, headers=[JSON, "Content-Type: text/plain"], body=person()),
    Bad("two keys", UNCLEAR, headers=[JSON, "Idempotency-Key: a", "Idempotency-Key: b"], body=person()),
    Bad("two encodings", UNCLEAR, headers=[JSON, "Content-Encoding: identity"] * 2, body=person()),
    Bad("gzip", MEDIA, headers=[JSON, "Content-Encoding: gzip"], body=person()),
    Bad("several codings", MEDIA, headers=[JSON, "Content-Encoding: identity, br"], body=person()),
    Bad("no media type", MEDIA, headers=[], body=person()),
    Bad("text", MEDIA, headers=["Content-Type: text/plain"], body=person()),
    Bad("what only looks like JSON", MEDIA, headers=["Content-Type: text/json"], body=person()),
    Bad("a form", MEDIA, headers=["Content-Type: application/x-www-form-urlencoded"], body=b"email=a"),
    Bad("a media type of odd bytes", MEDIA, headers=[b"Content-Type: \xff\xfe"], body=person()),
    Bad("a login as XML", MEDIA, target="/auth/login", headers=["Content-Type: text/xml"], body=b"<a/>"),
    Bad("a body that says it is large", (413, "body_too_large"), headers=[JSON, "Content-Length: 1048577"]),
    Bad("a body without end", (413, "body_too_large"), headers=[JSON, "Content-Length: 999999999999999"]),
    Bad(
        "a body that does not say it is large",
        (413, "body_too_large"),
        headers=[JSON, "Transfer-Encoding: chunked"],
        body=chunked(*[b" " * 65536] * 17),
    ),
]

DOCUMENTS = [
    Bad("nothing but blanks", MALFORMED, body=b"   "),
    Bad("NaN", MALFORMED, body=signup(b"NaN")),
    Bad("infinity", MALFORMED, body=signup(b"-Infinity")),
    Bad("a number that is infinite", MALFORMED, body=signup(b"1e999")),
    Bad("a number with a leading zero", MALFORMED, body=signup(b"01")),
    Bad("an integer beyond 2^53", MALFORMED, body=signup(b"9007199254740993")),
    Bad("an integer of a hundred digits", MALFORMED, body=signup(b"9" * 100)),
    Bad("a double beyond 2^53", MALFORMED, body=signup(b"-1e300")),
    Bad("a name that comes twice", MALFORMED, body=signup(b'"Ada","full_name":"%b"' % CANARY.encode())),
    Bad("a name twice, once escaped", MALFORMED, body=signup(b'"Ada","full\\u005fname":"Eve"')),
    Bad("a name twice in an inner object", MALFORMED, body=signup(b'{"a":1,"b":{"c":1,"c":2}}')),
    Bad("33 levels", MALFORMED, body=signup(b"[" * 32 + b"]" * 32)),
    Bad("ten thousand levels", MALFORMED, body=signup(b"[" * 10_000 + b"]" * 10_000)),
    Bad("ten thousand open brackets", MALFORMED, body=b"[" * 10_000),
    Bad("bytes that are no UTF-8", MALFORMED, body=signup(b'"Ada \xff%b"' % CANARY.encode())),
    Bad("an overlong character", MALFORMED, body=signup(b'"Ada \xc0\xaf"')),
    Bad("a surrogate in UTF-8", MALFORMED, body=signup(b'"Ada \xed\xa0\x80"')),
    Bad("a surrogate as an escape", MALFORMED, body=signup(b'"Ada \\ud800"')),
    Bad("surrogates the wrong way round", MALFORMED, body=signup(b'"Ada \\udc00\\ud800"')),
    Bad("a surrogate in a name", MALFORMED, body=b'{"\\udfff": 1}'),
    Bad("a zero as an escape", MALFORMED, body=signup(b'"Ada \\u0000"')),
    Bad("a zero in a name", MALFORMED, body=b'{"a\\u0000": 1}'),
    Bad("a zero as a byte", MALFORMED, body=signup(b'"Ada \x00"')),
    Bad("a line break in a text", MALFORMED, body=signup(b'"Ada\nLovelace"')),
    Bad("a byte order mark", MALFORMED, body=b"\xef\xbb\xbf" + person()),
    Bad("UTF-16", MALFORMED, body=person().decode().encode("utf-16")),
    Bad("something behind the end", MALFORMED, body=person() + b" " + CANARY.encode()),
    Bad("two documents", MALFORMED, body=person() * 2),
    Bad("a comma too much", MALFORMED, body=b'{"email": "a",}'),
    Bad("a comment", MALFORMED, body=b"{} // " + CANARY.encode()),
    Bad("single quotes", MALFORMED, body=b"{'email': 'a'}"),
    Bad("half a document", MALFORMED, body=person()[:-1]),
    Bad("a list for an object", INVALID, body=b"[" + person() + b"]"),
    Bad("a text for an object", INVALID, body=b'"%b"' % CANARY.encode()),
    Bad("null for an object", INVALID, body=b"null"),
    Bad("a login with a name twice", MALFORMED, target="/auth/login", body=b'{"email":"a","email":"b"}'),
    Bad("a login that is none", MALFORMED, target="/auth/login", body=CANARY.encode()),
    Bad(
        "a booking with a name twice", MALFORMED, target="/bookings", body=b'{"offer_id":"a","offer_id":"b"}'
    ),
    Bad("a booking with a surrogate", MALFORMED, target="/bookings", body=b'{"offer_id":"\\ud83d"}'),
]

TYPES = [
    Bad("a field that nobody knows", INVALID, body=person(is_admin=True)),
    Bad("a number for a text", INVALID, body=person(full_name=5)),
    Bad("a list for a text", INVALID, body=person(full_name=[CANARY])),
    Bad("an object for a text", INVALID, body=person(full_name={CANARY: CANARY})),
    Bad("a bell in a name", INVALID, body=person(full_name=f"Ada\a{CANARY}")),
    Bad("a name of 101 characters", INVALID, body=person(full_name="x" * 101)),
    Bad("an address that is none", INVALID, body=person(email=CANARY)),
    Bad(
        "an address with a line break",
        INVALID,
        body=person(email=f"a@example.com\r\nBcc: {CANARY}@example.com"),
    ),
    Bad("an address without end", INVALID, body=person(email="a" * 300 + "@example.com")),
    Bad("a password without end", INVALID, body=person(password="x" * 5000)),
    Bad("a language that there is not", INVALID, body=person(locale=CANARY)),
    *(
        Bad(f"booking: {name}", INVALID, target="/bookings", body=body)
        for name, body in {
            "text for an index": people(type="infant", infant_of="0"),
            "a double for an index": people(type="infant", infant_of=0.0),
            "true for an index": people(type="infant", infant_of=True),
            "an index below zero": people(type="infant", infant_of=-1),
            "seconds for a day": people(born_on=660787200),
            "seconds for a day as text": people(born_on="660787200"),
            "an instant for a day": people(born_on="1990-12-10T00:00:00Z"),
            "a day that there was not": people(born_on="1990-02-30"),
            "a day in other digits": people(born_on="١٩٩٠-12-10"),
            "a day before our time": people(born_on="1899-12-31"),
            "a day after our time": people(born_on="2101-01-01"),
            "a type that there is not": people(type=CANARY),
            "a gender that there is not": people(gender=CANARY),
            "an invisible name": people(given_name="\u200b\u200b"),
            "a name that turns the line round": people(given_name=f"Ada\u202e{CANARY}"),
            "a name of 61 characters": people(given_name="x" * 61),
            "passengers as an object": book(passengers={"0": adult()}),
            "nobody": book(passengers=[]),
            "nineteen people": book(passengers=[adult(n) for n in range(19)]),
            "a hundred services": people(services=[{"code": "VGML"}] * 100),
            "a segment without end": people(services=[{"code": "VGML", "segments": ["x" * 5000]}]),
            "a phone of letters": book(contact={"email": "a@example.com", "phone": CANARY}),
            "an offer without end": book(offer_id=CANARY * 100),
            "a card as a number": book(payment={"payment_method": 4242424242424242}),
        }.items()
    ),
    *(
        Bad(f"search: {name}", INVALID, target="/flights/search", body=orjson.dumps(body))
        for name, body in {
            "one slice": {"slices": [{}]},
            "text for a number": {"slices": [], "adults": "1"},
            "true for a number": {"slices": [], "adults": True},
            "text for a boolean": {"slices": [], "with_bag": "yes"},
            "a number for a boolean": {"slices": [], "refundable": 1},
            "a list of numbers": {"slices": [], "airlines": [1]},
        }.items()
    ),
]

VALUES = [
    get("a day as seconds", "/flights/search?origin=JFK&destination=LHR&departure_date=1893456000", INVALID),
    get("a day in the year 10000", f"{SEARCH[:-10]}10000-01-01", INVALID),
    get("a number with a point", f"{SEARCH}&adults=1.5", INVALID),
    get("a number of 5000 digits", f"{SEARCH}&adults={'9' * 5000}", INVALID),
    get("a time with an offset", f"{SEARCH}&departure_after=10:00Z", INVALID),
    get("a time as seconds", f"{SEARCH}&departure_after=3600", INVALID),
    get("a price that is none", f"{SEARCH}&max_price=NaN", INVALID),
    get("a limit below one", "/airports?limit=0", INVALID),
    get("a limit beyond all pages", "/airports?limit=1000000000000000000000", INVALID),
    get("a cursor that is none of ours", f"/airports?cursor={CANARY}", INVALID),
    get("a country of digits", "/airports?country=12", INVALID),
    get("a place that is none", "/airports?near=NaN,NaN", INVALID),
    get("a box beyond the poles", "/flights/live?bbox=-181,-91,181,91", INVALID),
    get("an airport that there is not", "/airports/QQQ", (404, "airport_not_found")),
    get("a flight that there is not", f"/flights/{CANARY}", (404, "flight_not_found")),
    get("a path that there is not", f"/{CANARY}", (404, "not_found")),
    get("a path out of the tree", "/docs/../../etc/passwd", (404, "not_found")),
    Bad("a method that a path does not take", (405, "method_not_allowed"), "DELETE", "/airports", []),
]

HEADERS = [
    get("no token", "/bookings", (401, "unauthorized")),
    get("a token that is none", "/bookings", (401, "invalid_token"), f"Authorization: Bearer {CANARY}"),
    get("a token of odd bytes", "/bookings", (401, "invalid_token"), b"Authorization: Bearer \xff\xfe\x80"),
    get("a token of dots", "/bookings", (401, "invalid_token"), "Authorization: Bearer ..."),
    get("another scheme", "/bookings", (401, "unauthorized"), "Authorization: Basic YTpi"),
    get("odd bytes for metrics", "/admin/metrics", (401, "invalid_token"), b"Authorization: Bearer \xe9"),
]

AFTER_SIGNING_IN = [
    Bad("a key of two words", INVALID, target="/bookings", headers=[JSON, f"Idempotency-Key: {CANARY} b"]),
    Bad("a key of odd bytes", INVALID, target="/bookings", headers=[JSON, b"Idempotency-Key: \xff"]),
    Bad("a key without end", INVALID, target="/bookings", headers=[JSON, "Idempotency-Key: " + "x" * 256]),
    Bad("paying what is not there", (404, "booking_not_found"), target="/bookings/BCDFGH/payments"),
    Bad("cancelling what is not there", (404, "booking_not_found"), target="/bookings/BCDFGH/cancellations"),
    Bad("confirming nothing", (404, "booking_not_found"), target="/bookings/BCDFGH/cancellations/1/confirm"),
    Bad("resuming nothing", (404, "booking_not_found"), target="/bookings/BCDFGH/payments/pay_1/resume"),
    Bad(
        "sending nothing again",
        (404, "delivery_not_found"),
        target=f"/webhooks/deliveries/{CANARY}/redeliver",
    ),
    Bad(
        "a last event that was none",
        (404, "booking_not_found"),
        "GET",
        "/bookings/BCDFGH/events",
        [b"Last-Event-ID: \xff" + CANARY.encode()],
    ),
    Bad("another's part", (403, "admins_only"), "GET", "/admin/jobs", []),
]
BODIES = {
    "/bookings": book(),
    "/bookings/BCDFGH/payments": b'{"payment_method":"pm_card_visa"}',
}

ALL = [*FRAMES, *DOCUMENTS, *TYPES, *VALUES, *HEADERS]
NAMED: Callable[[Bad], str] = lambda bad: bad.name  # noqa: E731


def require_refusal(reply: Reply, bad: Bad) -> None:
    assert (reply.status, reply.code) == bad.expected, reply.raw
    # Paths and bodies may hold who knows what: none of it comes back, in headers neither.
    assert CANARY not in reply.raw.decode() + str(reply.headers)


def test_there_are_many_of_them() -> None:
    """Each under a name of its own."""
    names = [bad.name for bad in (*ALL, *AFTER_SIGNING_IN)]
    assert len(set(names)) == len(names) >= 120


@pytest.mark.parametrize("bad", ALL, ids=NAMED)
async def test_is_refused(address: str, traveller_token: str, bad: Bad) -> None:
    """With its status and code, as a problem document."""
    signed = [f"Authorization: Bearer {traveller_token}"] if bad.target == "/bookings" and bad.body else []
    reply = await send(address, request(bad.method, bad.target, [*bad.headers, *signed], bad.body))

    require_refusal(reply, bad)


@pytest.mark.parametrize("bad", AFTER_SIGNING_IN, ids=NAMED)
async def test_is_refused_to_whoever_is_signed_in(address: str, traveller_token: str, bad: Bad) -> None:
    """What can only be wrong behind the token."""
    headers = [*bad.headers, f"Authorization: Bearer {traveller_token}"]
    reply = await send(address, request(bad.method, bad.target, headers, BODIES.get(bad.target, b"")))

    require_refusal(reply, bad)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /airports HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /auth/signup HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /auth/signup HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /auth/signup HTTP/1.1\r\nHost: a\r\nContent-Length: 5a\r\n\r\n",
        b"POST /auth/signup HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST /auth/signup HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /airports HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /airports HTTP/1.1\r\nHost: a\r\nX-A: \x00\r\n\r\n",
        b"GET /airports/\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /airports?q=\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /airports HTTP/9.9\r\nHost: a\r\n\r\n",
        b"get it\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_by_the_server(address: str, sent: bytes) -> None:
    """Before anything of ours sees it."""
    assert (await send(address, sent)).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        [b"X-Request-ID: \xff\xfe"],
        [b"Accept-Language: \xff;q=\xfe, de;q=NaN"],
        [b'If-None-Match: \xff\xfe, W/"\xff'],
        [b"Cookie: a=\xff; b"],
        [b"User-Agent: \xff"],
        [b"X-Forwarded-For: \xff, 1.2.3.4.5, [::1"],
        [b"X-Forwarded-Proto: \xff"],
        [b"Origin: \xff"],
        [b"Accept: \xff/*;q=\xff"],
        [b"Range: bytes=\xff-"],
        [b"Authorization: \xff"],
    ],
    ids=str,
)
async def test_odd_bytes_in_other_headers_are_nothing(address: str, headers: list[str | bytes]) -> None:
    """Whoever cannot read them goes on as if they were not there."""
    for target in ("/airports/JFK", "/flights/search?origin=JFK&destination=QQQ&departure_date=2030-01-01"):
        assert (await send(address, request("GET", target, headers))).status in (200, 404)


@pytest.mark.parametrize(
    "host", ["", "Host:\r\n", f"Host: {CANARY}/x\r\n", 'Host: "><b>\r\n', "Host: a b\r\n"]
)
async def test_a_request_is_for_a_server_with_a_name(address: str, host: str) -> None:
    """Which may stand in a redirect."""
    reply = await send(address, f"GET /airports/ HTTP/1.1\r\n{host}\r\n".encode())

    assert (reply.status, reply.code) == (400, "malformed_request")


async def test_controls(address: str, traveller: Client, fleet: Fleet) -> None:
    """Requests of the same kind that are right: at the bounds, in pieces, in other scripts."""
    right = [
        request("GET", "/airports?q=Z%C3%BCrich", [f"X-Note: {'x' * 15_000}"]),
        request("GET", "/airports?q=%F0%9F%9B%AB", []),
        request(
            "POST", "/auth/signup", [JSON], person(email="controls1@example.com", full_name="Zoë 山田 🛫")
        ),
        request(
            "POST",
            "/auth/signup",
            ["content-type: Application/JSON; charset=utf-8"],
            person(email="c2@example.com"),
        ),
        request(
            "POST",
            "/auth/signup",
            [JSON, "Transfer-Encoding: chunked", "Content-Encoding: identity"],
            chunked(*[bytes([byte]) for byte in person(email="c3@example.com")]),
        ),
    ]
    assert [(await send(address, one)).status for one in right] == [200, 200, 201, 201, 201]

    offer = await fleet.offer(traveller, await fleet.flight())
    signed = [JSON, f"Authorization: Bearer {traveller.token}", "Idempotency-Key: " + "x" * 255]
    assert (
        await send(address, request("POST", "/bookings", signed, orjson.dumps(booking(offer["id"]))))
    ).status == 201
