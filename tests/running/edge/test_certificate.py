"""A certificate that everybody trusts: Traefik asks an authority for it by itself."""

import asyncio
import base64
import json
import os
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.running.edge.conftest import certified, traefik
from tests.support.programs import ran
from tests.support.stack import free_port


class Authority:
    """As much of RFC 8555 as it takes to be asked for a certificate, which it then refuses."""

    def __init__(self) -> None:
        self.url = ""
        self.ordered = asyncio.get_running_loop().create_future()

    async def answer(self, request: web.Request) -> web.Response:
        headers = {"Replay-Nonce": base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")}
        match request.path:
            case "/directory":
                kinds = {
                    "newNonce": "nonce",
                    "newAccount": "account",
                    "newOrder": "order",
                    "revokeCert": "revoke",
                }
                return web.json_response({kind: f"{self.url}/{path}" for kind, path in kinds.items()})
            case "/account":
                headers["Location"] = f"{self.url}/account/1"
                return web.json_response({"status": "valid"}, status=201, headers=headers)
            case "/order":
                told = json.loads(await request.text())["payload"]
                order = json.loads(base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)))
                if not self.ordered.done():
                    self.ordered.set_result(order["identifiers"])
                problem = {
                    "type": "urn:ietf:params:acme:error:rejectedIdentifier",
                    "detail": "no",
                    "status": 403,
                }
                return web.json_response(
                    problem, status=403, headers=headers, content_type="application/problem+json"
                )
        return web.Response(headers=headers)


@asynccontextmanager
async def authority(folder: Path) -> AsyncIterator[Authority]:
    one, app = Authority(), web.Application()
    app.router.add_route("*", "/{path:.*}", one.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    certified(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "site.crt", folder / "site.key")
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    one.url = f"https://localhost:{port}"
    try:
        yield one
    finally:
        await runner.cleanup()


async def test_the_domain_is_certified_and_traefik_says_that_it_runs(tmp_path: Path) -> None:
    """The name of DOMAIN and no other; meanwhile it is healthy by its own check, as Compose asks for it."""
    command, *_ = traefik(tmp_path, "http://127.0.0.1:9", "")
    command[command.index("CERTIFICATE=own")] = "CERTIFICATE=letsencrypt"
    static = tmp_path / "traefik.yml"
    async with authority(tmp_path) as asked:
        told = f"tlsChallenge: {{}}\n      caServer: {asked.url}/directory"
        static.write_text(static.read_text().replace("tlsChallenge: {}", told))
        with (tmp_path / "output").open("wb") as output:
            process = subprocess.Popen(  # noqa: ASYNC220  It starts at once.
                [
                    "env",
                    "DOMAIN=flights.example.com",
                    f"LEGO_CA_CERTIFICATES={tmp_path}/site.crt",
                    *command[1:],
                ],
                stdout=output,
                stderr=output,
            )
        try:
            ordered = await asyncio.wait_for(asked.ordered, 20)
            healthy = await asyncio.to_thread(ran, "traefik", "healthcheck", f"--configFile={static}")
        finally:
            process.terminate()
            process.wait(10)
    dead = await asyncio.to_thread(ran, "traefik", "healthcheck", f"--configFile={static}")

    assert ordered == [{"type": "dns", "value": "flights.example.com"}]
    assert (healthy.returncode, dead.returncode) == (0, 1), healthy.stdout + dead.stdout
