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
