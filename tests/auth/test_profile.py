"""A name, and the language of mails."""

from tests.auth.support import Mailbox
from tests.support.client import Client


async def test_what_is_left_out_stays(traveller: Client) -> None:
    """Each field by itself, and nothing at all."""
    named = await traveller.send("PATCH", "/auth/me", json={"full_name": "  Ada King "})
    spoken = await traveller.send("PATCH", "/auth/me", json={"locale": "fr"})
    nothing = await traveller.send("PATCH", "/auth/me", json={})

    assert (named.status, named.body["full_name"], named.body["locale"]) == (200, "Ada King", "en")
    assert (spoken.body["full_name"], spoken.body["locale"]) == ("Ada King", "fr")
    assert nothing.body == spoken.body == (await traveller.get("/auth/me")).body


async def test_mails_speak_the_new_language(mailbox: Mailbox, api: Client) -> None:
    """From the next one on."""
    traveller = await api.signed_up()
    await traveller.send("PATCH", "/auth/me", json={"locale": "es"})
    await api.post("/auth/password/forgot", {"email": traveller.user["email"]})

    assert "Elija una contraseña nueva" in await mailbox.subjects(traveller.user["email"])


NOT_FOR_OWNERS: list[dict[str, object]] = [
    {"role": "admin"},
    {"email": "ada@example.com"},
    {"email_verified": True},
    {"password_hash": "x"},
    {"suspended_at": None},
    {"totp_confirmed_at": None},
    {"id": "00000000-0000-0000-0000-000000000000"},
    {"locale": "xx"},
    {"full_name": ""},
    {"full_name": "Ada\r\nBcc: all@example.com"},
]


async def test_nothing_else_can_be_written(traveller: Client) -> None:
    """Nobody makes themselves an administrator, or their address a verified one."""
    before = (await traveller.get("/auth/me")).body

    for sent in NOT_FOR_OWNERS:
        answer = await traveller.send("PATCH", "/auth/me", json=sent)
        assert (answer.status, answer.code) == (422, "validation_error"), sent

    assert (await traveller.get("/auth/me")).body == before
