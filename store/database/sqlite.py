"""SQLite: read through aiosqlite, written in one thread of its own, and a lock keeps a second process off the file.

Owns its settings: WAL, and every commit on the disk. A write transaction has a dozen statements, each of which would hop between threads
three times through aiosqlite (docs/decisions.md).
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from store.database.errors import AnotherProcessError, UnsafeDatabaseError
from store.database.transaction import T, Transaction
from store.migrate import upgrade

READERS = 4


BUSY_TIMEOUT_MS = 5_000


class Sqlite:
    """One thread writes, a few read, each with connections of its own."""

    def __init__(self, url: URL, *, serving: bool) -> None:
        if url.database in (None, "", ":memory:"):
            raise UnsafeDatabaseError("SQLite needs a file: what is in memory is gone with the process.")
        path = self._path = Path(str(url.database))
        self._lock = _lock(path.resolve()) if serving else None  # one lock for the file, by whatever links it is reached
        pool: dict[str, Any] = {"max_overflow": 0, "connect_args": {"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000}}
        self._writer = create_engine(url.set(drivername="sqlite"), pool_size=1, **pool)
        self._reader = create_async_engine(url, pool_size=READERS, **pool)
        _set_up(self._writer, "BEGIN IMMEDIATE")
        _set_up(self._reader.sync_engine, "BEGIN")
        event.listen(self._reader.sync_engine, "connect", _query_only)
        self._connection: Connection | None = None
        self._writing = ThreadPoolExecutor(1, "sqlite-writer")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a snapshot of what is committed."""
        async with self._reader.connect() as connection:
            return await connection.run_sync(work)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """The write transaction, one at a time."""
        if self._connection is None:
            self._connection = await asyncio.get_running_loop().run_in_executor(self._writing, self._writer.connect)
        transaction = _SqliteTransaction(self._connection, self._writing)
        try:
            yield transaction
        finally:
            await transaction.end()

    async def hold(self, _key: int) -> bool:
        """There is no other process."""
        return True

    async def forget(self) -> bool:
        """Write the journal back and empty it; False when readers kept that from happening."""
        return await asyncio.to_thread(self._forget)

    def _forget(self) -> bool:
        """On a connection of its own: the writer's may be in the middle of a transaction, for which this one waits."""
        with closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)) as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    async def migrate(self) -> None:
        """Bring the schema up to date."""
        async with self.writing() as transaction:
            await transaction.commit(upgrade)

    async def close(self) -> None:
        """Close all connections and give the lock back."""
        self._writing.shutdown()
        if self._connection is not None:
            self._connection.close()
        self._writer.dispose()
        await self._reader.dispose()
        if self._lock is not None:
            os.close(self._lock)


class _SqliteTransaction:
    """Runs in the writer's thread, on the connection that is kept there."""

    def __init__(self, connection: Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread

    async def run(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    async def commit(self, work: Callable[[Connection], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, work)

    async def end(self) -> None:
        if self._connection.in_transaction():
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.rollback)

    def _commit(self, work: Callable[[Connection], None]) -> None:
        work(self._connection)
        self._connection.commit()


def _set_up(engine: Engine, begin: str) -> None:
    """Every connection is checked, every transaction begins with `begin`."""
    event.listen(engine, "connect", _prepare)

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", start)


def _prepare(dbapi: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own transactions begin too late and lose updates: with isolation_level None, BEGIN is ours.
    dbapi.isolation_level = None
    cursor = dbapi.cursor()
    # what is deleted is overwritten, and what a statement replaces is deleted in the sight of triggers
    careful = (("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1), ("recursive_triggers", 1))
    for pragma, wanted in (*careful, ("busy_timeout", BUSY_TIMEOUT_MS)):
        cursor.execute(f"PRAGMA {pragma}={wanted}")
        cursor.execute(f"PRAGMA {pragma}")
        row = cursor.fetchone()
        if row is None or row[0] != wanted:
            raise UnsafeDatabaseError(f"SQLite refuses {pragma}={wanted} and keeps {row}.")
    cursor.close()


def _query_only(dbapi: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = dbapi.cursor()
    cursor.execute("PRAGMA query_only=1")
    cursor.close()


def _lock(path: Path) -> int:
    """Hold `<file>.lock` for as long as this process lives. Raises AnotherProcessError."""
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        os.close(handle)
        raise AnotherProcessError(f"{path}: {AnotherProcessError.__doc__}") from busy
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # born unreadable to others; SQLite copies this to its journals
    return handle
