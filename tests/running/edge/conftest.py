"""Traefik and nginx, each with its own file out of deploy/, before the product that all tests share."""

import ipaddress
import os
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.client import Client
from tests.support.programs import program
from tests.support.stack import ROOT, free_port

# What an edge waits for a slow client or product is made this short, so that tests do not wait either.
PATIENCE = 1.5


@dataclass(frozen=True)
class Edge:
    """A proxy that runs."""

    name: str
    port: int
    plain_port: int
    trusted: ssl.SSLContext
    log: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def plain_url(self) -> str:
        return f"http://localhost:{self.plain_port}"


# How a proxy is started: what is to be run, its ports, and the file with its access log.
Start = tuple[list[str], int, int, Path]


def traefik(folder: Path, product: str, operators: str) -> Start:
    """With the files of deploy/, but for what is of this machine."""
    port, plain_port = free_port(), free_port()
    source = ROOT / "deploy/traefik"
    static = _replaced(
        (source / "traefik.yml").read_text(),
        {
            '":8080"': f'"127.0.0.1:{plain_port}"',
            '":8443"': f'"127.0.0.1:{port}"',
            '":8082"': f'"127.0.0.1:{free_port()}"',
            "readTimeout: 30s": f"readTimeout: {PATIENCE}s",
            "/etc/traefik/dynamic.yml": f"{folder}/dynamic.yml",
            "/data/acme.json": f"{folder}/acme.json",
        },
    )
    dynamic = _replaced((source / "dynamic.yml").read_text(), {"/etc/traefik/certificate": str(folder)})
    (folder / "traefik.yml").write_text(static)
    (folder / "dynamic.yml").write_text(dynamic)
    told = {"CERTIFICATE": "own", "API_URLS": product, "ADMIN_NETWORKS": operators}
    command = ["env", *(f"{name}={value}" for name, value in told.items())]
    return (
        [*command, program("traefik"), f"--configFile={folder}/traefik.yml"],
        port,
        plain_port,
        folder / "output",
    )


def _nginx(folder: Path, product: str, operators: str) -> Start:
    port, plain_port = free_port(), free_port()
    text = _replaced(
        (ROOT / "deploy/nginx/nginx.conf").read_text(),
        {
            "pid /run/nginx.pid;": f"pid {folder}/pid;",
            "/var/log/nginx": str(folder),
            "/etc/nginx/certificate": str(folder),
            "listen 80 ": f"listen 127.0.0.1:{plain_port} ",
            "listen 443 ": f"listen 127.0.0.1:{port} ",
            "listen [::]:80 default_server;": "",
            "listen [::]:443 ssl http2 default_server;": "",
            "server 127.0.0.1:8000 ": f"server {product.removeprefix('http://')} ",
            "        default no;\n": f"default no; {operators} yes;" if operators else "default no;",
            "client_header_timeout 10s": f"client_header_timeout {PATIENCE * 1000:.0f}ms",
            "client_body_timeout 10s": f"client_body_timeout {PATIENCE * 1000:.0f}ms",
        },
    )
    (folder / "nginx.conf").write_text(text)
    command = [program("nginx"), "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error", "-g", "daemon off;"]
    return command, port, plain_port, folder / "access.log"


PROXIES: dict[str, Callable[[Path, str, str], Start]] = {"traefik": traefik, "nginx": _nginx}

_WAITS_FOR_THE_PRODUCT = {
    "traefik": ("dynamic.yml", "responseHeaderTimeout:"),
    "nginx": ("nginx.conf", "proxy_read_timeout"),
}


def _replaced(text: str, values: dict[str, str]) -> str:
    """What is of the machine; each of it has to be there, or the file is another one than this was written for."""
    for before, after in values.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


@contextmanager
def running(
    name: str, folder: Path, product: str, operators: str = "", *, impatient: bool = False
) -> Iterator[Edge]:
    """This proxy before the product at that address, which it does not wait a minute for if it is impatient."""
    trusted = certified(folder)
    command, port, plain_port, log = PROXIES[name](folder, product, operators)
    if impatient:
        file, setting = _WAITS_FOR_THE_PRODUCT[name]
        text = _replaced(
            (folder / file).read_text(), {f"{setting} 60s": f"{setting} {PATIENCE * 1000:.0f}ms"}
        )
        (folder / file).write_text(text)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        edge = Edge(name, port, plain_port, trusted, log)
        _wait_for(edge, process)
        yield edge
    finally:
        process.terminate()
        process.wait(10)


def certified(folder: Path) -> ssl.SSLContext:
    """A certificate for this machine and its key, in files; gives what trusts it alone."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "site.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "site.key").write_bytes(key.private_bytes(*private))
    return ssl.create_default_context(cafile=folder / "site.crt")


def _wait_for(edge: Edge, process: subprocess.Popen[bytes]) -> None:
    """Until it serves our certificate: Traefik begins with one of its own."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", edge.port), 5) as connection:
                with edge.trusted.wrap_socket(connection, server_hostname="localhost"):
                    return
        except OSError:
            assert process.poll() is None, edge.log.with_name("output").read_text()
            assert time.monotonic() < deadline, edge.log.with_name("output").read_text()
            time.sleep(0.05)


@pytest.fixture(scope="session", params=PROXIES)
def edge(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, address: str
) -> Iterator[Edge]:
    """Each of them; 127.0.0.9 is an operator's address."""
    os.umask(0o022)
    with running(request.param, tmp_path_factory.mktemp(request.param), address, "127.0.0.9") as one:
        yield one


@pytest_asyncio.fixture
async def outside(edge: Edge) -> AsyncIterator[Client]:
    """Somebody who knows the product by its edge alone."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=edge.trusted)) as session:
        yield Client(session, edge.url)
