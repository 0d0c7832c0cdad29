"""Takes the log out of the database as a directory that anyone can verify. Owns the order of reading; `tiles` owns the files."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select

from store.audit.checkpoint import Checkpoint, open_checkpoint
from store.audit.merkle import TILE_WIDTH
from store.audit.signed_note import VerifierKey
from store.audit.stored_tree import newest_checkpoint
from store.audit.tiles import BadExport, write_export
from store.database.database import Database
from store.schema import leaves


class NoCheckpointError(RuntimeError):
    """The log has no signed checkpoint yet: nothing could be verified. The bot signs one within ten seconds of the first event."""


async def export(database: Database, directory: Path, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Write the log up to its newest checkpoint into an empty or new directory; `keys` are all keys of the log, oldest first.

    Raises NoCheckpointError, store.audit.tiles.BadExport, store.audit.signed_note.BadNote, OSError.
    """
    return await database.read(partial(_export, directory=directory, keys=keys))


def _export(connection: Connection, *, directory: Path, keys: Sequence[VerifierKey]) -> Checkpoint:
    newest = newest_checkpoint(connection)
    if newest is None:
        raise NoCheckpointError(NoCheckpointError.__doc__)
    size, note = newest
    checkpoint = open_checkpoint(note, keys)
    write_export(directory, _bodies(connection, size), note, checkpoint, keys)
    return checkpoint


def _bodies(connection: Connection, size: int) -> Iterator[bytes]:
    for first in range(0, size, TILE_WIDTH):
        statement = select(leaves.c.body).where(leaves.c.idx >= first, leaves.c.idx < first + TILE_WIDTH).order_by(leaves.c.idx)
        for body in connection.execute(statement).scalars():
            if not isinstance(body, bytes):
                raise BadExport("an event of the log is no bytes: the database is damaged, restore it from a backup")
            yield body
