"""The checkpoint directory, which lives outside the database so that a restored or forked database is noticed.

Owns the file of the newest checkpoint: written and flushed to disk before anyone else sees that checkpoint, and compared with the
database's tree at start-up. It never signs and never decides to go on after a disagreement; an operator does.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.audit.checkpoint import Checkpoint, open_checkpoint
from store.audit.merkle import Read, root_at
from store.audit.signed_note import BadNote, VerifierKey

NEWEST_FILE: Final = "checkpoint"
MAX_FILE_BYTES = 65_536


class CheckpointUnreadable(RuntimeError):
    """The newest checkpoint in the checkpoint directory is not signed by a key of this log, or is damaged."""


class CheckpointRefused(RuntimeError):
    """A checkpoint that is older than the newest one outside the database, or contradicts it, must not be published."""


@dataclass(frozen=True, slots=True)
class Agrees:
    """The tree contains the checkpoint. `checkpoint` is None only where both tree and directory are empty."""

    checkpoint: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Behind:
    """The tree has `size` leaves, fewer than the checkpoint: the database was restored or cut."""

    checkpoint: Checkpoint
    size: int


@dataclass(frozen=True, slots=True)
class Forked:
    """The tree is long enough but had another root at the checkpoint's size: its history was changed."""

    checkpoint: Checkpoint
    root: bytes


@dataclass(frozen=True, slots=True)
class Absent:
    """The tree has leaves, but there is no checkpoint: the directory is new, was emptied, or is not the one used before."""

    size: int


Comparison = Agrees | Behind | Forked | Absent


class CheckpointDirectory:
    """The directory that TIERLINE_CHECKPOINT_DIR names. One process at a time publishes to it."""

    def __init__(self, directory: Path, keys: Sequence[VerifierKey]) -> None:
        """`keys` are all keys of this log, retired ones included."""
        self._directory = directory
        self._file = directory / NEWEST_FILE
        self._keys = keys

    def publish(self, note: str) -> Checkpoint:
        """Keep this checkpoint as the newest; when it returns, the bytes are on disk. Blocks for two flushes.

        Raises CheckpointRefused unless it is larger than the newest one or the same tree, BadNote unless a key of this log signed it.
        """
        checkpoint, newest = open_checkpoint(note, self._keys), self.newest()
        if newest is not None and (checkpoint.size < newest.size or (checkpoint.size == newest.size and checkpoint.root != newest.root)):
            raise CheckpointRefused
        self._directory.mkdir(parents=True, exist_ok=True)
        draft = self._directory / f".{NEWEST_FILE}.draft"
        with draft.open("wb") as file:
            file.write(note.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)
        self._flush_directory()
        return checkpoint

    def newest(self) -> Checkpoint | None:
        """The newest checkpoint, or None where there is none. Raises CheckpointUnreadable."""
        note = self.newest_note()
        return None if note is None else open_checkpoint(note, self._keys)

    def newest_note(self) -> str | None:
        """The newest checkpoint as signed, or None where there is none. Raises CheckpointUnreadable."""
        try:
            with self._file.open("rb") as file:
                note = file.read(MAX_FILE_BYTES).decode()
            open_checkpoint(note, self._keys)
        except FileNotFoundError:
            return None
        except (BadNote, UnicodeDecodeError) as problem:
            raise CheckpointUnreadable(f"{self._file}: {CheckpointUnreadable.__doc__}") from problem
        return note

    def compare(self, size: int, read: Read) -> Comparison:
        """How the database's tree, `size` leaves read through `read`, stands to the newest checkpoint. Raises CheckpointUnreadable."""
        newest = self.newest()
        if newest is None:
            return Agrees(None) if size == 0 else Absent(size)
        if size < newest.size:
            return Behind(newest, size)
        root = root_at(newest.size, read)
        return Agrees(newest) if root == newest.root else Forked(newest, root)

    def set_aside(self) -> Path | None:
        """Put the newest checkpoint aside under a name of its own, when an operator records a recovery; the next one starts afresh.

        The file stays as evidence of what was signed. Gives its path, or None where there was nothing. Raises CheckpointUnreadable.
        """
        newest = self.newest()
        if newest is None:
            return None
        aside = self._directory / f"superseded-{newest.size}-{newest.root.hex()[:16]}"
        self._file.replace(aside)
        self._flush_directory()
        return aside

    def _flush_directory(self) -> None:
        """A rename is durable only once the directory itself is on disk (fsync(2))."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
