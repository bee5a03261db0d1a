"""Every operation of the product, as its description lists them: what is somebody's is there for nobody else.

A route that is added is walked as well. If it takes an id of which the fixtures make no object, these tests fail.
"""

from typing import Any

from tests.ownership.conftest import Person, missing
from tests.ownership.described import Operation
from tests.support.client import Answer, Client

# What everybody may see, or what a route for administrators names.
EVERYBODYS = {"airlines", "airports", "flights", "offers", "track"}
# What a guest's token is for.
GUESTS_READ = {
    f"GET /bookings/{{pnr}}{what}"
    for what in ("", "/boarding-passes", "/events", "/itinerary.html", "/itinerary.ics", "/itinerary.pdf")
}


def body(answer: Answer) -> Any:
    return {**answer.body, "request_id": ""}


def personal(described: list[Operation]) -> list[Operation]:
    """Operations on somebody's objects."""
    return [
        one
        for one in described
        if one.is_protected and not one.is_for_admins and set(one.collections) - EVERYBODYS
    ]


async def test_each_object_of_a_path_has_one_to_try(described: list[Operation], ada: Person) -> None:
    """A new route cannot forget to ask whose it is."""
    forgotten = [str(one) for one in personal(described) if set(one.collections) - ada.ids.keys()]

    assert forgotten == [], "make an object for them in tests/ownership/conftest.py"
    assert set(ada.ids) == {name for one in personal(described) for name in one.collections}
    assert len(personal(described)) > 25


async def test_what_wants_a_token_refuses_without_one(described: list[Operation], api: Client) -> None:
    """With one answer, whatever it is that was asked for; one that is made up is refused as well."""
    for operation in described:
        if not operation.is_protected:
            continue
        for token, code in (None, "unauthorized"), ("x" * 40, "invalid_token"), ("a.b.c", "invalid_token"):
            answer = await operation.called(Client(api.session, api.base, token), {})
            assert (answer.status, answer.code) == (401, code), operation
            assert answer.headers["Content-Type"] == "application/problem+json", operation
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), operation


async def test_operators_routes_refuse_travellers(described: list[Operation], bob: Person) -> None:
    """Before anything is looked at: 403, in the same words for what is there and for what is not."""
    operators = [one for one in described if one.is_for_admins]

    for operation in operators:
        answer = await operation.called(bob.client, {})
        assert (answer.status, answer.code) == (403, "admins_only"), operation
    assert len(operators) > 10
    assert {str(one) for one in operators} >= {
        str(one)
        for one in described
        if one.path.startswith("/admin/") and one.path not in ("/admin/health", "/admin/metrics")
    }


async def test_what_is_somebodys_is_there_for_nobody_else(
    described: list[Operation], ada: Person, bob: Person
) -> None:
    """The same answer to the letter as for what does not exist; and Ada's are as they were."""
    nothing = {name: missing(identity) for name, identity in ada.ids.items()}
    before = await seen(described, ada)

    for operation in personal(described):
        # Ada's booking with Ada's payment, and Bob's own booking with Ada's payment.
        innermost = operation.collections[-1]
        for hers, none in (
            (ada.ids, nothing),
            ({**bob.ids, innermost: ada.ids[innermost]}, {**bob.ids, innermost: nothing[innermost]}),
        ):
            foreign = await operation.called(bob.client, hers)
            absent = await operation.called(bob.client, none)
            assert foreign.status == 404, (str(operation), foreign.status, foreign.body)
            assert body(foreign) == body(absent), operation
            assert alike(foreign) == alike(absent), operation

    assert await seen(described, ada) == before


def alike(answer: Answer) -> dict[str, str]:
    """Headers that could tell one answer from another."""
    differ = ("date", "x-request-id", "ratelimit")
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in differ}


async def seen(described: list[Operation], person: Person) -> dict[str, Any]:
    """All that somebody can read of what is theirs as JSON."""
    found: dict[str, Any] = {}
    for operation in described:
        if operation.method == "GET" and operation.is_protected and not operation.is_for_admins:
            if operation.path.endswith(("/events", ".pdf", ".ics", ".html")) or "admin" in operation.path:
                continue
            found[str(operation)] = body(await operation.called(person.client, person.ids))
    return found


async def test_their_owner_has_them(described: list[Operation], ada: Person) -> None:
    """The negative control: the same requests by Ada get further than those for what does not exist."""
    nothing = {name: missing(identity) for name, identity in ada.ids.items()}
    headers = {"Authorization": f"Bearer {ada.client.token}"}
    for operation in personal(described):
        absent = await operation.called(ada.client, nothing)
        url = ada.client.base + operation.at(ada.ids)
        async with ada.client.session.request(
            operation.method, url, json=operation.body(), headers=headers
        ) as response:
            assert response.status < 500, operation
            # Only refusals are read to their end: a stream of events has none.
            told = await response.json(content_type=None) if response.status >= 400 else {}
        assert (response.status, told.get("code")) != (absent.status, absent.code), operation


async def test_lists_hold_only_what_is_the_callers(
    described: list[Operation], ada: Person, bob: Person
) -> None:
    """Whichever can be listed; Ada's own list does hold hers."""
    lists = [
        one
        for one in described
        if one.method == "GET" and one.is_protected and not one.is_for_admins and not one.collections
    ]
    held_by_ada = 0

    for operation in lists:
        if operation.path == "/admin/metrics":
            continue
        hers = await operation.called(ada.client, {})
        his = await operation.called(bob.client, {})
        assert (hers.status, his.status) == (200, 200), operation
        for identity in (*ada.ids.values(), ada.follows, ada.client.user["id"], ada.client.user["email"]):
            assert identity.encode() not in his.raw, operation
            held_by_ada += identity.encode() in hers.raw
    assert held_by_ada >= 6


async def test_a_guests_token_reads_one_booking(described: list[Operation], ada: Person, bob: Person) -> None:
    """Nothing else takes it, and another booking is not there."""
    taken = set()
    for operation in described:
        if not operation.is_protected:
            continue
        answer = await operation.called(ada.guest, bob.ids)
        if answer.status == 401:
            assert answer.code == "invalid_token", operation
            continue
        taken.add(str(operation))
        absent = await operation.called(ada.guest, {"bookings": "BBBBBB"})
        assert (answer.status, body(answer)) == (404, body(absent)), operation

    assert taken == GUESTS_READ
    assert (await ada.guest.get(f"/bookings/{ada.ids['bookings']}")).status == 200


async def test_no_spelling_of_a_reference_helps(ada: Person, bob: Person) -> None:
    """Bob tries those that mean the same, or might."""
    pnr = ada.ids["bookings"]
    for spelled in (
        pnr.lower(),
        f"%20{pnr}",
        f"{pnr}%00",
        f"{pnr}%0A",
        f"./{pnr}",
        f"../bookings/{pnr}",
        "%25",
    ):
        answer = await bob.client.get(f"/bookings/{spelled}")
        assert answer.status in (400, 404, 422), spelled
        assert pnr not in str(answer.body), spelled
