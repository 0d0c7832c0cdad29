"""How a database fails: unsafe, taken by another process, or not available as a whole."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError


class UnsafeDatabaseError(RuntimeError):
    """The database cannot be set to keep what it has confirmed (SQLite: journal_mode=WAL and synchronous=FULL)."""


class AnotherProcessError(RuntimeError):
    """Another process serves this SQLite database. SQLite takes one serving process; use PostgreSQL for several."""


_UNAVAILABLE = ("08", "25006", "53", "55", "57", "58")
"""How the SQLSTATE of such failures begins: connection, read-only standby, resources, lock, operator, system (PostgreSQL, appendix A)."""


def is_unavailable(problem: BaseException) -> bool:
    """Whether the database as a whole failed (gone, full, locked), rather than one statement being wrong."""
    if isinstance(problem, DBAPIError):  # asyncpg's errors come as no subclass of it, but with their SQLSTATE
        state = getattr(problem.orig, "sqlstate", None) or ""
        if problem.connection_invalidated or state.startswith(_UNAVAILABLE):
            return True
    return isinstance(problem, OperationalError | InterfaceError | OSError)
