"""Attack: members in a body that nobody asked for, and that another program would store."""

from typing import Any

import pytest

from tests.ownership.conftest import Person
from tests.ownership.described import Operation
from tests.support.client import Client

UNASKED = {
    "role": "admin",
    "is_admin": True,
    "status": "confirmed",
    "user_id": "00000000-0000-0000-0000-000000000000",
    "price": {"amount": "0.01", "currency": "USD"},
    "pnr": "K7QX2M",
    "email_verified": True,
    "__proto__": {"role": "admin"},
    "secret": "whsec_known",
}

# Where an administrator says just that.
ASKED = {("role", "PATCH /admin/users/{user_id}")}


def bodies(described: list[Operation]) -> list[Operation]:
    """Operations that take JSON. What is login's is read by hand, as a form is, and stores nothing."""
    return [one for one in described if isinstance(one.least(), dict) and one.path != "/auth/login"]


@pytest.mark.parametrize("name", UNASKED)
async def test_a_member_that_nobody_asked_for(
    described: list[Operation], ada: Person, admin: Client, name: str
) -> None:
    """In every body of every operation: refused, and pointed at."""
    for operation in bodies(described):
        least: dict[str, Any] = operation.least()
        if name in least or (name, str(operation)) in ASKED:
            continue
        client = admin if operation.is_for_admins else ada.client
        ids = {**ada.ids, "rules": "fares"}
        answer = await client.send(operation.method, operation.at(ids), json=least | {name: UNASKED[name]})
        assert answer.status == 422, (str(operation), answer.body)
        assert f"/{name}" in [one["pointer"] for one in answer.body["errors"]], (str(operation), answer.body)
    assert len(bodies(described)) > 12


async def test_a_member_in_a_member(described: list[Operation], ada: Person) -> None:
    """Passengers, contacts and payments are as strict as what holds them."""
    inner = {"ticket_number": "0000000000001", "status": "flown", "fare": "0.01", "id": 1}
    [create] = [one for one in described if str(one) == "POST /bookings"]
    for place in ("passengers", "contact", "payment"):
        body = {**create.least(), "payment": {"payment_method": "pm_card_visa"}}
        held = body[place]
        body[place] = [{**held[0], **inner}] if isinstance(held, list) else {**held, **inner}
        answer = await ada.client.post("/bookings", body)
        assert (answer.status, {one["code"] for one in answer.body["errors"]}) == (422, {"extra_forbidden"})


async def test_nobody_becomes_an_operator_by_saying_so(api: Client) -> None:
    """Neither when signing up nor when changing what is theirs."""
    data = {"email": "mallory@example.com", "password": "a window seat, please", "full_name": "Mallory"}
    assert (await api.post("/auth/signup", {**data, "role": "admin"})).status == 422
    signed_up = await api.post("/auth/signup?role=admin&is_admin=1", data)

    assert signed_up.body["user"]["role"] == "user"
    mallory = Client(api.session, api.base, signed_up.body["access_token"])
    assert (await mallory.get("/admin/jobs")).code == "admins_only"
