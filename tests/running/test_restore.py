"""A disaster, and what is there afterwards: everything up to the moment before, and no payment that is forgotten."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from app.core.clock import rfc3339
from tests.invariants import broken, journal_of
from tests.payments.support import VISA, bought, held
from tests.payments.test_three_d_secure import ASKS
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet
from tests.support.postgres import Ask, Server, asking, own_redis
from tests.support.programs import program
from tests.support.stack import ROOT, api_process, migrate, run

SCRIPTS = ROOT / "deploy/backup"


class Backups:
    """The shell scripts, on a directory of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.verifier = folder, Path(program("pg_verifybackup"))
        folder.mkdir()
        self.settings = {
            "archive_mode": "on",
            "archive_command": f"BACKUP_DIR={folder} {SCRIPTS}/archive.sh %p %f",
            "summarize_wal": "on",
        }

    def run(self, server: Server, script: str, *arguments: str) -> str:
        command = [SCRIPTS / f"{script}.sh", *arguments]
        environment = server.libpq() | {"BACKUP_DIR": str(self.folder)}
        # That of the wheel which the servers come from cannot be run.
        environment["PATH"] = f"{self.verifier.parent}:{environment['PATH']}"
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    async def archived(self, server: Server) -> None:
        """Wait until everything that was written so far has left the server."""
        segment = await server.ask("SELECT pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + 20
        while not (self.folder / "wal" / segment).exists():
            assert time.monotonic() < deadline, server.log.read_text()[-2000:]
            await asyncio.sleep(0.05)


class Product:
    """API processes on one server after the other, with the same secrets and the same processor."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession) -> None:
        self._http, self._stack, self._token = http, ExitStack(), None
        self.environment = {"TIMETABLE_DIR": str(folder / "days"), "REDIS_URL": own_redis()}

    def on(self, server: Server) -> str:
        self._stack.close()
        self.environment["DATABASE_URL"] = server.url
        return self._stack.enter_context(api_process(**self.environment))

    def command(self, *arguments: str) -> tuple[int, str]:
        done = run("-m", "app", *arguments, **self.environment)
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout

    async def sweep(self, ask: Ask) -> None:
        """What a worker does by itself, without waiting for the time at which it is due."""
        await ask("UPDATE payments SET next_look_at = now() WHERE next_look_at IS NOT NULL")
        code = "from app.bookings import tasks; tasks.settle_payments.run(); tasks.settle_refunds.run()"
        done = run("-c", code, **self.environment)
        assert done.returncode == 0, done.stderr

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def product(tmp_path: Path, http: aiohttp.ClientSession) -> Iterator[Product]:
    found = Product(tmp_path, http)
    yield found
    found.close()


async def everything(ask: Ask) -> dict[str, str]:
    """Every booking and its state."""
    return {row["pnr"]: row["status"] for row in await ask("SELECT pnr, status FROM bookings")}


async def after_the_second(server: Server) -> datetime:
    """A moment that is a second later than everything before: backups are named by whole seconds."""
    await asyncio.sleep(1.1)
    moment: datetime = await server.ask("SELECT clock_timestamp()")
    return moment


async def test_everything_up_to_the_moment_before_is_there_and_what_was_paid_later_is_found(
    tmp_path: Path,
    product: Product,
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
) -> None:
    """A full backup, an incremental one, the log: then somebody drops two tables."""
    folder = tmp_path
    backups = Backups(folder / "backups")
    with Server(folder / "first", **backups.settings) as first:
        migrate(DATABASE_URL=first.url)
        first.give_to_its_account(backups.folder)
        async with asking(first) as ask:
            fleet, base = Fleet(ask), product.on(first)
            traveller = await Client(http, base).signed_up()
            kept = [(await bought(traveller, fleet))["pnr"]]
            backups.run(first, "base", "full")
            kept.append((await bought(traveller, fleet))["pnr"])
            await after_the_second(first)
            backups.run(first, "base", "incremental")
            kept.append((await bought(traveller, fleet))["pnr"])
            proving = await held(traveller, fleet)
            begun = await traveller.post(f"/bookings/{proving['pnr']}/payments", ASKS)
            waiting, given_up = await held(traveller, fleet), await bought(traveller, fleet)
            before = await everything(ask)
            moment = await after_the_second(first)

            await prove_who_pays(sandbox)
            resumed = await traveller.post(f"/bookings/{proving['pnr']}/payments/{begun.body['id']}/resume")
            assert resumed.status == 200, resumed.body
            assert (await traveller.post(f"/bookings/{waiting['pnr']}/payments", VISA)).status == 201
            await cancelled(traveller, given_up["pnr"])
            await product.sweep(ask)
            lost = await bought(traveller, fleet)

            await ask("DROP TABLE coupons CASCADE")
            await ask("DROP TABLE booking_timeline CASCADE")
            await backups.archived(first)

    began = time.monotonic()
    backups.run(first, "restore", str(folder / "second" / "data"), moment.isoformat())
    with first.sibling(folder / "second", **backups.settings) as second:
        while await second.ask("SELECT pg_is_in_recovery()"):  # noqa: ASYNC110  It says so to nobody.
            await asyncio.sleep(0.05)
        took = time.monotonic() - began
        async with asking(second) as ask:
            assert await everything(ask) == before
            assert before.keys() >= set(kept)
            assert await broken(ask) == {}
            traveller.base = product.on(second)

            await product.sweep(ask)
            assert (await everything(ask))[proving["pnr"]] == "confirmed"

            code, told = product.command("forgotten-payments", "--take-in", rfc3339(moment))
            assert f"booking {waiting['pnr']}: taken in, the booking is confirmed" in told
            assert f"booking {given_up['pnr']}, which is confirmed here" in told
            assert f"booking {lost['pnr']}, which is not here" in told
            assert (code, told.splitlines()[-1]) == (1, "3 forgotten, 2 of them left to settle")

            paid = (await traveller.get(f"/bookings/{waiting['pnr']}")).body
            assert (paid["status"], len(paid["payments"])) == ("confirmed", 1)
            assert await broken(ask) == {}
            left = await broken(ask, journal=await journal_of(sandbox))
            assert set(left) == {
                "the processor took money that we do not know of",
                "the processor gave money back that we do not owe, or owe once",
            }
            await let_in_again(ask, traveller)
    assert took < 30, took


async def let_in_again(ask: Ask, traveller: Client) -> None:
    """What the guide says of ticket numbers and of sessions; then there is a sale like any other."""
    [before] = await ask("SELECT last_serial FROM ticket_sequences")
    await ask("UPDATE ticket_sequences SET last_serial = last_serial + 100000")
    booking = await bought(traveller, Fleet(ask))
    assert int(booking["passengers"][0]["ticket_number"][3:]) == before["last_serial"] + 100_001

    await ask("UPDATE sessions SET expires_at = now()")
    refused = await traveller.post("/auth/refresh", {"refresh_token": traveller.user["refresh_token"]})
    assert refused.status == 401, refused.body


async def prove_who_pays(sandbox: Sandbox) -> None:
    intents = (await sandbox.control("GET", "/cards"))["intents"]
    [waiting] = [one["id"] for one in intents if one["status"] == "requires_action"]
    await sandbox.control("POST", f"/cards/intents/{waiting}", {"finish": "succeed"})


async def cancelled(traveller: Client, pnr: str) -> None:
    quote = (await traveller.post(f"/bookings/{pnr}/cancellations")).body
    answer = await traveller.post(f"/bookings/{pnr}/cancellations/{quote['id']}/confirm")
    assert answer.status == 200, answer.body
