"""The product as it is watched: API, worker and Beat, a real Traefik, and a real Prometheus that asks each second."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import environ
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dev.run import AS_ROOT
from tests.support.programs import program
from tests.support.stack import api_process, child, free_port, wait_for
from tests.support.watching import PROMETHEUS

_CELERY = ("-W", AS_ROOT, "-m", "celery", "--quiet", "-A", "app.worker")


@dataclass(frozen=True)
class Product:
    api: str
    worker: str
    traefik: str
    traefik_metrics: str


class Prometheus:
    """What it answers now."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http, self.base = http, base

    async def ask(self, expression: str) -> list[dict[str, Any]]:
        """Series that an expression gives; an expression that is none fails."""
        query = {"query": expression}
        async with self.http.post(f"{self.base}/api/v1/query", data=query) as response:
            body = await response.json()
        assert body["status"] == "success", (expression, body)
        result: list[dict[str, Any]] = body["data"]["result"]
        return result

    async def until(self, expression: str, seconds: float = 60) -> None:
        """Wait for an expression to give something."""
        async with asyncio.timeout(seconds):
            while not await self.ask(expression):  # noqa: ASYNC110  Prometheus has no event.
                await asyncio.sleep(0.2)


@contextmanager
def product(folder: Path) -> Iterator[Product]:
    """Real processes on the suite's servers."""
    metrics, edge = f"127.0.0.1:{free_port()}", folder / "edge.yml"
    web, own = free_port(), free_port()
    with ExitStack() as stack:
        stack.enter_context(child(*_CELERY, "worker", "-P", "solo", WORKER_METRICS_ADDRESS=metrics))
        stack.enter_context(child(*_CELERY, "beat", "--schedule", str(folder / "schedule")))
        api = stack.enter_context(api_process())
        edge.write_text(_EDGE.format(api=api, **_certificate(folder)))
        options = (
            f"--entryPoints.web.address=127.0.0.1:{web}",
            f"--entryPoints.metrics.address=127.0.0.1:{own}",
            "--metrics.prometheus.entryPoint=metrics",
            "--metrics.prometheus.addServicesLabels=true",
            f"--providers.file.filename={edge}",
        )
        stack.enter_context(running("traefik", *options))
        wait_for(f"http://127.0.0.1:{own}/metrics")
        wait_for(f"http://127.0.0.1:{web}/livez")
        wait_for(f"http://{metrics}/metrics")
        yield Product(api, f"http://{metrics}", f"http://127.0.0.1:{web}", f"http://127.0.0.1:{own}")


_EDGE = """
tls: {{certificates: [{{certFile: {certificate}, keyFile: {key}}}]}}
http:
  routers: {{api: {{rule: "PathPrefix(`/`)", service: api}}}}
  services: {{api: {{loadBalancer: {{servers: [{{url: "{api}"}}]}}}}}}
"""


def _certificate(folder: Path) -> dict[str, Path]:
    """Signed by itself: Traefik tells how long those last that it has."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jetway.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=90))
    files = {"certificate": folder / "certificate.pem", "key": folder / "key.pem"}
    files["certificate"].write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    as_text = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files["key"].write_bytes(key.private_bytes(*as_text))
    return files


@asynccontextmanager
async def watched(http: aiohttp.ClientSession, product: Product, folder: Path) -> AsyncIterator[Prometheus]:
    """The configuration and the rules that are deployed, of this product and at the pace of a test."""
    port = free_port()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configured(product, folder, port)))
    shutil.copytree(PROMETHEUS / "rules", folder / "rules")
    for rules in (folder / "rules").iterdir():
        rules.write_text(
            re.sub(r"^    interval: 5m$", "    interval: 1s", rules.read_text(), flags=re.MULTILINE)
        )
    options = (
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    with running("prometheus", *options):
        await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}/-/ready")
        yield Prometheus(http, f"http://127.0.0.1:{port}")


def _configured(product: Product, folder: Path, port: int) -> dict[str, Any]:
    """Where things are is a matter of Compose, and nobody takes alerts; all else stays as it is."""
    configuration: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    configuration["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    del configuration["alerting"]["alertmanagers"]
    (folder / "token").write_text(environ["ADMIN_METRICS_TOKEN"])
    places = {
        "api": product.api,
        "worker": product.worker,
        "traefik": product.traefik_metrics,
        "prometheus": f"http://127.0.0.1:{port}",
    }
    jobs = {job["job_name"]: job for job in configuration["scrape_configs"]}
    jobs["api"]["authorization"]["credentials_file"] = str(folder / "token")
    for name, place in places.items():
        jobs[name].pop("dns_sd_configs", None)
        jobs[name]["static_configs"] = [{"targets": [urlsplit(place).netloc]}]
    configuration["scrape_configs"] = [jobs[name] for name in places]
    return configuration


@contextmanager
def running(name: str, *options: str) -> Iterator[None]:
    """A program of others, ended with the block."""
    process = subprocess.Popen([program(name), *options], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)
