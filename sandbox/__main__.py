"""`python -m sandbox`: serves the simulated outside world until it is told to stop."""

from __future__ import annotations

import argparse
import os
import socket
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import FrameType

import uvicorn

from sandbox.cards.settings import DEFAULT_SECRET, Settings
from sandbox.phones.service import TOKENS
from sandbox.server import Protocol, Sandbox, create_app
from sandbox.world.times import parse


class Server(uvicorn.Server):
    """Takes mail beside HTTP, and stops at the first signal, whoever is still waiting for an answer."""

    def __init__(self, config: uvicorn.Config, mail: AbstractAsyncContextManager[int]) -> None:
        super().__init__(config)
        self._mail = mail

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        async with self._mail:
            await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # There is nothing to save, and a slow answer under way would only hold things up.
        os._exit(0)


def main() -> None:
    """Reads the flags and serves."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--smtp-port", type=int, default=0, help="where mail is taken; 0: any free port")
    parser.add_argument("--seed", default="jetway", help="another seed, another world")
    parser.add_argument("--now", type=parse, help="where the clock starts, as 2026-12-24T18:00:00Z")
    parser.add_argument(
        "--card-webhook-url", action="append", help="where events of cards are sent; repeatable"
    )
    parser.add_argument(
        "--card-webhook-secret",
        default=os.environ.get("STRIPE_WEBHOOK_SECRET", DEFAULT_SECRET),
        help="what signs them; better said in STRIPE_WEBHOOK_SECRET, which no list of processes shows",
    )
    parser.add_argument(
        "--push-account",
        type=Path,
        metavar="FILE",
        help="where the key is kept with which pushes can be sent",
    )
    parser.add_argument("--access-log", action="store_true", help="a line for every request")
    options = parser.parse_args()
    cards = Settings().changed(
        {"webhook_urls": options.card_webhook_url or [], "webhook_secret": options.card_webhook_secret}
    )
    sandbox = Sandbox(options.seed, options.now, cards)
    if options.push_account:
        sandbox.fcm.account.keep_in(options.push_account, f"http://{options.host}:{options.port}{TOKENS}")
    server = Server(
        uvicorn.Config(
            create_app(sandbox),
            host=options.host,
            port=options.port,
            http=Protocol,
            loop="asyncio",
            lifespan="off",
            log_level="warning",
            access_log=options.access_log,
        ),
        sandbox.mail.listening(options.host, options.smtp_port),
    )
    server.run()


if __name__ == "__main__":
    main()
