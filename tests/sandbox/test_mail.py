"""The mail server: what a client can do to it, what it can do to a client, and what people see of it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest

from sandbox.mail.smtp import FAILURES
from sandbox.server import Sandbox
from tests.sandbox.conftest import Client

TO = "ada@example.com"


@pytest.fixture
async def port(served: Sandbox, client: Client) -> AsyncIterator[int]:
    """The server of the sandbox whose inbox the controls show."""
    async with served.mail.listening("127.0.0.1", 0) as port:
        yield port


async def send(port: int, to: str = TO, subject: str = "Hello", **more: Any) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Jetway <us@example.com>", to, subject
    message["Message-ID"] = "<1@example.com>"
    message.set_content("Grüße\n.\n..two dots\n")
    message.add_alternative("<p>Grüße <script>alert(1)</script>", subtype="html")
    message.add_attachment(b"%PDF", "application", "pdf", filename="trip.pdf")
    await aiosmtplib.send(message, hostname="127.0.0.1", port=port, timeout=5, **more)


async def subjects(client: Client, query: str = "") -> list[str]:
    return [mail["subject"] for mail in (await client.control("GET", f"/mail{query}"))["mails"]]


async def test_a_mail_is_kept_whole(client: Client, port: int) -> None:
    """Lines of dots, umlauts and attachments included."""
    await send(port, subject="Grüße aus 東京", username="us", password="secret")

    [line] = (await client.control("GET", "/mail"))["mails"]
    mail = await client.control("GET", f"/mail/{line['id']}")

    assert (line["from"], line["to"], line["subject"]) == ("us@example.com", [TO], "Grüße aus 東京")
    assert (line["at"], line["message_id"]) == ("2026-11-25T12:00:00Z", "<1@example.com>")
    assert mail["text"].splitlines() == ["Grüße", ".", "..two dots"]
    assert mail["html"].startswith("<p>Grüße")
    assert ["From", "Jetway <us@example.com>"] in mail["headers"]
    [attached] = mail["attachments"]
    assert (attached["name"], attached["media_type"]) == ("trip.pdf", "application/pdf")
    assert base64.b64decode(attached["content"]) == b"%PDF"


async def test_an_address_has_its_own_mails(client: Client, port: int) -> None:
    """Newest first, until they are thrown away."""
    for subject, to in (("one", TO), ("two", "bob@example.com"), ("three", "ADA@example.com")):
        await send(port, to, subject)

    assert await subjects(client) == ["three", "two", "one"]
    assert await subjects(client, f"?to={TO}") == ["three", "one"]
    await client.control("DELETE", "/mail")
    assert await subjects(client) == []
    await client.control("GET", "/mail/1", expect=404)


async def test_a_browser_shows_mails_and_runs_nothing(client: Client, port: int) -> None:
    """Neither a subject nor a body becomes part of the page."""
    await send(port, subject="<b>bold</b>")
    [line] = (await client.control("GET", "/mail"))["mails"]

    inbox = await client.send("GET", "/_sandbox/inbox")
    page = await client.send("GET", f"/_sandbox/inbox/{line['id']}")

    assert f'href="/_sandbox/inbox/{line["id"]}"' in inbox.body.decode()
    for shown in (inbox, page):
        assert "script-src 'none'" in shown.headers["Content-Security-Policy"]
        assert "<b>bold" not in shown.body.decode()
        assert "<script" not in shown.body.decode()
    assert "<iframe sandbox " in page.body.decode()
    assert (await client.send("GET", "/_sandbox/inbox/999")).status == 404


@pytest.mark.parametrize(("fault", "code"), [("mail_later", 451), ("mail_refused", 550)])
async def test_a_recipient_is_refused(client: Client, port: int, fault: str, code: int) -> None:
    """For now or for good, and nobody else is."""
    await client.control("POST", "/faults", {"fault": fault, "path": f"/smtp/{TO}", "times": 1})

    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(port)
    await send(port, "bob@example.com")
    await send(port)

    assert refused.value.recipients[0].code == code
    assert await subjects(client) == ["Hello", "Hello"]


async def test_a_mail_is_taken_and_nobody_is_told(client: Client, port: int) -> None:
    """The worst moment to hang up."""
    await client.control(
        "POST", "/faults", {"fault": "mail_taken_and_dropped", "path": "/smtp/*", "times": 1}
    )

    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(port)

    assert await subjects(client) == ["Hello"]


async def test_a_slow_server_answers_late_and_a_reset_one_never(client: Client, port: int) -> None:
    """As the same faults do to HTTP."""
    await client.control("POST", "/faults", {"fault": "reset", "path": "/smtp/*", "times": 1})
    await client.control("POST", "/faults", {"fault": "slow", "path": "/smtp/*", "delay_seconds": 0.2})

    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(port)
    assert await subjects(client) == []
    await send(port)
    assert await subjects(client) == ["Hello"]


async def test_commands_out_of_order_are_refused(port: int) -> None:
    """And the conversation goes on."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as smtp:
        codes = [
            (await smtp.execute_command(*words.encode().split(b" "))).code
            for words in ("DATA", "RCPT TO:<a@x.org>", "MAIL nonsense", "DANCE", "HELO x", "NOOP", "RSET")
        ]

    assert codes == [503, 503, 501, 500, 250, 250, 250]


async def test_the_guide_tells_of_the_inbox(client: Client) -> None:
    """And of its faults."""
    guide = await client.control("GET", "")

    assert "GET /_sandbox/inbox" in guide["controls"]
    assert FAILURES.items() <= guide["faults"].items()
