"""One database, either SQLite or PostgreSQL, behind two verbs: read in a snapshot, write in the one transaction at a time.

Owns the choice between the two, bringing the schema up to date, and that what was begun on a connection is ended on it, whoever stops
waiting for it. It never knows what the tables mean. Work is a plain function over a SQLAlchemy connection, so the same statements run on
both.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self

from sqlalchemy import Connection, make_url

from store.database.errors import DatabaseClosedError
from store.database.postgresql import Postgresql
from store.database.sqlite import Sqlite
from store.database.transaction import Say, T, Transaction
from store.migrate import check

CLOSE_S = 5.0
"""How long reads that are under way may take to end before `close` ends them."""


class Database:
    """An open database. Made by `Database.open`."""

    def __init__(self, side: Sqlite | Postgresql) -> None:
        self._side = side
        self._under_way = set[asyncio.Task[Any]]()
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, *, serving: bool = True, any_schema: bool = False) -> Self:
        """Connect to `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`.

        A serving process locks a SQLite file and brings the schema up to date; any other only reads, and finds the schema as it is, which
        has to be this program's unless `any_schema` says that its reader sees to that.
        Raises AnotherProcessError, UnsafeDatabaseError, NewerSchemaError, OlderSchemaError.
        """
        parsed = make_url(url)
        side = Sqlite(parsed, serving=serving) if parsed.get_backend_name() == "sqlite" else Postgresql(parsed)
        database = cls(side)
        try:
            if serving:
                await side.migrate()
            elif not any_schema:
                await side.read(check)
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def is_postgres(self) -> bool:
        """Whether several processes may share this database."""
        return isinstance(self._side, Postgresql)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a snapshot of what is committed; it cannot write. Whoever is cancelled here stops waiting, not the read."""
        return await self._to_its_end(self._side.read(work))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A write transaction. On SQLite there is one at a time; on PostgreSQL order comes from the rows that are locked."""
        async with self._side.writing() as transaction:
            yield transaction

    async def hold(self, key: int) -> bool:
        """Whether this process holds the PostgreSQL advisory lock `key`, taking it if it is free. On SQLite there is no other process."""
        return await self._to_its_end(self._side.hold(key))

    def line(self, channel: str, hear: Callable[[str], None], broken: Callable[[], None]) -> AbstractAsyncContextManager[Say]:
        """A line to the other processes on this PostgreSQL: `hear` is called with what they say, and what it gives says something to them.
        Where it breaks `broken` is called, and saying something raises. On SQLite there is no other process: raises TypeError.
        """
        if not isinstance(self._side, Postgresql):
            raise TypeError("SQLite has one serving process, which has nobody to talk to")
        return self._side.line(channel, hear, broken)

    async def forget(self) -> bool:
        """Have what was deleted leave the disk: SQLite's journal is written back and emptied. False when readers kept that from happening.

        PostgreSQL does this in its own time (VACUUM, its journal): always True.
        """
        return await self._side.forget()

    async def close(self) -> None:
        """Close all connections, once what is under way has ended, and give the lock back."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._under_way:
            _ended, hanging = await asyncio.wait(self._under_way, timeout=CLOSE_S)
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
        await self._side.close()

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`, which goes on where the caller is cancelled: a connection that is left half-way has lost its place in the talk
        with the database, and its pool may never see it again.
        """
        if self._closing is not None:  # a connection that came back to a closed pool would never be closed
            work.close()
            raise DatabaseClosedError(DatabaseClosedError.__doc__)
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)
