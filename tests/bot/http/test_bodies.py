"""Bodies nobody has vouched for: bounded each, bounded together, and an honest one gets through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web

from bot.http.bodies import Bodies, Unread

pytestmark = pytest.mark.outside

MOST, HELD = 1_000, 3_500


class Desk:
    """Where bodies are read."""

    port: int

    def __init__(self, timeout_s: float) -> None:
        self.bodies = Bodies(HELD, timeout_s)
        self.peak = 0

    async def take(self, request: web.Request) -> web.Response:
        """Read one and say what came of it."""
        body = await self.bodies.read(request, MOST)
        return web.Response(status=body.value) if isinstance(body, Unread) else web.Response(text=str(len(body)))

    async def post(self, body: bytes, declared: int | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a head and so much of a body."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        length = f"Content-Length: {declared}\r\n\r\n" if declared is not None else f"Transfer-Encoding: chunked\r\n\r\n{MOST:x}\r\n"
        writer.write(f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}".encode() + body)
        return reader, writer

    async def until_held(self, least: int) -> None:
        """Until so many bytes are held."""
        async with asyncio.timeout(20):
            while self.bodies.held < least:  # noqa: ASYNC110
                await asyncio.sleep(0)


async def status(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> int:
    """What it was answered."""
    line = await stream[0].readline()
    stream[1].close()
    return int(line.split()[1])


@asynccontextmanager
async def a_desk(timeout_s: float = 60.0) -> AsyncIterator[Desk]:
    """It, open."""
    desk = Desk(timeout_s)
    application = web.Application()
    application.add_routes([web.post("/", desk.take)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    desk.port = runner.addresses[0][1]
    yield desk
    await runner.cleanup()


@pytest.mark.parametrize("declared", [MOST, None], ids=["declared", "chunked"])
async def test_stalled_bodies_hold_no_more_than_they_may_and_an_honest_one_gets_through(declared: int | None) -> None:
    """Twenty that stall a byte before their end: the oldest make place, all are answered, and a small one is read in between."""
    async with a_desk() as desk:
        stalled = []
        for _ in range(20):
            stalled.append(await desk.post(b"x" * (MOST - 1), declared))
            await desk.until_held(min(len(stalled) * (MOST - 1), 2 * (MOST - 1)))
            assert desk.bodies.held <= HELD
            assert await status(await desk.post(b"honest", 6)) == 200
        assert [await status(one) for one in stalled[:16]] == [503] * 16
        for _, writer in stalled[16:]:
            writer.close()
        async with asyncio.timeout(20):
            while desk.bodies.held:  # noqa: ASYNC110
                await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("body", "declared", "wanted"), [(b"", MOST + 1, 413), (b"x" * 10, 11, 408), (b"x" * (MOST + 9), None, 400), (b"x" * MOST, MOST, 200)]
)
async def test_each_ends_with_an_answer_and_holds_nothing(body: bytes, declared: int | None, wanted: int) -> None:
    """Too large by what it says, too slow, framed wrongly, and just right."""
    async with a_desk(timeout_s=0.1 if wanted == 408 else 60.0) as desk:
        assert await status(await desk.post(body, declared)) == wanted
        assert desk.bodies.held == 0


async def test_who_hangs_up_leaves_nothing_behind() -> None:
    """A body that never ends because its sender is gone."""
    async with a_desk() as desk, asyncio.timeout(20):
        _, writer = await desk.post(b"x" * 500, MOST)
        await desk.until_held(500)
        writer.transport.abort()
        while desk.bodies.held:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_whoever_runs_out_of_time_in_the_same_moment_is_no_error_of_another() -> None:
    """A body that makes place may be one whose time is over just now, and whose reader has not heard of it yet."""
    bodies = Bodies(10, timeout_s=0.0)

    def request(chunk: bytes, *, ends: bool) -> web.BaseRequest:
        async def chunks() -> AsyncIterator[bytes]:
            yield chunk
            if not ends:
                await asyncio.Event().wait()

        return cast("web.BaseRequest", SimpleNamespace(content_length=None, content=SimpleNamespace(iter_any=chunks), transport=object()))

    slow = asyncio.create_task(bodies.read(request(b"12345678", ends=False), 10))
    await asyncio.sleep(0)  # it holds its bytes, and its time runs out in the next turn of the loop
    quick = asyncio.create_task(bodies.read(request(b"abcdefgh", ends=True), 10))
    assert await quick == b"abcdefgh"
    assert await slow is Unread.CROWDED
    assert bodies.held == 0
