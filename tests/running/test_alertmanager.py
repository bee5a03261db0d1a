"""A real Alertmanager tells the right people, once for each cause, in words that help."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from tests.support.stack import ROOT, free_port, wait_for
from tests.support.watched import running
from tests.support.watching import alerts
from tests.webhooks.support import Receiver, receiving

Alert = dict[str, Any]


class Alertmanager:
    def __init__(self, http: aiohttp.ClientSession, base: str, told: Receiver) -> None:
        self.http, self.base, self.told = http, base, told

    async def raise_alert(self, name: str, **labels: str) -> None:
        """As Prometheus does when it fires."""
        alert = alerts()[name]
        severity = {"alertname": name, "severity": alert["labels"]["severity"]}
        body = [{"labels": severity | labels, "annotations": alert["annotations"]}]
        async with self.http.post(f"{self.base}/api/v2/alerts", json=body) as response:
            assert response.status == 200

    async def kept_quiet(self, alerts: set[tuple[str, str]]) -> None:
        """Wait until these, by name and promise, are known and kept quiet, and no others are."""
        async with asyncio.timeout(20):
            while await self._inhibited() != alerts:  # noqa: ASYNC110  Alertmanager has no event.
                await asyncio.sleep(0.05)

    async def _inhibited(self) -> set[tuple[str, str]]:
        async with self.http.get(f"{self.base}/api/v2/alerts") as response:
            known: list[Alert] = await response.json()
        labels = [one["labels"] for one in known if one["status"]["inhibitedBy"]]
        return {(one["alertname"], one.get("slo", "")) for one in labels}

    async def heard(self, path: str) -> str:
        async with asyncio.timeout(20):
            while not self.told.at(path):  # noqa: ASYNC110  The receiver has no event.
                await asyncio.sleep(0.05)
        return self.told.at(path)[0].body.decode()


@pytest_asyncio.fixture
async def alertmanager(tmp_path: Path, http: aiohttp.ClientSession) -> AsyncIterator[Alertmanager]:
    """With the configuration that is deployed, addresses of a test, and less patience."""
    port = free_port()
    async with receiving() as told:
        text = (ROOT / "deploy/alertmanager/alertmanager.yml").read_text()
        for who in ("page", "ticket"):
            (tmp_path / who).write_text(told.url(f"/{who}"))
            text = text.replace(f"/run/secrets/alerts_{who}_url", str(tmp_path / who))
        # The Alertmanager of Debian takes the address of a plain webhook from no file yet.
        text = re.sub(r"url_file: /run/secrets/alerts_heartbeat_url", f"url: {told.url('/heartbeat')}", text)
        text = re.sub(r"group_wait: \d+s", "group_wait: 0s", text)
        (tmp_path / "alertmanager.yml").write_text(text)
        options = (
            f"--config.file={tmp_path / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
        )
        with running("prometheus-alertmanager", *options):
            await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}/-/ready")
            yield Alertmanager(http, f"http://127.0.0.1:{port}", told)


async def test_one_cause_is_told_once_and_to_the_right_people(alertmanager: Alertmanager) -> None:
    """PostgreSQL is down: nobody hears of what follows from it, but of a certificate that ends, and of the watchdog."""
    await alertmanager.raise_alert("PostgresDown")
    paged = await alertmanager.heard("/page")
    for follows in ("OutboxWaits", "WorkerSilent", "TasksFail"):
        await alertmanager.raise_alert(follows)
    await alertmanager.raise_alert("CertificateExpires", cn="jetway.example")
    await alertmanager.raise_alert("Watchdog")

    assert "No process reaches PostgreSQL. Nothing can be searched, booked or paid." in paged
    assert "PostgresDown.md" in paged
    assert "CertificateExpires (ticket)" in await alertmanager.heard("/ticket")
    assert "Watchdog" in await alertmanager.heard("/heartbeat")
    await alertmanager.kept_quiet({("OutboxWaits", ""), ("WorkerSilent", ""), ("TasksFail", "")})
    assert len(alertmanager.told.at("/page")) == 1


async def test_a_slow_burn_is_told_apart_by_its_promise(alertmanager: Alertmanager) -> None:
    """What burns fast for one promise says nothing of another one's slow burn."""
    await alertmanager.raise_alert("ErrorBudgetBurnsFast", slo="search")
    await alertmanager.heard("/page")
    await alertmanager.raise_alert("ErrorBudgetBurnsSlowly", slo="search")
    await alertmanager.raise_alert("ErrorBudgetBurnsSlowly", slo="webhooks")

    await alertmanager.kept_quiet({("ErrorBudgetBurnsSlowly", "search")})
    await alertmanager.heard("/ticket")

    assert len(alertmanager.told.at("/ticket")) == 1
