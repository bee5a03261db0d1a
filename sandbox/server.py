"""Puts the vendors and the controls on one port."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox import control
from sandbox.aviationstack.service import AviationStack
from sandbox.cards import page
from sandbox.cards import settings as card_settings
from sandbox.cards.service import PREFIXES, Cards
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.hooks import pages as hook_pages
from sandbox.hooks.arrivals import Hooks
from sandbox.journal import Journal
from sandbox.mail import pages as mail_pages
from sandbox.mail.inbox import Inbox
from sandbox.mail.smtp import MailServer
from sandbox.opensky.service import OpenSky
from sandbox.phones import pages as phone_pages
from sandbox.phones.service import SENDING, TOKENS, Fcm
from sandbox.world.airspace import Airspace
from sandbox.world.world import World


@dataclass(eq=False)
class Sandbox:
    """One world, its clock, and the vendors that report on it."""

    seed: str = "jetway"
    start: datetime | None = None
    card_settings: card_settings.Settings = field(default_factory=card_settings.Settings)
    world: World = field(init=False)
    clock: Clock = field(init=False)
    faults: Faults = field(init=False)
    journal: Journal = field(init=False)
    aviationstack: AviationStack = field(init=False)
    airspace: Airspace = field(init=False)
    opensky: OpenSky = field(init=False)
    cards: Cards = field(init=False)
    inbox: Inbox = field(init=False)
    mail: MailServer = field(init=False)
    fcm: Fcm = field(init=False)
    hooks: Hooks = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.seed)
        self.clock = Clock(self.start)
        self.faults = Faults(self.seed)
        self.journal = Journal()
        self.aviationstack = AviationStack(self.world, self.clock, self.faults, self.journal)
        self.airspace = Airspace(self.world)
        self.opensky = OpenSky(self.airspace, self.clock, self.faults, self.journal)
        self.cards = Cards(self.clock, self.faults, self.journal, self.card_settings)
        self.inbox = Inbox()
        self.mail = MailServer(self.inbox, self.clock, self.faults)
        self.fcm = Fcm(self.clock, self.faults, self.journal)
        self.hooks = Hooks()

    def reset(self) -> None:
        """As after a start."""
        self.world.reset()
        self.clock.reset()
        self.faults.armed.clear()
        self.journal.clear()
        self.aviationstack.reset()
        self.airspace.reset()
        self.opensky.reset()
        self.cards.reset()
        self.inbox.clear()
        self.fcm.reset()
        self.hooks.clear()


class Protocol(HttpToolsProtocol):
    """Hands its connection to the application, because some faults have to cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # On a socket that somebody else opened asyncio leaves this off, and every answer takes 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


def create_app(sandbox: Sandbox) -> Starlette:
    async def threed_secure(request: Request) -> Response:
        return await page.threed_secure(sandbox.cards, request)

    return Starlette(
        routes=[
            *mail_pages.routes(sandbox.inbox),
            *phone_pages.routes(sandbox.fcm.phones),
            *hook_pages.routes(sandbox.hooks),
            *control.routes(sandbox),
            # Three vendors begin their paths alike; the names behind that tell which is meant.
            *(Route(path, sandbox.fcm, methods=["POST"]) for path in (TOKENS, SENDING)),
            *(
                Route(f"/v1/{name}{rest}", sandbox.cards)
                for name in PREFIXES
                for rest in ("", "/{rest:path}")
            ),
            Route("/cards/3ds/{intent}", threed_secure, methods=["GET", "POST"]),
            Mount("/v1", app=sandbox.aviationstack),
            Mount("/api", app=sandbox.opensky),
            Mount("/auth", app=sandbox.opensky),
        ]
    )
