"""How clients are spoken to: TLS 1.2 and 1.3, with ciphers that are still good, in HTTP/2 where the client can."""

import asyncio
import socket
import ssl
import warnings

import pytest

from tests.running.edge.conftest import Edge
from tests.support.programs import ran


def agreed(edge: Edge, version: ssl.TLSVersion, ciphers: str, *protocols: str) -> ssl.SSLSocket:
    """A handshake by a client that knows only this; it would take what is weak."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.set_alpn_protocols(list(protocols) or ["http/1.1"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", edge.port), 5), server_hostname="localhost"
    )


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_what_is_good_is_spoken(edge: Edge, version: ssl.TLSVersion) -> None:
    with agreed(edge, version, "ALL") as connection:
        assert connection.version() == version.name.replace("_", ".")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
def test_what_is_old_is_refused(edge: Edge, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        agreed(edge, version, "ALL")


@pytest.mark.parametrize(
    "ciphers",
    ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"],
)
def test_ciphers_without_forward_secrecy_or_authentication_are_refused(edge: Edge, ciphers: str) -> None:
    """The certificate would do for the others."""
    with pytest.raises(ssl.SSLError, match="alert handshake failure"):
        agreed(edge, ssl.TLSVersion.TLSv1_2, ciphers)


async def test_a_client_of_http_2_gets_it(edge: Edge) -> None:
    """And one that knows only HTTP/1.1 gets that."""
    with agreed(edge, ssl.TLSVersion.TLSv1_3, "ALL", "h2", "http/1.1") as connection:
        assert connection.selected_alpn_protocol() == "h2"
    with agreed(edge, ssl.TLSVersion.TLSv1_3, "ALL") as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"

    asked = ("-sk", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", f"{edge.url}/livez")
    said = await asyncio.to_thread(ran, "curl", *asked)

    assert said.stdout == "2 200"
