"""A user's server proves who it is: by its name, which stays the one in the URL although an address is connected to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.core import strangers
from tests.support.strangers import Names, post, stranger


class Authority:
    """Signs certificates for a test's servers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of a test")])
        self.certificate = folder / "authority.pem"
        self.certificate.write_bytes(self._signed(self.name, self.key, self.key, authority=True))

    def server(self, host: str, *, by_itself: bool = False, days: int = 1) -> ssl.SSLContext:
        """What a server called `host` shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        signed = self._signed(name, key, key if by_itself else self.key, days=days)
        shown = self.folder / f"{host}.pem"
        shown.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + signed
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown)
        return context

    def _signed(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        by: ec.EllipticCurvePrivateKey,
        *,
        authority: bool = False,
        days: int = 1,
    ) -> bytes:
        ends = datetime.now(UTC) + timedelta(days=days)
        host = name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if by is key else self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(ends - timedelta(days=30))
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(str(host).replace(" ", "-"))]), critical=False
            )
            # OpenSSL wants to be told whose key is whose and what for, as Python asks it to from 3.13 on.
            .add_extension(
                x509.KeyUsage(not authority, *[False] * 4, authority, authority, False, False), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
            )
            .sign(by, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


@pytest_asyncio.fixture
async def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Authority]:
    """One that this machine trusts while the test runs, for that is what the client asks."""
    trusted = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.certificate))
    monkeypatch.setattr(strangers, "_client", None)
    strangers.connect()
    yield trusted
    await strangers.disconnect()


async def test_the_name_is_kept_while_the_address_is_connected_to(authority: Authority, names: Names) -> None:
    """In the handshake, in the certificate and in the request."""
    names.lead("hooks.example", "127.0.0.1")
    async with stranger(encrypted=authority.server("hooks.example")) as server:
        reply = await post(f"https://hooks.example:{server.port}/")

    assert (reply.status, reply.error) == (200, None)
    assert server.names == ["hooks.example"]
    assert f"host: hooks.example:{server.port}".encode() in server.requests[0].lower()


@pytest.mark.parametrize(
    ("shown", "by_itself", "days"),
    [("hooks.example", True, 1), ("other.example", False, 1), ("hooks.example", False, -1)],
    ids=["self-signed", "another host's", "expired"],
)
async def test_a_bad_certificate_ends_it_before_anything_is_sent(
    authority: Authority, names: Names, shown: str, by_itself: bool, days: int
) -> None:
    """With a good one the same request arrives, as above."""
    names.lead("hooks.example", "127.0.0.1")
    async with stranger(encrypted=authority.server(shown, by_itself=by_itself, days=days)) as server:
        reply = await post(f"https://hooks.example:{server.port}/")

    assert (reply.status, reply.error) == (None, "tls")
    assert server.requests == []


async def test_a_server_without_tls_is_a_failure_of_tls(authority: Authority) -> None:
    """It speaks in the clear, which is not listened to."""

    def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        reply = await post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    assert (reply.status, reply.error) == (None, "tls")
