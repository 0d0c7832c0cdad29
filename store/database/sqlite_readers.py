"""SQLite's connections for reading: each read runs as a whole in the thread of one of aiosqlite's connections.

Statement by statement a read would hop between threads a dozen times, and wait each time for the interpreter and for the event loop. Owns
who has which connection; what a connection is set to is `store.database.sqlite`'s.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import StaticPool

from store.database.errors import spoils_connection
from store.database.transaction import T


class _Reader:
    """A connection that reads, its thread, and SQLAlchemy's engine for what runs there."""

    def __init__(self, connection: AsyncConnection, line: Any) -> None:  # noqa: ANN401 - aiosqlite's connection
        self._connection = connection
        self._line = line
        self._engine = create_engine("sqlite://", creator=lambda: line._conn, poolclass=StaticPool)  # noqa: SLF001 - as SQLAlchemy's dialect
        event.listen(self._engine, "begin", _begin)
        event.listen(self._engine, "after_cursor_execute", _read_to_the_end)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`. Where the caller is cancelled it ends at once, and is waited for."""
        try:
            result: T = await self._line._execute(self._run, work)  # noqa: SLF001 - aiosqlite has no other way into its thread
        except asyncio.CancelledError:
            await self._line.interrupt()
            await self._line._execute(_nothing)  # noqa: SLF001
            raise
        return result

    async def close(self) -> None:
        """Give it up, in whatever state it is."""
        await self._connection.invalidate()
        await self._connection.close()

    def _run(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)


class SqliteReaders:
    """A few connections, opened as they are needed and kept."""

    def __init__(self, engine: AsyncEngine, most: int) -> None:
        self._engine = engine
        self._free = asyncio.Semaphore(most)
        self._idle = list[_Reader]()
        self.lent = 0
        """Connections that somebody has."""

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a snapshot of what is committed, of one of them, as soon as one is free."""
        async with self._free:
            self.lent += 1
            try:
                return await self._read(self._idle.pop() if self._idle else await self._open(), work)
            finally:
                self.lent -= 1

    async def close(self) -> None:
        """Close all that nobody has."""
        while self._idle:
            await self._idle.pop().close()
        await self._engine.dispose()

    async def _open(self) -> _Reader:
        connection = await self._engine.connect()
        try:
            lent = await connection.get_raw_connection()
        except BaseException:
            await connection.close()
            raise
        return _Reader(connection, lent.driver_connection)

    async def _read(self, reader: _Reader, work: Callable[[Connection], T]) -> T:
        spoilt = False
        try:
            return await reader.read(work)
        except DBAPIError as problem:
            spoilt = spoils_connection(problem)
            raise
        finally:
            if spoilt:
                await reader.close()
            else:
                self._idle.append(reader)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _nothing() -> None:
    """Comes after whatever the thread was doing."""


def _read_to_the_end(_connection: Connection, cursor: Any, _sql: str, _values: object, context: Any, _many: bool) -> None:  # noqa: ANN401, FBT001
    """Take all rows at once: a statement that somebody leaves half-way keeps its snapshot open, and what is read on the connection after it
    would be as old (https://www.sqlite.org/isolation.html).
    """
    if cursor.description is not None:
        context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor, initial_buffer=cursor.fetchall())
