"""PostgreSQL on asyncpg: several processes, advisory locks. Owns its settings; order comes from the rows that are locked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from asyncpg.exceptions import InterfaceError, PostgresError
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from store.database.errors import CommitUnclearError, is_clear
from store.database.transaction import Say, T, Transaction
from store.migrate import upgrade

CONNECTIONS = 7
"""Four that read, one that writes, one that is asked who holds a lock, one that hears of the other replicas."""

ANSWER_S = 15
"""How long a statement may take. One that takes longer hangs: its connection is given up, and the next gets another."""

CONNECT_S = 10
"""How long a new connection may take, or the wait for one that is free."""

MIGRATION_LOCK = 0x7469_6572_0001
"""Key of the PostgreSQL advisory lock under which one process migrates."""

_NOTIFY = text("SELECT pg_notify(:channel, :words)")


class Postgresql:
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
        self._asking = asyncio.Lock()
        connecting = {"server_settings": session, "timeout": CONNECT_S}
        self._engine: AsyncEngine = create_async_engine(
            url, pool_size=CONNECTIONS, pool_timeout=CONNECT_S, connect_args={**connecting, "command_timeout": ANSWER_S}
        )
        self._migrating: AsyncEngine = create_async_engine(url, poolclass=NullPool, connect_args=connecting)  # that takes its time

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a snapshot of what is committed."""
        async with self._engine.connect() as connection:
            snapshot = await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            try:
                return await snapshot.run_sync(work)
            except TimeoutError:  # it hangs, and would hang again when it is asked to roll back
                await connection.invalidate()
                raise

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """The write transaction. One that fails takes its connection along: whatever state that is in, the next begins on another."""
        async with self._engine.connect() as connection:
            try:
                yield _PostgresTransaction(connection)
            except BaseException:
                await connection.invalidate()
                raise

    async def hold(self, key: int) -> bool:
        """Whether this process holds the advisory lock `key`, taking it if it is free."""
        # The lock belongs to a connection that is kept for it alone: if that is lost, so is the lock, and it is asked for anew.
        async with self._asking:
            try:
                if self._holding is None:
                    self._holding = connection = await self._engine.connect()
                    self._holding = await connection.execution_options(isolation_level="AUTOCOMMIT")
                if key not in self._held and await self._holding.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
                    self._held.add(key)
                return key in self._held and bool(await self._holding.scalar(text("SELECT true")))
            except (DBAPIError, OSError):  # OSError: nobody answers, or not in time
                await self._let_go()
                return False
            except BaseException:
                await self._let_go()
                raise

    @asynccontextmanager
    async def line(self, channel: str, hear: Callable[[str], None], broken: Callable[[], None]) -> AsyncIterator[Say]:
        """What others say on a channel of NOTIFY, and a way to say something there."""
        async with self._engine.connect() as connection:
            speaking = await connection.execution_options(isolation_level="AUTOCOMMIT")
            driver: Any = (await speaking.get_raw_connection()).driver_connection  # asyncpg's

            def heard(_connection: object, pid: int, _channel: str, said: str) -> None:
                if pid != driver.get_server_pid():
                    hear(said)

            async def say(words: str) -> None:
                await speaking.execute(_NOTIFY, {"channel": channel, "words": words})

            try:
                try:
                    driver.add_termination_listener(lambda _connection: broken())
                    await driver.add_listener(channel, heard)
                except (PostgresError, InterfaceError) as gone:  # the driver's own: SQLAlchemy is not asked here
                    raise ConnectionError("the line to the other processes broke while it was opened") from gone
                yield say
            finally:
                await connection.invalidate()

    async def _let_go(self) -> None:
        self._held.clear()
        lost, self._holding = self._holding, None
        if lost is not None:
            await lost.invalidate()
            await lost.close()

    async def forget(self) -> bool:
        """It does this in its own time."""
        return True

    async def migrate(self) -> None:
        """Bring the schema up to date, one process at a time."""
        async with self._migrating.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(upgrade)

    async def close(self) -> None:
        """Close all connections."""
        if self._holding is not None:
            with suppress(DBAPIError, OSError):  # if the connection is lost, so is the lock
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
        try:
            await self._connection.commit()
        except Exception as problem:
            if is_clear(problem):
                raise
            raise CommitUnclearError(CommitUnclearError.__doc__) from problem
