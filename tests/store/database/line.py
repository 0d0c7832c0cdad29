"""The line between this process and PostgreSQL, which can go dead, break, or lose an answer."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from sqlalchemy import make_url


class Line:
    """Carries bytes both ways between `url`, which stands for the database, and the database's own socket."""

    def __init__(self, database_url: str) -> None:
        self._real = make_url(database_url)
        self._server: asyncio.Server | None = None
        self._ends = set[asyncio.StreamWriter]()
        self._tasks = set[asyncio.Task[None]]()
        self._lost = b""
        self._open = asyncio.Event()
        self._open.set()
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = self._real.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        return self

    async def __aexit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        """Hang up."""
        assert self._server is not None
        self._server.close()
        self._open.set()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Break all connections; new ones can be made."""
        for end in self._ends:
            end.transport.abort()

    def hang(self) -> None:
        """Nothing comes through any more, and nothing breaks."""
        self._open.clear()

    def go_on(self) -> None:
        """Everything comes through again."""
        self._open.set()

    def lose_answer_to(self, sent: bytes) -> None:
        """Once bytes with `sent` in them have been answered, break that connection instead of handing the answer on."""
        self._lost = sent

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        inner, outer = await asyncio.open_unix_connection(f"{self._real.query['host']}/.s.PGSQL.5432")
        ends = {writer, outer}
        self._ends |= ends
        losing = asyncio.Event()
        try:
            await asyncio.gather(self._there(reader, outer, losing), self._back(inner, writer, losing))
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event) -> None:
        while data := await reader.read(65_536):
            await self._open.wait()
            if self._lost and self._lost in data:
                self._lost = b""
                losing.set()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event) -> None:
        while data := await reader.read(65_536):
            await self._open.wait()
            if losing.is_set():
                raise ConnectionResetError
            with suppress(ConnectionError):
                writer.write(data)
                await writer.drain()
        raise ConnectionResetError
