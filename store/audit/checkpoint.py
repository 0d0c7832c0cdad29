"""Checkpoints: the signed notes by which the log says how large it is and what it holds.

Owns the format C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint), which is as strict as the note it is signed as.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from store.audit.canonical import decode_base64
from store.audit.merkle import HASH_SIZE
from store.audit.signed_note import BadNote, Signer, VerifierKey, open_note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log commits to: its origin, its size in leaves and the RFC 6962 root (32 bytes) at that size."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text, three lines without extensions."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read back `text()`; extension lines are refused, because nobody audits them. Raises BadNote."""
        lines = text.split("\n")
        if len(lines) != 4 or not lines[1].isascii() or not lines[1].isdigit() or len(lines[1]) > 19:
            raise BadNote
        try:
            checkpoint = cls(lines[0], int(lines[1]), decode_base64(lines[2]))
        except ValueError as problem:
            raise BadNote from problem
        if not checkpoint.origin or len(checkpoint.root) != HASH_SIZE or checkpoint.text() != text:
            raise BadNote
        return checkpoint


def sign_checkpoint(size: int, root: bytes, signer: Signer) -> str:
    """The signed checkpoint note of a log whose origin is the signer's name."""
    return signer.sign(Checkpoint(signer.vkey.name, size, root).text())


def open_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that one of `keys` signed, its origin being that key's name. Raises BadNote."""
    origin = note.partition("\n")[0]
    return Checkpoint.parse(open_note(note, [key for key in keys if key.name == origin]))
