"""How a database fails: unsafe, taken by another process, not available as a whole, or lost in the middle of a commit.

Owns telling these apart by what the drivers raise: SQLite's result codes (https://www.sqlite.org/rescode.html) and the SQLSTATE of
PostgreSQL (its documentation, appendix A).
"""

import sqlite3

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    PendingRollbackError,
    ProgrammingError,
    ResourceClosedError,
)
from sqlalchemy.exc import (
    TimeoutError as NoConnectionFreeError,
)


class UnsafeDatabaseError(RuntimeError):
    """The database cannot be set to keep what it has confirmed (SQLite: journal_mode=WAL and synchronous=FULL)."""


class AnotherProcessError(RuntimeError):
    """Another process serves this SQLite database. SQLite takes one serving process; use PostgreSQL for several."""


class DatabaseClosedError(RuntimeError):
    """This process has closed its database; nothing more is read."""


class CommitUnclearError(RuntimeError):
    """The database was lost while it committed: what was written may be stored, or may not."""


_UNAVAILABLE = ("08", "25006", "25P03", "28", "3D", "53", "55", "57", "58", "F0", "XX")
"""How the SQLSTATE of such failures begins: connection, read-only standby, idle too long, login, no such database, resources, lock,
operator, system, configuration, damage."""

_CONFLICT = "40"
"""Serialization failure, deadlock: nothing is wrong but the moment."""

_UNCLEAR = ("08", "40003", "57P", "58", "XX")
"""After these nobody knows whether what was being committed is stored."""

_CLEAR = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY})
"""After these SQLite has stored nothing of what was being committed."""

_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_LOCKED})
"""After these SQLite's connection is as good as before."""

_THE_STATEMENTS = (IntegrityError, ProgrammingError, DataError, NotSupportedError)
_OTHERS = (
    CommitUnclearError,
    DatabaseClosedError,
    MemoryError,
    NoConnectionFreeError,
    OSError,
    PendingRollbackError,
    ResourceClosedError,
    UnsafeDatabaseError,
)
"""What is raised around the drivers when the database as a whole fails."""


def is_unavailable(problem: BaseException) -> bool:
    """Whether the database as a whole failed (gone, full, locked, damaged), rather than one statement being wrong."""
    if not isinstance(problem, DBAPIError):
        return isinstance(problem, _OTHERS)
    if problem.connection_invalidated:
        return True
    if state := _sqlstate(problem):
        return state.startswith(_UNAVAILABLE)
    if isinstance(problem.orig, sqlite3.Error) and _sqlite_code(problem) == sqlite3.SQLITE_ERROR:
        return False
    unsent = problem.orig is not None and isinstance(problem.orig.__cause__, ValueError)  # asyncpg could not put a value into the statement
    return not unsent and not isinstance(problem, _THE_STATEMENTS)


def is_conflict(problem: BaseException) -> bool:
    """Whether two transactions were in each other's way, so that the same one may succeed when it is tried again."""
    return isinstance(problem, DBAPIError) and _sqlstate(problem).startswith(_CONFLICT)


def is_clear(problem: BaseException) -> bool:
    """Whether a commit that failed so has stored nothing, for certain."""
    if not isinstance(problem, DBAPIError) or problem.connection_invalidated:
        return False
    state = _sqlstate(problem)
    return not state.startswith(_UNCLEAR) if state else _sqlite_code(problem) in _CLEAR


def spoils_connection(problem: BaseException) -> bool:
    """Whether a connection to SQLite on which this happened is given up: one that was opened read-only, say, stays so."""
    return not isinstance(problem, DBAPIError) or (is_unavailable(problem) and _sqlite_code(problem) not in _PASSING)


_WHY_SQLITE = {
    "SQLITE_FULL": "its disk is full",
    "SQLITE_IOERR": "its disk fails",
    "SQLITE_READONLY": "it is read-only",
    "SQLITE_BUSY": "somebody else holds its lock",
    "SQLITE_LOCKED": "somebody else holds its lock",
    "SQLITE_CANTOPEN": "its file cannot be opened",
    "SQLITE_CORRUPT": "its file is damaged",
    "SQLITE_NOTADB": "its file is damaged",
}
"""By the beginning of the name of SQLite's result code. Source: https://www.sqlite.org/rescode.html"""

_WHY_POSTGRESQL = {
    "53100": "its disk is full",
    "53300": "it has no connection left",
    "53": "it is out of resources",
    "25006": "it is read-only",
    "55P03": "somebody else holds its lock",
    "57": "an operator or its shutdown interrupted it",
    "58": "its disk fails",
    "08": "it cannot be reached",
}
"""By the beginning of the SQLSTATE, the longest first. Source: PostgreSQL, appendix A."""


def why_unavailable(problem: BaseException | None) -> str:
    """Why the database failed, as the end of a sentence, without anything it said itself: its messages quote what was written."""
    problem = problem.__cause__ if isinstance(problem, CommitUnclearError) else problem
    seen = problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    name, state = str(getattr(seen, "sqlite_errorname", None) or ""), str(getattr(seen, "sqlstate", None) or "")
    for code, why in _WHY_SQLITE.items():
        if name.startswith(code):
            return why
    for code, why in _WHY_POSTGRESQL.items():
        if state.startswith(code):
            return why
    if isinstance(seen, TimeoutError):
        return "it does not answer"
    if isinstance(seen, OSError) or (isinstance(problem, DBAPIError) and problem.connection_invalidated):
        return "it cannot be reached"
    return f"it failed ({name or state or type(seen).__name__})"


def _sqlstate(problem: DBAPIError) -> str:
    """The SQLSTATE, "" without one: SQLAlchemy tells the errors of asyncpg apart by nothing else."""
    return str(getattr(problem.orig, "sqlstate", None) or "")


def _sqlite_code(problem: DBAPIError) -> int | None:
    """The primary result code of SQLite, None where the driver gave none."""
    code = getattr(problem.orig, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF
