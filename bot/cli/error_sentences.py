"""Errors of ours as sentences that say what to do. Owns which errors those are; anything else is a bug and keeps its traceback."""

import errno

from bot.cli.terminal import FOUND, USAGE

LOOK = "The audit log in this database is damaged: see what with `tierline audit verify --database`, then restore it from a backup."


def sentence(error: Exception) -> tuple[str, int] | None:
    """What to print and the exit code, or None for an error that nobody foresaw."""
    from sqlalchemy.exc import DBAPIError

    from bot.control_socket import CommandFailedError, NobodyListensError
    from routing.errors import DocumentError
    from store.audit.checkpoint_directory import CheckpointUnreadable
    from store.audit.export import NoCheckpointError
    from store.audit.merkle import MalformedFrontier, MissingHash, OutOfTree
    from store.audit.proven_leaves import DamagedTreeError
    from store.audit.signed_note import BadKey, BadNote
    from store.audit.stored_tree import DamagedLogError
    from store.audit.tiles import BadExport
    from store.database.errors import AnotherProcessError, UnsafeDatabaseError
    from store.ledger.sealed_head import HeadAlteredError
    from store.ledger.writer import CannotRecordError
    from store.migrate import NewerSchemaError, OlderSchemaError
    from store.vault.keys import KeyUnusable

    match error:
        case DocumentError():
            return str(error), USAGE
        case CommandFailedError() | NoCheckpointError():
            return _words(error), FOUND
        case MalformedFrontier() | MissingHash() | OutOfTree() | DamagedTreeError() | DamagedLogError():
            return f"{_words(error)} {LOOK}", FOUND
        case HeadAlteredError():
            return _words(error), FOUND
        case CannotRecordError():
            cause = error.__cause__
            return (sentence(cause) if isinstance(cause, Exception) else None) or (_words(error), FOUND)
        case (
            AnotherProcessError()
            | UnsafeDatabaseError()
            | NewerSchemaError()
            | OlderSchemaError()
            | KeyUnusable()
            | CheckpointUnreadable()
            | NobodyListensError()
            | BadExport()
            | BadKey()
            | BadNote()
        ):
            return _words(error), USAGE
        case ConnectionRefusedError():
            return f"{_system(error)}: nobody answers there. Is the database that TIERLINE_DATABASE_URL names running?", USAGE
        case OSError():
            return _system(error), USAGE
        case DBAPIError():
            return f"The database does not do what it is asked ({type(error.orig).__name__}). Look at TIERLINE_DATABASE_URL.", USAGE
        case _:
            return None


def _words(error: Exception) -> str:
    return " ".join((str(error) or error.__doc__ or type(error).__name__).split())


def _system(error: OSError) -> str:
    """The file and the system's own words."""
    if error.errno == errno.EADDRINUSE:
        return f"{_words(error)}; choose another port (serve: TIERLINE_PORT, demo: --port)"
    what = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {what}" if error.filename else what
