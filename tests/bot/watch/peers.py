"""Bots that are watched and answer as no bot should, on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """A server that reads nothing and does this to whoever connects; gives its URL."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            await answer(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(status: str, body: str, *headers: str) -> Answer:
    """An HTTP answer."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body.encode())}", *headers, "", body]
        writer.write("\r\n".join(lines).encode())
        await writer.drain()

    return answer


async def never(_writer: asyncio.StreamWriter) -> None:
    """Nothing at all, for as long as anybody waits."""
    await asyncio.Event().wait()


async def at_once_closed(_writer: asyncio.StreamWriter) -> None:
    """The line goes dead."""


async def trickling(writer: asyncio.StreamWriter) -> None:
    """A good beginning, then a byte now and then that never becomes an answer."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"ready": true')
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def trickling_headers(writer: asyncio.StreamWriter) -> None:
    """The same, before the answer begins."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flooding(writer: asyncio.StreamWriter) -> None:
    """More than anybody wants to read."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"ready": true, "x": "')
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()
