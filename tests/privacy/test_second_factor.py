"""Who has a second factor is forgotten only with it: a password alone may be a thief's."""

from typing import Any

from tests.auth.support import enrolled
from tests.support.client import PASSWORD, Client


async def test_an_erasure_takes_the_code(traveller: Client, sql: Any) -> None:
    """Without it, and with a wrong one, nothing happens; and wrong ones are counted."""
    ada = await enrolled(traveller)
    without = await traveller.post("/auth/erasure", {"password": PASSWORD})
    wrong = [
        await traveller.post("/auth/erasure", {"password": PASSWORD, "code": "000000"}) for _ in range(5)
    ]
    still = await traveller.get("/auth/me")
    await sql("DELETE FROM attempts")
    right = await traveller.post("/auth/erasure", {"password": PASSWORD, "code": ada.code()})

    assert (without.status, without.code) == (403, "not_confirmed")
    assert [answer.code for answer in wrong] == ["not_confirmed"] * 4 + ["rate_limited"]
    assert still.status == 200
    assert right.status == 204
