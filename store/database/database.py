"""One database, either SQLite or PostgreSQL, behind two verbs: read in a snapshot, write in the one transaction at a time.

Owns the choice between the two and bringing the schema up to date. It never knows what the tables mean. Work is a plain function over a
SQLAlchemy connection, so the same statements run on both.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy import Connection, make_url

from store.database.postgresql import Postgresql
from store.database.sqlite import Sqlite
from store.database.transaction import T, Transaction
from store.migrate import check


class Database:
    """An open database. Made by `Database.open`."""

    def __init__(self, side: Sqlite | Postgresql) -> None:
        self._side = side

    @classmethod
    async def open(cls, url: str, *, serving: bool = True) -> Self:
        """Connect to `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`.

        A serving process locks a SQLite file and brings the schema up to date; any other only reads, and finds the schema as it is.
        Raises AnotherProcessError, UnsafeDatabaseError, NewerSchemaError, OlderSchemaError.
        """
        parsed = make_url(url)
        side = Sqlite(parsed, serving=serving) if parsed.get_backend_name() == "sqlite" else Postgresql(parsed)
        database = cls(side)
        try:
            if serving:
                await side.migrate()
            else:
                await side.read(check)
        except BaseException:
            await side.close()
            raise
        return database

    @property
    def is_postgres(self) -> bool:
        """Whether several processes may share this database."""
        return isinstance(self._side, Postgresql)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a snapshot of what is committed; it cannot write."""
        return await self._side.read(work)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A write transaction. On SQLite there is one at a time; on PostgreSQL order comes from the rows that are locked."""
        async with self._side.writing() as transaction:
            yield transaction

    async def hold(self, key: int) -> bool:
        """Whether this process holds the PostgreSQL advisory lock `key`, taking it if it is free. On SQLite there is no other process."""
        return await self._side.hold(key)

    async def forget(self) -> bool:
        """Have what was deleted leave the disk: SQLite's journal is written back and emptied. False when readers kept that from happening.

        PostgreSQL does this in its own time (VACUUM, its journal): always True.
        """
        return await self._side.forget()

    async def close(self) -> None:
        """Close all connections and give the lock back."""
        await self._side.close()
