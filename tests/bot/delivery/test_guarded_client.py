# ruff: noqa: S104  # addresses that must not be reached
"""The way out: no spelling of an inside address gets a connection unless the service's own networks list it (promise P17)."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.delivery.guarded_client import Client, Guard, guard_for

pytestmark = pytest.mark.outside

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.168.0.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::ffff:0:127.0.0.1", "::127.0.0.1", "::a00:1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%lo",
    "febf::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "2620:4f:8000::1",
]  # fmt: skip
OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "99.255.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
]

HOSTS = [
    "127.0.0.1", "127.1", "0", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "127.0.0.1.", "localhost", "LOCALHOST", "[::1]",
    "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:7f00:1]", "0.0.0.0", "127.000.000.001", "\u2460\u2461\u2466.0.0.1",
    "rebound.example", "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
]  # fmt: skip


class Rebinding(AbstractResolver):
    """A name server that says something else at each question; the last answer stays."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """The next answer."""
        address = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)]

    async def close(self) -> None:
        """Nothing to close."""


@asynccontextmanager
async def inside_server(answer: web.StreamResponse | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A server on loopback that notes who came; yields its port and the notes."""
    seen: list[str] = []

    async def take(request: web.Request) -> web.StreamResponse:
        seen.append(f"{request.host} {request.path}")
        return answer or web.Response(text="secret")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1], seen
    await runner.cleanup()


async def post(url: str, guard: Guard, resolver: AbstractResolver | None = None) -> int:
    """Post nothing much; the status."""
    client = Client(guard, resolver=resolver, timeout_s=None)
    try:
        return (await client.post(url, b"{}", {})).status
    finally:
        await client.close()


@pytest.mark.parametrize("address", INSIDE)
def test_inside_addresses_are_not_reached(address: str) -> None:
    """Private, loopback, link-local, shared, reserved, multicast, documentation, and every way to wrap IPv4 into IPv6."""
    assert not Guard().allows(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_addresses_are_reached(address: str) -> None:
    """The neighbours of the forbidden blocks are not forbidden, except where only listed networks may be reached."""
    assert Guard().allows(address)
    assert not Guard(only_networks=True).allows(address)


def test_a_listed_network_opens_itself_and_nothing_else() -> None:
    """10.20.0.0/16 does not open 10.21.0.0/16, and covers its IPv6 spelling."""
    guard = Guard((ip_network("10.20.0.0/16"),))
    assert [guard.allows(address) for address in ("10.20.3.4", "::ffff:10.20.3.4", "10.21.0.1", "127.0.0.1")] == [True, True, False, False]


@pytest.mark.parametrize("host", HOSTS)
async def test_no_spelling_of_this_machine_gets_a_connection(host: str) -> None:
    """Literal, legacy number formats, names, and a name that points here: the socket is never made."""
    async with inside_server() as (port, seen):
        resolver = Rebinding("127.0.0.1") if host == "rebound.example" else None
        with pytest.raises((aiohttp.ClientError, OSError, ValueError)):
            await post(f"http://{host}:{port}/", Guard(), resolver)
        assert seen == []


async def test_a_name_that_changes_its_answer_is_caught_at_the_socket() -> None:
    """DNS rebinding: what counts is the address of this very connection."""
    async with inside_server() as (port, seen):
        for answers in (("127.0.0.1",), ("::ffff:127.0.0.1",), ("169.254.169.254", "127.0.0.1")):
            with pytest.raises(aiohttp.ClientConnectorError):
                await post(f"http://rebound.example:{port}/", Guard(), Rebinding(*answers))
        assert seen == []


async def test_a_redirect_is_an_answer_and_not_a_way() -> None:
    """A receiver cannot send us on."""
    redirect = web.Response(status=307, headers={"Location": "http://127.0.0.1:1/latest/meta-data"})
    async with inside_server(redirect) as (port, seen):
        assert await post(f"http://127.0.0.1:{port}/a", Guard(LOOPBACK)) == 307
        assert seen == [f"127.0.0.1:{port} /a"]


async def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would connect to addresses for us, past the guard."""
    async with inside_server() as (port, seen):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        with pytest.raises(aiohttp.ClientError):
            await post("http://10.0.0.1/", Guard(LOOPBACK))
        assert seen == []


async def test_a_reply_is_read_to_64_kib() -> None:
    """A receiver that answers without end costs no memory; its status counts."""
    async with inside_server(web.Response(body=b"x" * 5_000_000)) as (port, _):
        assert await post(f"http://127.0.0.1:{port}/", Guard(LOOPBACK)) == 200


@pytest.mark.parametrize(("url", "networks", "public"), [("https://a.example", (), True), ("http://a.example", LOOPBACK, False)])
def test_plain_http_stays_inside_the_listed_networks(url: str, networks: Sequence[object], public: bool) -> None:
    """What goes to the open internet is encrypted."""
    assert guard_for(url, LOOPBACK if networks else ()).allows("8.8.8.8") is public
