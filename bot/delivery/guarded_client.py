"""The way out to addresses that others wrote down: callbacks of services.

Owns the guard on every connection (the address a name really resolved to, checked when the socket is made, so that neither a literal, a
redirect nor a changed DNS answer gets past it) and the bounds on a reply. It never follows redirects, uses no proxy and keeps no cookies.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

MAX_REPLY_BYTES = 64 * 1024
TIMEOUT_S = 15
CONNECT_TIMEOUT_S = 5

Network = IPv4Network | IPv6Network

_INSIDE_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""IANA IPv4 Special-Purpose Address Registry, and multicast (RFC 5771)."""

_OUTSIDE_6 = IPv6Network("2000::/3")
"""The one block of IPv6 that IANA gives out as global unicast (RFC 4291); what is not in it is inside."""

_INSIDE_6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
"""Within it: protocol assignments with Teredo, documentation, 6to4 (carries any IPv4 address), AS112 (IANA IPv6 registry of the same)."""


class ForbiddenAddressError(OSError):
    """The URL leads to an address that this service's callbacks may not reach; list its network in the services file if they should."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses may be reached: public ones, and those in `networks`; with `only_networks` nothing else."""

    networks: Sequence[Network] = ()
    only_networks: bool = False

    def allows(self, host: str) -> bool:
        """Whether a numeric address, as a socket gets it, may be reached."""
        address = _plain(ip_address(host))
        if any(address in network for network in self.networks if network.version == address.version):
            return True
        return not self.only_networks and _is_public(address)

    def make_socket(self, info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        """A socket for this address (the shape of `socket.getaddrinfo`). Raises `ForbiddenAddressError`."""
        family, kind, protocol, _, target = info
        if not self.allows(target[0]):
            raise ForbiddenAddressError(ForbiddenAddressError.__doc__)
        return socket.socket(family, kind, protocol)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INSIDE_4)
    return address in _OUTSIDE_6 and not any(address in network for network in _INSIDE_6)


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address in IPv6 clothes reaches the IPv4 host."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, without its body: nothing of it is needed or kept."""

    status: int
    retry_after: str


class Client:
    """Posts to one service through its own connections. Made inside a running loop, ended by `close`."""

    def __init__(
        self, guard: Guard, *, resolver: AbstractResolver | None = None, timeout_s: float | None = TIMEOUT_S, tls: SSLContext | None = None
    ) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls or True, socket_factory=guard.make_socket, resolver=resolver, limit=16, ttl_dns_cache=10
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s and min(timeout_s, CONNECT_TIMEOUT_S)),
            trust_env=False,
            auto_decompress=False,
        )

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Post and read at most 64 KiB of the reply. Raises aiohttp.ClientError, TimeoutError, OSError."""
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            read = 0
            async for chunk in response.content.iter_any():
                read += len(chunk)
                if read > MAX_REPLY_BYTES:
                    response.close()  # the answer counts all the same: its status came first
                    break
            return Reply(response.status, response.headers.get("Retry-After", ""))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def guard_for(url: str, networks: Sequence[Network]) -> Guard:
    """The guard of a callback: plain http stays inside the networks listed."""
    return Guard(networks, only_networks=not url.startswith("https://"))
