"""One database, either SQLite or PostgreSQL, behind two verbs: read in a snapshot, write in the one transaction at a time.

Owns connections, their settings, the lock that keeps a second process off a SQLite file, and bringing the schema up to date. It never
knows what the tables mean. Work is a plain function over a SQLAlchemy connection, so the same statements run on both. SQLite is read
through aiosqlite and written in one thread of its own with the standard driver: a write transaction has a dozen statements, each of which
would hop between threads three times (docs/decisions.md); PostgreSQL runs on asyncpg.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from store.migrate import check, upgrade

T = TypeVar("T")

READERS = 4
BUSY_TIMEOUT_MS = 5_000
MIGRATION_LOCK = 0x7469_6572_0001
"""Key of the PostgreSQL advisory lock under which one process migrates."""


class UnsafeDatabaseError(RuntimeError):
    """The database cannot be set to keep what it has confirmed (SQLite: journal_mode=WAL and synchronous=FULL)."""


class AnotherProcessError(RuntimeError):
    """Another process serves this SQLite database. SQLite takes one serving process; use PostgreSQL for several."""


class Transaction(Protocol):
    """The write transaction that is open: run work in it, the last of it with `commit`. Leaving its block without rolls back."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` inside the transaction."""
        ...

    async def commit(self, work: Callable[[Connection], None]) -> None:
        """Run `work` inside the transaction, then make all of it durable."""
        ...


class Database:
    """An open database. Made by `Database.open`."""

    def __init__(self, side: "_Sqlite | _Postgres") -> None:
        self._side = side

    @classmethod
    async def open(cls, url: str, *, serving: bool = True) -> Self:
        """Connect to `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`.

        A serving process locks a SQLite file and brings the schema up to date; any other only reads, and finds the schema as it is.
        Raises AnotherProcessError, UnsafeDatabaseError, NewerSchemaError, OlderSchemaError.
        """
        parsed = make_url(url)
        side = _Sqlite(parsed, serving=serving) if parsed.get_backend_name() == "sqlite" else _Postgres(parsed)
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
        return isinstance(self._side, _Postgres)

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


_UNAVAILABLE = ("08", "25006", "53", "55", "57", "58")
"""How the SQLSTATE of such failures begins: connection, read-only standby, resources, lock, operator, system (PostgreSQL, appendix A)."""


def is_unavailable(problem: BaseException) -> bool:
    """Whether the database as a whole failed (gone, full, locked), rather than one statement being wrong."""
    if isinstance(problem, DBAPIError):  # asyncpg's errors come as no subclass of it, but with their SQLSTATE
        state = getattr(problem.orig, "sqlstate", None) or ""
        if problem.connection_invalidated or state.startswith(_UNAVAILABLE):
            return True
    return isinstance(problem, OperationalError | InterfaceError | OSError)


class _Sqlite:
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
        async with self._reader.connect() as connection:
            return await connection.run_sync(work)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        if self._connection is None:
            self._connection = await asyncio.get_running_loop().run_in_executor(self._writing, self._writer.connect)
        transaction = _SqliteTransaction(self._connection, self._writing)
        try:
            yield transaction
        finally:
            await transaction.end()

    async def hold(self, _key: int) -> bool:
        return True

    async def forget(self) -> bool:
        return await asyncio.to_thread(self._forget)

    def _forget(self) -> bool:
        """On a connection of its own: the writer's may be in the middle of a transaction, for which this one waits."""
        with closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)) as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    async def migrate(self) -> None:
        async with self.writing() as transaction:
            await transaction.commit(upgrade)

    async def close(self) -> None:
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
    careful = (("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1))  # what is deleted is overwritten
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


class _Postgres:
    """A pool of asyncpg connections."""

    def __init__(self, url: URL) -> None:
        session = {
            "application_name": "tierline",
            "timezone": "UTC",
            "synchronous_commit": "on",
            "idle_in_transaction_session_timeout": "30000",  # a process that hangs must not hold the head of the log for ever
        }
        self._held = set[int]()
        self._holding: AsyncConnection | None = None
        connecting = {"server_settings": session, "timeout": 10}
        self._engine: AsyncEngine = create_async_engine(
            url, pool_size=READERS + 2, pool_pre_ping=False, connect_args={**connecting, "command_timeout": 30}
        )
        self._migrating: AsyncEngine = create_async_engine(url, poolclass=NullPool, connect_args=connecting)  # that takes its time

    async def read(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.connect() as connection:
            snapshot = await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await snapshot.run_sync(work)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        async with self._engine.connect() as connection:
            yield _PostgresTransaction(connection)

    async def hold(self, key: int) -> bool:
        # The lock belongs to a connection that is kept for it alone: if that is lost, so is the lock, and it is asked for anew.
        try:
            if self._holding is None:
                connection = await self._engine.connect()
                self._holding = await connection.execution_options(isolation_level="AUTOCOMMIT")
            if key not in self._held and await self._holding.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
                self._held.add(key)
            return key in self._held and bool(await self._holding.scalar(text("SELECT true")))
        except DBAPIError:
            self._held.clear()
            lost, self._holding = self._holding, None
            if lost is not None:
                await lost.invalidate()
                await lost.close()
            return False

    async def forget(self) -> bool:
        return True

    async def migrate(self) -> None:
        async with self._migrating.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(upgrade)

    async def close(self) -> None:
        if self._holding is not None:
            with suppress(DBAPIError):  # if the connection is lost, so is the lock
                await self._holding.execute(text("SELECT pg_advisory_unlock_all()"))
            await self._holding.close()
        await self._engine.dispose()


class _PostgresTransaction:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def run(self, work: Callable[[Connection], T]) -> T:
        return await self._connection.run_sync(work)

    async def commit(self, work: Callable[[Connection], None]) -> None:
        await self._connection.run_sync(work)
        await self._connection.commit()
