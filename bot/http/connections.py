"""Who may hold a connection to us, and for how long: everybody, while there is room; when there is none, whoever has waited longest without
having proved who they are makes place.

Owns the most connections there may be (below the limit on descriptors, with room for our own way out), how long each phase of one may take,
and who has to go. It reads nothing of what is sent: signatures are checked elsewhere, and `vouch` says that one was right.
"""

import asyncio
import resource
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

MOST = 1_000
"""Connections at most, however many descriptors there are: each takes memory."""

RESERVED = 320
"""Descriptors that are not for callers: the database's, Slack's (100), PagerDuty's, and what is accepted before it can be refused."""

RESERVED_PER_SERVICE = 8
"""…and those of the callbacks to each service."""

BACKLOG = 64
"""What the event loop accepts in one turn, before anybody looks at it."""

HEAD_S, UNPROVEN_S, PROVEN_S, IDLE_S = 10.0, 30.0, 120.0, 75.0
"""How long a request line and headers may take; a whole request nobody has vouched for, answer included; one that is signed (a long poll is
60 s); and the pause between two requests (a load balancer's is 60 s as a rule)."""

LOOK_EVERY_S = 1.0

READ_AT_ONCE = 16 * 1024
"""Bytes taken from a connection in one turn of the event loop, in which all may have something: by default asyncio takes 256 KiB."""

_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_LOG = structlog.get_logger("tierline.http")


def descriptors() -> int:
    """How many descriptors this process may have, `resource.RLIM_INFINITY` for any number."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def most_connections(services: int, limit: int) -> int:
    """How many connections leave enough of `limit` descriptors for everything else."""
    if limit == resource.RLIM_INFINITY:
        return MOST
    return max(1, min(MOST, max(limit - RESERVED - RESERVED_PER_SERVICE * services, limit // 4)))


def vouch(request: web.BaseRequest) -> None:
    """Say that this request is signed by somebody we know: its connection gives way to nobody until it is answered."""
    if isinstance(request.protocol, Connection):
        request.protocol.vouched()


class Connection(RequestHandler):
    """One connection, which is let in, and shown out when its phase takes too long."""

    __slots__ = ("address", "limit_s", "room", "since")

    def __init__(self, room: "Connections", *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.room = room
        self.address = ""
        self.since = 0.0
        self.limit_s = HEAD_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or say that there is no room."""
        self.address = _address(transport)
        if self.room.enter(self):
            transport.max_size = READ_AT_ONCE  # type: ignore[attr-defined]  # of asyncio's socket transports (3.11 to 3.14)
            super().connection_made(transport)
            return
        self._force_close = True  # what it sends is not looked at
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(_FULL)
        transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone."""
        self.room.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The first bytes after a pause begin a request."""
        if data and self.limit_s == IDLE_S:
            self.room.enters_phase(self, HEAD_S)
        super().data_received(data)

    async def _handle_request(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - as aiohttp has it (3.14)
        self.room.enters_phase(self, UNPROVEN_S)
        try:
            return await super()._handle_request(*args, **more)
        finally:
            self.room.enters_phase(self, IDLE_S)

    def vouched(self) -> None:
        """The request is signed."""
        self.room.enters_phase(self, PROVEN_S)

    def log_exception(self, *args: Any, **more: Any) -> None:
        """Whoever hung up while the rest of a body was thrown away is no error of ours (a RuntimeError of aiohttp 3.14)."""
        if self.transport is not None or not isinstance(more.get("exc_info"), RuntimeError):
            super().log_exception(*args, **more)

    def show_out(self) -> None:
        """End it without a word: whoever holds it does not listen."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()


class Connections:
    """The connections there are; `most` at a time. `steady` gives seconds that nobody sets."""

    def __init__(self, most: int, steady: Callable[[], float]) -> None:
        self.most = most
        self._steady = steady
        self.refused = 0
        """Connections that were shown out, or not let in, because there was no room."""
        self._proven = dict[Connection, None]()
        self._unproven = dict[str, dict[Connection, None]]()  # by address, the one that waits longest first
        self._count = 0
        self._looking: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def enter(self, connection: Connection) -> bool:
        """Let one in, if need be in place of the one that has waited longest at the address that has most; False when all have proved
        themselves.
        """
        if self._count >= self.most:
            self.refused += 1
            _LOG.warning("no more connections are taken than there is room for: those that wait without a signature make place")
            crowd = max(self._unproven.values(), key=len, default=None)
            if crowd is None:
                return False
            longest = next(iter(crowd))
            self.leave(longest)
            longest.show_out()
        self._count += 1
        self._place(connection, HEAD_S)
        return True

    def leave(self, connection: Connection) -> None:
        """One is gone, or about to."""
        if self._take_out(connection):
            self._count -= 1

    def enters_phase(self, connection: Connection, limit_s: float) -> None:
        """One may take so long from now on."""
        if self._take_out(connection):
            self._place(connection, limit_s)

    def start(self) -> None:
        """Look now and every second until `stop`."""
        self.look()
        self._looking = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self.start)

    def look(self) -> None:
        """Show out whoever takes too long."""
        now = self._steady()
        every = [*self._proven, *(one for crowd in self._unproven.values() for one in crowd)]
        for connection in every:
            if now - connection.since > connection.limit_s:
                self.leave(connection)
                connection.show_out()

    def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()

    def _place(self, connection: Connection, limit_s: float) -> None:
        connection.since, connection.limit_s = self._steady(), limit_s
        crowd = self._proven if limit_s == PROVEN_S else self._unproven.setdefault(connection.address, {})
        crowd[connection] = None

    def _take_out(self, connection: Connection) -> bool:
        if connection in self._proven:
            del self._proven[connection]
            return True
        crowd = self._unproven.get(connection.address, {})
        if connection not in crowd:
            return False
        del crowd[connection]
        if not crowd:
            del self._unproven[connection.address]
        return True


class Door(web.BaseSite):
    """Where connections come in: aiohttp's TCP site with our say in who may."""

    def __init__(self, runner: web.BaseRunner, connections: Connections, host: str, port: int) -> None:
        super().__init__(runner, backlog=BACKLOG)
        self._connections = connections
        self._host = host
        self._port = port

    @property
    def name(self) -> str:
        """Where it is."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Open it."""
        await super().start()
        loop, server = asyncio.get_running_loop(), self._runner.server

        def connection() -> Connection:
            how = {"access_log": None, "auto_decompress": False, "lingering_time": HEAD_S / 2, "read_bufsize": READ_AT_ONCE}
            return Connection(self._connections, server, loop=loop, **how)

        self._server = await loop.create_server(connection, self._host, self._port, backlog=self._backlog)
        self._connections.start()

    async def stop(self) -> None:
        """Close it."""
        self._connections.stop()
        await super().stop()


def _address(transport: asyncio.BaseTransport) -> str:
    """Who is at the other end: an IPv4 address, or the network of an IPv6 one, all of which is one caller's."""
    peer = transport.get_extra_info("peername")
    host = str(peer[0]).partition("%")[0] if peer else ""
    return str(ip_address(host).packed[:8].hex()) if ":" in host else host
