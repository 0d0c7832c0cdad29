"""Databases that fail when told: at which statement, with which error, how often. SQLite fails at its driver, PostgreSQL in its server.

Every error is one that the real thing raises: SQLite's carry its result codes, and where SQLite ends the transaction by itself, so does
this; PostgreSQL raises its own or ends the connection.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, event

WRITES, READS = "sqlite", "sqlite+aiosqlite"


@dataclass
class Faults:
    """What is to fail. `at`: how many statements pass before (None: nothing fails); `lasting`: all after it fail too."""

    strike: Callable[[Any], object]
    """Given the driver's connection (SQLite) or SQLAlchemy's (PostgreSQL), raises."""

    at: int | None = None
    lasting: bool = False
    late: bool = False
    """SQLite: a commit that is to fail is carried out first."""
    passed: list[str] = field(default_factory=list)

    def arm(self, at: int, *, lasting: bool = False) -> None:
        """Fail from the `at`-th statement from now (counted from 0)."""
        self.at, self.lasting, self.passed = at, lasting, []

    def heal(self) -> int:
        """Nothing fails any more. Gives how many statements there were since `arm`."""
        self.at = None
        return len(self.passed)

    def meet(self, statement: str, connection: object) -> None:
        """A statement is about to run."""
        number = len(self.passed)
        self.passed.append(statement)
        if self.at is not None and (number == self.at or (self.lasting and number > self.at)):
            self.strike(connection)


@dataclass(frozen=True)
class SqliteFault:
    """One way in which SQLite fails. `ends`: it rolls the transaction back by itself (https://www.sqlite.org/lang_transaction.html)."""

    name: str
    kind: type[Exception]
    text: str
    code: int | None
    ends: bool = False

    def __call__(self, connection: sqlite3.Connection) -> None:
        """Raise it."""
        if self.ends:
            sqlite3.Connection.rollback(connection)
        problem = self.kind(self.text)
        if self.code is not None:
            problem.sqlite_errorcode = self.code  # type: ignore[attr-defined]
        raise problem


SQLITE_FAULTS = (
    SqliteFault("full", sqlite3.OperationalError, "database or disk is full", sqlite3.SQLITE_FULL, ends=True),
    SqliteFault("full without a code", sqlite3.OperationalError, "database or disk is full", None),
    SqliteFault("busy", sqlite3.OperationalError, "database is locked", sqlite3.SQLITE_BUSY),
    SqliteFault("busy snapshot", sqlite3.OperationalError, "database is locked", sqlite3.SQLITE_BUSY_SNAPSHOT),
    SqliteFault("locked", sqlite3.OperationalError, "database table is locked", sqlite3.SQLITE_LOCKED),
    SqliteFault("write error", sqlite3.OperationalError, "disk I/O error", sqlite3.SQLITE_IOERR_WRITE, ends=True),
    SqliteFault("flush error", sqlite3.OperationalError, "disk I/O error", sqlite3.SQLITE_IOERR_FSYNC),
    SqliteFault("read-only", sqlite3.OperationalError, "attempt to write a readonly database", sqlite3.SQLITE_READONLY),
    SqliteFault("cannot open", sqlite3.OperationalError, "unable to open database file", sqlite3.SQLITE_CANTOPEN),
    SqliteFault("locking protocol", sqlite3.OperationalError, "locking protocol", sqlite3.SQLITE_PROTOCOL),
    SqliteFault("damaged", sqlite3.DatabaseError, "database disk image is malformed", sqlite3.SQLITE_CORRUPT),
    SqliteFault("no database", sqlite3.DatabaseError, "file is not a database", sqlite3.SQLITE_NOTADB),
    SqliteFault("no memory", MemoryError, "", None, ends=True),
    SqliteFault("closed", sqlite3.ProgrammingError, "Cannot operate on a closed database.", None),
)

POSTGRES_STATES = ("53100", "25006", "58030", "40001")
"""Disk full, read-only, I/O error, serialization failure (PostgreSQL, appendix A)."""

GONE = "gone"
"""The server ends the connection."""


def postgres_fault(state: str) -> Callable[[Connection], None]:
    """What the server does."""
    if state == GONE:
        statement = "SELECT pg_terminate_backend(pg_backend_pid())"
    else:
        statement = f"DO $$ BEGIN RAISE EXCEPTION 'for the test' USING ERRCODE = '{state}'; END $$"

    def strike(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return strike


@contextmanager
def failing_sqlite(faults: Faults, drivername: str = WRITES) -> Iterator[None]:
    """Connections that are opened meanwhile for writing (`WRITES`) or reading (`READS`) fail as `faults` says, also as they are opened."""
    kind = _failing(faults)

    def connect(dialect: Dialect, _record: object, _arguments: object, more: dict[str, object]) -> None:
        if f"{dialect.name}+{dialect.driver}".removesuffix("+pysqlite") == drivername:
            more["factory"] = kind

    event.listen(Engine, "do_connect", connect)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", connect)


def _failing(faults: Faults) -> type[sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *more: Any) -> "Cursor":
            faults.meet(sql, self.connection)
            return super().execute(sql, *more)

        def executemany(self, sql: str, *more: Any) -> "Cursor":
            faults.meet(sql, self.connection)
            return super().executemany(sql, *more)

    class Failing(sqlite3.Connection):
        def cursor(self, factory: type[sqlite3.Cursor] = Cursor) -> sqlite3.Cursor:  # type: ignore[override]
            return super().cursor(factory)

        def commit(self) -> None:
            began = self.in_transaction
            if faults.late:
                super().commit()
            if began:
                faults.meet("COMMIT", self)
            super().commit()

        def rollback(self) -> None:
            if self.in_transaction:
                faults.meet("ROLLBACK", self)
            super().rollback()

    return Failing


@contextmanager
def failing_postgres(faults: Faults) -> Iterator[None]:
    """Every statement and every commit of this process may fail meanwhile."""
    striking = False

    def meet(connection: Connection, statement: str) -> None:
        nonlocal striking
        if striking:
            return
        striking = True
        try:
            faults.meet(statement, connection)
        finally:
            striking = False

    def statement(connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
        meet(connection, statement)

    def commit(connection: Connection) -> None:
        meet(connection, "COMMIT")

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", statement)
        event.remove(Engine, "commit", commit)
