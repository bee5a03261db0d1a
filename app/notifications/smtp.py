"""The mail server: one connection for the mails of a run, and what its refusals mean."""

import asyncio
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from types import TracebackType
from urllib.parse import unquote, urlsplit

import aiosmtplib
from email_validator import EmailNotValidError, validate_email

from app.core.config import settings
from app.core.db import Row
from app.core.metrics import UPSTREAM_CALLS, UPSTREAM_SECONDS
from app.notifications.letters import Letter
from app.notifications.sending import Delayed, Refused, Unreachable

_TIMEOUT_SECONDS = 20.0
_PERMANENT = range(500, 600)
_PORTS = {"smtp": 587, "smtps": 465}


class Connection:
    """Opened for the first mail, kept while all goes well, and opened again after a failure."""

    def __init__(self) -> None:
        self._client: aiosmtplib.SMTP | None = None

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    async def send(self, message: EmailMessage) -> None:
        """Within a total time. Raises Refused, Delayed, Unreachable."""
        outcome = "ok"
        try:
            with UPSTREAM_SECONDS.labels("smtp", "send").time():
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    client = self._client = self._client or await _opened()
                    await client.send_message(message)
        except (TimeoutError, OSError, aiosmtplib.SMTPException) as error:
            meant = _meant(error, opened=self._client is not None)
            outcome = type(meant).__name__.lower()
            if not isinstance(error, aiosmtplib.SMTPRecipientsRefused):
                self._drop()
            raise meant from None
        finally:
            UPSTREAM_CALLS.labels("smtp", "send", outcome).inc()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def message(mail: Row, letter: Letter) -> EmailMessage:
    """The bytes are the same at each attempt, as far as the booking is.

    Headers are set through the library's registry, which refuses line ends, so nothing can add a header.
    """
    made = EmailMessage(SMTP)
    name, address = parseaddr(settings().mail_from)
    made["From"] = Address(name, addr_spec=address)
    made["To"] = deliverable(mail["recipient"])
    made["Subject"] = " ".join(letter.subject.split())
    made["Date"] = format_datetime(mail["created_at"])
    made["Message-ID"] = mail["message_id"]
    made["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        # One click in the reader's program is a POST to the link (RFC 8058).
        made["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(letter.text)
    made.add_alternative(letter.html, subtype="html")
    for one in letter.attachments:
        main, _, sub = one.media_type.partition("/")
        # Texts are told to be UTF-8, because mail takes them for ASCII otherwise.
        params = {"charset": "utf-8"} if main == "text" else None
        made.add_attachment(one.content, main, sub, filename=one.name, params=params)
    made["Content-Language"] = mail["locale"]
    return made


def deliverable(recipient: str) -> str:
    """The address with its domain as the network knows it. Raises Refused."""
    try:
        checked = validate_email(recipient, check_deliverability=False, allow_quoted_local=True)
    except EmailNotValidError:
        raise Refused("not_an_address") from None
    return checked.ascii_email or checked.normalized


async def _opened() -> aiosmtplib.SMTP:
    url = urlsplit(settings().smtp_url)
    client = aiosmtplib.SMTP(
        hostname=url.hostname,
        port=url.port or _PORTS[url.scheme],
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        use_tls=url.scheme == "smtps",
        # None: if the server offers it.
        start_tls=True if url.scheme == "smtp" and settings().smtp_must_be_encrypted else None,
        timeout=_TIMEOUT_SECONDS,
    )
    await client.connect()
    return client


def _meant(error: Exception, *, opened: bool) -> Exception:
    """The server's own words are not kept: they may name the recipient."""
    match error:
        case aiosmtplib.SMTPNotSupported() if opened:
            return Refused("address_not_supported")
        case aiosmtplib.SMTPRecipientsRefused():
            code = error.recipients[0].code
        case aiosmtplib.SMTPAuthenticationError():
            return Unreachable(f"login_{error.code}")
        case aiosmtplib.SMTPResponseException() if opened:
            code = error.code
        case _:
            return Delayed(type(error).__name__) if opened else Unreachable(type(error).__name__)
    return Refused(str(code)) if code in _PERMANENT else Delayed(str(code))
