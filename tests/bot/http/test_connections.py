"""Who may hold a connection: room is made, every phase ends, and who is signed is left alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bot.http.connections import HEAD_S, IDLE_S, UNPROVEN_S, Connections, Door, most_connections, vouch

pytestmark = pytest.mark.outside

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SIGNED = b"GET /signed HTTP/1.1\r\nHost: x\r\n\r\n"
MUCH = b"x" * 12_000_000
BIG = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class House:
    """A server behind a door with few places."""

    port: int

    def __init__(self, most: int) -> None:
        self.now = 0.0
        self.connections = Connections(most, lambda: self.now)
        self.signed = asyncio.Event()
        self.answer = asyncio.Event()

    async def read(self, request: web.Request) -> web.Response:
        """Read the body and answer."""
        return web.Response(body=await request.read())

    async def wait(self, request: web.Request) -> web.Response:
        """A signed call that takes its time."""
        vouch(request)
        self.signed.set()
        await self.answer.wait()
        return web.Response(text="signed")

    async def big(self, request: web.Request) -> web.Response:
        """More than fits into any buffer."""
        return web.Response(body=MUCH)

    async def call(self, *sent: bytes) -> Stream:
        """A connection that sends this."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        for piece in sent:
            writer.write(piece)
        return reader, writer

    async def answers(self) -> bool:
        """Whether somebody new is served."""
        reader, writer = await self.call(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = await reader.read()
        writer.close()
        return answer.startswith(b"HTTP/1.1 200")


@asynccontextmanager
async def a_house(most: int) -> AsyncIterator[House]:
    """It, open."""
    house = House(most)
    application = web.Application()
    application.add_routes(
        [web.post("/", house.read), web.get("/", house.read), web.get("/signed", house.wait), web.get("/big", house.big)]
    )
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await Door(runner, house.connections, "127.0.0.1", 0).start()
    house.port = runner.addresses[0][1]
    try:
        yield house
    finally:
        house.answer.set()
        await runner.cleanup()


PHASES = {
    "nothing": (b"",),
    "part of a line": (b"POST /v1",),
    "part of the headers": (b"POST / HTTP/1.1\r\nHost: x\r\nX: ",),
    "no body": (HEAD,),
    "part of a body": (HEAD, b"x" * 99),
    "a chunk": (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nx",),
    "silence after a request": (GET,),
    "a second request begun": (GET, b"GET / HTT"),
    "an answer nobody reads": (BIG,),
}


@pytest.mark.parametrize("sent", PHASES.values(), ids=PHASES)
async def test_who_waits_longest_makes_place_in_whatever_phase(sent: tuple[bytes, ...]) -> None:
    """A house full of any kind of half-open connection serves whoever comes next, again and again, and never holds more than it may."""
    async with a_house(most=5) as house:
        crowd = [await house.call(*sent) for _ in range(7)]
        for _ in range(3):
            assert await house.answers()
            assert len(house.connections) <= 5
            crowd.append(await house.call(*sent))
        assert house.connections.refused
        for _, writer in crowd:
            writer.close()


@pytest.mark.parametrize("sent", PHASES.values(), ids=PHASES)
async def test_every_phase_ends(sent: tuple[bytes, ...]) -> None:
    """Also without any need of room: nobody holds a connection for ever by saying nothing."""
    async with a_house(most=50) as house, asyncio.timeout(20):
        _, writer = await house.call(*sent)
        assert await house.answers()
        house.connections.look()
        assert len(house.connections) >= 1
        while len(house.connections):  # until the server has seen all of it, it may begin another phase
            house.now += max(HEAD_S, UNPROVEN_S, IDLE_S) + 0.1
            house.connections.look()
            await asyncio.sleep(0)
        writer.close()


async def test_headers_that_trickle_end_in_time() -> None:
    """A byte now and then does not keep a connection."""
    async with a_house(most=50) as house, asyncio.timeout(20):
        reader, writer = await house.call(b"GET / HTTP/1.1\r\nX: ")
        assert await house.answers()
        ended = asyncio.create_task(reader.read())
        while not ended.done() and house.now < 2 * HEAD_S:
            writer.write(b"x")
            assert await house.answers()  # so it has read the byte too
            house.now += 1.0
            house.connections.look()
        await asyncio.wait([ended])
        assert HEAD_S < house.now < HEAD_S + 3.0
        writer.close()


async def test_a_signed_call_gives_way_to_nobody() -> None:
    """While it waits for its answer, others come and go; where all have signed, whoever comes is told to come again."""
    async with a_house(most=3) as house:
        first, writer = await house.call(SIGNED)
        await house.signed.wait()
        crowd = [await house.call(b"POST /") for _ in range(20)]
        assert await house.answers()
        for _ in range(2):
            house.signed.clear()
            crowd.append(await house.call(SIGNED))
            await house.signed.wait()
        reader, late = await house.call(GET)
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        house.answer.set()
        assert b"signed" in await first.readuntil(b"signed")
        for _, one in (*crowd, (first, writer), (reader, late)):
            one.close()


@pytest.mark.parametrize(
    ("limit", "services", "most"), [(1024, 1, 696), (1024, 200, 256), (256, 1, 64), (65_536, 5, 1_000), (-1, 1, 1_000)]
)
def test_descriptors_are_kept_for_our_own_way_out(limit: int, services: int, most: int) -> None:
    """Below the limit of the process there is room for Slack, PagerDuty, the database and every service's callbacks."""
    assert most_connections(services, limit) == most
