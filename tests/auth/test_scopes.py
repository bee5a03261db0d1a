"""What an API key may do, and that nobody forgets to say so of a new route."""

from typing import Any

import pytest

from app.auth import scopes
from tests.auth.keyring import made
from tests.bookings.paid import held
from tests.contracts.test_openapi import document, operations
from tests.support.client import Client
from tests.support.fleet import Fleet

__all__ = ["document"]

# Who signs in, who an account is, and what operators do is nothing for keys.
CLOSED = (
    "/auth/",
    "/admin/",
    "/airports/sync",
    "/airlines/sync",
)


async def test_every_signed_in_route_takes_keys_or_is_closed_to_them(document: dict[str, Any]) -> None:
    """A new route has to be put on one of the two lists."""
    undecided = [
        name
        for name, operation in operations(document)
        if operation.get("security")
        for method, path in [name.split(" ")]
        if (scopes.wanted(method, path) is None) != path.startswith(CLOSED)
    ]

    assert undecided == []


async def test_each_scope_opens_something(document: dict[str, Any]) -> None:
    """And reading never opens what changes something."""
    signed_in = [name.split(" ") for name, operation in operations(document) if operation.get("security")]
    found = {scope for method, path in signed_in if (scope := scopes.wanted(method, path))}

    assert found == set(scopes.SCOPES)
    for method, path in signed_in:
        scope = scopes.wanted(method, path)
        assert scope is None or scope.endswith(":read" if method == "GET" else ":write"), path


async def test_a_key_does_what_its_scopes_say(traveller: Client, fleet: Fleet) -> None:
    """Reading with `read`, both with `write`; the refusal names what is missing."""
    pnr = (await held(traveller, fleet))["pnr"]
    reading, writing = await made(traveller, "bookings:read"), await made(traveller, "bookings:write")

    assert (await reading.get(f"/bookings/{pnr}")).status == 200
    for headers in ({}, {"X-HTTP-Method-Override": "GET"}, {"X-Original-URL": f"/bookings/{pnr}"}):
        refused = await reading.post(f"/bookings/{pnr}/cancellations", headers=headers)
        assert (refused.status, refused.code) == (403, "insufficient_scope")
        assert refused.body["scope"] == "bookings:write"
    assert (await writing.get(f"/bookings/{pnr}")).status == 200
    assert (await writing.post(f"/bookings/{pnr}/cancellations")).status == 201


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/webhooks/subscriptions", "webhooks:read"),
        ("POST", "/webhooks/test", "webhooks:write"),
        ("GET", "/devices", "notifications:read"),
        ("PATCH", "/notifications/preferences", "notifications:write"),
        ("GET", "/flights/followed", "notifications:read"),
        ("POST", "/flights/ZZ101-20261222-JFK/follow", "notifications:write"),
    ],
)
async def test_a_key_for_bookings_does_nothing_else(
    traveller: Client, method: str, path: str, scope: str
) -> None:
    """Each area has scopes of its own."""
    key = await made(traveller, "bookings:write")

    answer = await key.send(method, path, json={} if method != "GET" else None)

    assert (answer.status, answer.code, answer.body["scope"]) == (403, "insufficient_scope", scope)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/me"),
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions"),
        ("GET", "/auth/api-keys"),
        ("POST", "/auth/api-keys"),
        ("GET", "/admin/users"),
        ("GET", "/admin/jobs"),
        ("GET", "/admin/metrics"),
        ("POST", "/airports/sync"),
    ],
)
async def test_a_key_with_every_scope_is_still_no_person(
    traveller: Client, sql: Any, method: str, path: str
) -> None:
    """Not even an administrator's: it can make no other key, end no session and order nothing."""
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=traveller.user["id"])
    key = await made(traveller)

    answer = await key.send(method, path, json={"name": "x"} if method == "POST" else None)

    assert (answer.status, answer.code, answer.body["scope"]) == (403, "insufficient_scope", None)
