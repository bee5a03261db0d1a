"""The mail server: as much of SMTP (RFC 5321) as a client that sends mail can ask for, and ways to fail.

A fault's path is `/smtp/` and the recipient's address, so that a mail to one address can be struck alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sandbox.clock import Clock
from sandbox.faults import TRANSPORT_FAULTS, Fault, Faults
from sandbox.mail.inbox import Inbox

FAILURES = {
    "mail_later": "451 to the recipient: try again later",
    "mail_refused": "550 to the recipient: there is no such mailbox",
    "mail_taken_and_dropped": "keeps the mail and hangs up without saying so",
}
_LARGEST = 10 * 1024 * 1024
_ADDRESS = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>", re.IGNORECASE)
_EXTENSIONS = (f"SIZE {_LARGEST}", "8BITMIME", "SMTPUTF8", "AUTH PLAIN", "ENHANCEDSTATUSCODES")


class MailServer:
    """Takes every mail for everybody and delivers nothing."""

    def __init__(self, inbox: Inbox, clock: Clock, faults: Faults) -> None:
        self.inbox, self.clock, self.faults = inbox, clock, faults

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve while the block lasts; gives the port, which the system chooses for 0."""
        server = await asyncio.start_server(self._serve, host, port, limit=_LARGEST)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await _Conversation(self, reader, writer).hold()
        writer.close()


class _Conversation:
    """One client, command by command."""

    def __init__(
        self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self._forget()

    def _forget(self) -> None:
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.fault: Fault | None = None

    async def hold(self) -> None:
        await self._say("220 sandbox.invalid ESMTP")
        while line := (await self.reader.readuntil(b"\n")).decode("utf-8", "replace").strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "QUIT":
                    return await self._say("221 2.0.0 bye")
                case "EHLO":
                    await self._say(
                        *(f"250-{name}" for name in ("sandbox.invalid", *_EXTENSIONS)), "250 HELP"
                    )
                case "HELO" | "NOOP":
                    await self._say("250 2.0.0 ok")
                case "RSET":
                    self._forget()
                    await self._say("250 2.0.0 ok")
                case "AUTH":
                    await self._say("235 2.7.0 welcome")
                case "MAIL":
                    self._forget()
                    await self._mail(rest)
                case "RCPT" if self.sender is not None:
                    await self._recipient(rest)
                case "DATA" if self.recipients:
                    if not await self._data():
                        return None
                case "DATA" | "RCPT":
                    await self._say("503 5.5.1 not yet")
                case _:
                    await self._say("500 5.5.2 not understood")
        return None

    async def _mail(self, rest: str) -> None:
        found = _ADDRESS.match(rest)
        self.sender = found[1] if found else None
        await self._say("250 2.1.0 ok" if found else "501 5.5.4 MAIL FROM:<address>")

    async def _recipient(self, rest: str) -> None:
        found = _ADDRESS.match(rest)
        if not found:
            return await self._say("501 5.5.4 RCPT TO:<address>")
        self.fault = self.server.faults.take(f"/smtp/{found[1]}", FAILURES)
        match self.fault.fault if self.fault else None:
            case "mail_later":
                return await self._say("451 4.3.0 try again later")
            case "mail_refused":
                return await self._say("550 5.1.1 no such mailbox")
        self.recipients.append(found[1])
        return await self._say("250 2.1.5 ok")

    async def _data(self) -> bool:
        """Whether the conversation goes on after the mail."""
        await self._say("354 end with a dot")
        lines: list[bytes] = []
        while (line := await self.reader.readuntil(b"\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        fault = self.fault
        if fault and fault.fault == "slow":
            await asyncio.sleep(fault.delay_seconds)
        elif fault and fault.fault in TRANSPORT_FAULTS:
            return False
        kept = self.sender or "", self.recipients, b"".join(lines)
        self.server.inbox.keep(self.server.clock.now(), *kept)
        if fault and fault.fault == "mail_taken_and_dropped":
            return False
        self._forget()
        await self._say("250 2.0.0 kept")
        return True

    async def _say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()
