"""`rediss://`: whoever answers has to show a certificate that somebody vouches for, to API and to worker."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.stack import run

_ASKED = {
    "worker": "from app.core.background import celery; celery.connection_for_write().connect()",
    "api": "import asyncio; from app.core import redis; redis.connect(); asyncio.run(redis.ping())",
}


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[int]:
    """The port of somebody who vouches for themselves."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    today = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 1, today - timedelta(days=1), today + timedelta(days=1)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            while True:
                try:
                    client = listening.accept()[0]
                except OSError:
                    return
                with contextlib.suppress(OSError):
                    with context.wrap_socket(client, server_side=True) as secured:
                        secured.sendall(b"+PONG\r\n")

        threading.Thread(target=greet, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("who", _ASKED)
def test_nobody_is_believed_who_only_vouches_for_themselves(who: str, impostor: int) -> None:
    for _ in range(5):
        done = run("-c", _ASKED[who], REDIS_URL=f"rediss://:secret@localhost:{impostor}/0")
        if "Timeout connecting" not in done.stderr:
            break  # A machine under load may be too slow to be told who is there.

    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
