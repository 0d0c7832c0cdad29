"""Every client of ours trusts the same authorities, and says alike why a peer was not reached."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.delivery.guarded_client import Client, guard_for
from bot.settings import SettingsError
from bot.slack.calls import call
from bot.slack.inbound import make_client
from bot.timeouts import REAL
from bot.tls import trusted
from escalation.pagerduty_client import EventsClient, PagerDutyUnreadable, RestClient
from store.outbox.delivery import SendError
from store.outbox.network_cause import network_cause

pytestmark = pytest.mark.outside

LOOPBACK = [ip_network("127.0.0.0/8")]


@dataclass(frozen=True)
class Peer:
    """Somebody who answers over TLS with a certificate of an authority of their own."""

    url: str
    certificate: Path


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    """Slack, PagerDuty and a service behind one certificate for 127.0.0.1."""
    certificate, key = _certificate(tmp_path, "127.0.0.1")
    async with _serving(certificate, key) as port:
        yield Peer(f"https://127.0.0.1:{port}", certificate)


async def slack(url: str, tls: ssl.SSLContext) -> None:
    """One call to Slack."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
        await call(make_client(session, f"{url}/api/", "xoxb-x", tls), REAL, "auth.test")


async def pagerduty_events(url: str, tls: ssl.SSLContext) -> None:
    """One page."""
    client = EventsClient(url, tls=tls)
    try:
        await client.send("0" * 32, {"event_action": "trigger", "dedup_key": "k", "payload": {}})
    finally:
        client.close()


async def pagerduty_rest(url: str, tls: ssl.SSLContext) -> None:
    """One question."""
    client = RestClient("token", url, tls=tls)
    try:
        await client.knows("k")
    except PagerDutyUnreadable as error:
        raise SendError(network_cause(error)) from error
    finally:
        client.close()


async def a_callback(url: str, tls: ssl.SSLContext) -> None:
    """One callback."""
    client = Client(guard_for(url, LOOPBACK), tls=tls)
    try:
        await client.post(f"{url}/callbacks", b"{}", {})
    except (aiohttp.ClientError, OSError) as error:
        raise SendError(network_cause(error)) from error
    finally:
        await client.close()


CLIENTS = (slack, pagerduty_events, pagerduty_rest, a_callback)
Reach = Callable[[str, ssl.SSLContext], Awaitable[None]]


@pytest.mark.parametrize("reach", CLIENTS)
async def test_an_authority_in_the_environment_is_trusted_by_each(reach: Reach, peer: Peer) -> None:
    """With SSL_CERT_FILE the peer is reached; without it, it is not, and the cause is said."""
    await reach(peer.url, trusted({"SSL_CERT_FILE": str(peer.certificate)}))
    with pytest.raises(SendError, match="TLS: its certificate is of an authority that is not trusted"):
        await reach(peer.url, trusted({}))


@pytest.mark.parametrize("reach", CLIENTS)
async def test_each_says_why_a_peer_was_not_reached(reach: Reach, tmp_path: Path) -> None:
    """Nobody listens; the certificate is for another name; it speaks no TLS."""
    certificate, key = _certificate(tmp_path, "127.0.0.2")
    tls = trusted({"SSL_CERT_FILE": str(certificate)})
    async with _serving(certificate, key) as port:
        with pytest.raises(SendError, match="TLS: its certificate is for another name"):
            await reach(f"https://127.0.0.1:{port}", tls)
    with pytest.raises(SendError, match="connection refused"):
        await reach(f"https://127.0.0.1:{port}", tls)
    async with _serving() as port:
        with pytest.raises(SendError, match="TLS: the handshake failed"):
            await reach(f"https://127.0.0.1:{port}", tls)


def test_authorities_that_may_not_be_read_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of another user, for example: no traceback when the bot starts."""
    (tmp_path / "closed.pem").write_text("")

    def closed(**_named: object) -> ssl.SSLContext:
        raise PermissionError(13, "Permission denied")  # whoever runs the tests may read everything

    monkeypatch.setattr(ssl, "create_default_context", closed)
    with pytest.raises(SettingsError, match="SSL_CERT_FILE: it cannot be read"):
        trusted({"SSL_CERT_FILE": str(tmp_path / "closed.pem")})


@pytest.mark.parametrize(("name", "asks"), [("SSL_CERT_FILE", "is_file"), ("SSL_CERT_DIR", "is_dir")])
def test_authorities_in_a_folder_that_is_closed_are_a_sentence(name: str, asks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether they are there cannot even be asked."""

    def closed(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")  # whoever runs the tests may look everywhere

    monkeypatch.setattr(Path, asks, closed)
    with pytest.raises(SettingsError, match=f"{name}: it cannot be read"):
        trusted({name: "/root/closed/authorities"})


def test_what_the_environment_names_has_to_be_there(tmp_path: Path) -> None:
    """A path that was mistyped is an error with its name, not a trust in nobody."""
    (tmp_path / "empty.pem").write_text("")
    for named in (
        {"SSL_CERT_FILE": str(tmp_path / "no")},
        {"SSL_CERT_DIR": str(tmp_path / "no")},
        {"SSL_CERT_FILE": str(tmp_path / "empty.pem")},
    ):
        with pytest.raises(SettingsError, match="SSL_CERT_"):
            trusted(named)


@asynccontextmanager
async def _serving(certificate: Path | None = None, key: Path | None = None) -> AsyncIterator[int]:
    async def answer(request: web.Request) -> web.Response:
        status = 202 if request.path == "/v2/enqueue" else 200
        return web.json_response({"ok": True, "status": "success", "dedup_key": "k", "incidents": []}, status=status)

    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for an address, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of our own")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{address}.pem", folder / f"{address}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return files
