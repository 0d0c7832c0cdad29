"""SQLite: read through aiosqlite, written in one thread of its own, and a lock keeps a second process off the file.

Owns its settings: WAL, and every commit on the disk. A read or a piece of a transaction goes to its thread as a whole and comes back once
(docs/decisions.md).
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from store.database.errors import AnotherProcessError, CommitUnclearError, UnsafeDatabaseError, is_clear, spoils_connection
from store.database.sqlite_readers import SqliteReaders
from store.database.transaction import T, Transaction
from store.migrate import upgrade

READERS = 4

BUSY_TIMEOUT_MS = 5_000

STATEMENTS = 512
"""Kept prepared on a connection: new rows of each table have one for each number of rows (`store.ledger.inserts`)."""


class Sqlite:
    """One thread writes, a few read, each with connections of its own."""

    def __init__(self, url: URL, *, serving: bool) -> None:
        if url.database in (None, "", ":memory:"):
            raise UnsafeDatabaseError("SQLite needs a file: what is in memory is gone with the process.")
        path = self._path = Path(str(url.database))
        self._lock = _lock(path.resolve()) if serving else None  # one lock for the file, by whatever links it is reached
        connecting = {"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000, "cached_statements": STATEMENTS}
        pool: dict[str, Any] = {"max_overflow": 0, "connect_args": connecting}
        self._writer = create_engine(url.set(drivername="sqlite"), pool_size=1, **pool)
        reader = create_async_engine(url, pool_size=READERS, pool_reset_on_return=None, **pool)
        _set_up(self._writer, "BEGIN IMMEDIATE")
        _set_up(reader.sync_engine, "BEGIN", ("query_only", 1))
        self._readers = SqliteReaders(reader, READERS)
        self._thread = _WritingThread(self._writer)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a snapshot of what is committed."""
        return await self._readers.read(work)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """The write transaction, one at a time."""
        transaction = _SqliteTransaction(self._thread)
        try:
            yield transaction
        except BaseException as problem:
            await self._thread.end(problem)
            raise
        if not transaction.committed:
            await self._thread.end(None)

    async def hold(self, _key: int) -> bool:
        """There is no other process."""
        return True

    async def forget(self) -> bool:
        """Write the journal back and empty it; False when readers kept that from happening."""
        return await asyncio.to_thread(self._forget)

    def _forget(self) -> bool:
        """On a connection of its own: the writer's may be in the middle of a transaction, for which this one waits."""
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)) as connection:
                busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error:  # what was to be forgotten is deleted and committed; the journal still holds it, which is what False says
            return False
        return not busy

    async def migrate(self) -> None:
        """Bring the schema up to date."""
        async with self.writing() as transaction:
            await transaction.commit(upgrade)

    async def close(self) -> None:
        """Close all connections and give the lock back."""
        await self._thread.close()
        self._writer.dispose()
        await self._readers.close()
        if self._lock is not None:
            os.close(self._lock)


class _WritingThread:
    """The thread that writes, one piece of work after the other, and its connection. What it began it ends, whoever stops waiting."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._executor = ThreadPoolExecutor(1, "sqlite-writer")
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on the connection."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, work)

    async def end(self, problem: BaseException | None) -> None:
        """Leave no transaction open, whatever became of it, and give up a connection that `problem` may have spoilt. Never raises."""
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._executor, self._end, problem))

    async def close(self) -> None:
        """End the thread after its work, and close the connection."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._give_up)
        self._executor.shutdown()

    def _run(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        return work(self._connection)

    def _end(self, problem: BaseException | None) -> None:
        # SQLAlchemy's connection is never used again, because it and SQLite may not agree whether there is a transaction: a full disk ends
        # one, a commit that fails leaves it open, and after a BEGIN that failed no other is begun (SQLAlchemy 2.1). The driver's is kept.
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if problem is None or not spoils_connection(problem):
                connection.connection.rollback()
            else:
                connection.invalidate()
        except Exception:  # noqa: BLE001 - it cannot even be rolled back, whatever is wrong with it
            connection.invalidate()
        connection.close()

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()


class _SqliteTransaction:
    """Runs in the writer's thread, on the connection that is kept there."""

    def __init__(self, thread: _WritingThread) -> None:
        self._thread = thread
        self.committed = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        return await self._thread.run(work)

    async def commit(self, work: Callable[[Connection], None]) -> None:
        await self._thread.run(partial(_commit, work=work))
        self.committed = True


def _commit(connection: Connection, *, work: Callable[[Connection], None]) -> None:
    work(connection)
    try:
        connection.commit()
    except Exception as problem:
        if is_clear(problem):
            raise
        raise CommitUnclearError(CommitUnclearError.__doc__) from problem


def _set_up(engine: Engine, begin: str, *more: tuple[str, int]) -> None:
    """Every connection is checked and has the settings in `more`, every transaction begins with `begin`."""

    def prepare(dbapi: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        try:
            _prepare(dbapi, more)
        except BaseException:
            dbapi.close()  # the pool does not know it yet
            raise

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", start)


def _prepare(dbapi: DBAPIConnection, more: Sequence[tuple[str, int]]) -> None:
    # The driver's own transactions begin too late and lose updates: with isolation_level None, BEGIN is ours.
    dbapi.isolation_level = None
    cursor = dbapi.cursor()
    # what is deleted is overwritten, and what a statement replaces is deleted in the sight of triggers
    careful = (("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1), ("recursive_triggers", 1))
    for pragma, wanted in (*careful, ("busy_timeout", BUSY_TIMEOUT_MS), *more):
        cursor.execute(f"PRAGMA {pragma}={wanted}")
        cursor.execute(f"PRAGMA {pragma}")
        row = cursor.fetchone()
        if row is None or row[0] != wanted:
            raise UnsafeDatabaseError(f"SQLite refuses {pragma}={wanted} and keeps {row}.")
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
