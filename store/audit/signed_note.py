"""Signed notes: text with the signatures of keys that have names.

Owns the format C2SP signed-note (https://c2sp.org/signed-note), with Ed25519 (RFC 8032) only. It never reads files and never decides which
key to trust. Reading is strict: text that another spelling could express is refused, so that no bit of a note is free to change.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from store.audit.canonical import decode_base64
from store.audit.merkle import HASH_SIZE

ED25519: Final = b"\x01"
"""Signature type of plain Ed25519 (C2SP signed-note, "Signature types")."""

MAX_SIGNATURES = 16
MAX_NOTE_CHARS = 16_384


class BadNote(ValueError):
    """The text is not a well-formed signed note or checkpoint, or no known key has signed it."""


class BadKey(ValueError):
    """The text is not a verifier key of the form name+hash+base64, or its hash does not fit its name and key."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a log's signing key: its name (equal to the log's origin) and the 32 bytes of the Ed25519 public key."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """First four bytes of SHA-256(name || newline || type || key) (C2SP signed-note, "Signatures")."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read back `str(key)`, without line end. Raises BadKey."""
        name, _, rest = text.partition("+")
        _, _, encoded = rest.partition("+")
        try:
            key = cls(name, decode_base64(encoded)[1:])
            known = _is_key_name(name) and len(key.public) == HASH_SIZE and str(key) == text
        except ValueError as problem:
            raise BadKey from problem
        if not known:
            raise BadKey
        return key

    def verifies(self, signature: bytes, text: str) -> bool:
        """Whether `signature` (64 bytes) is this key's over the note text. Never raises."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):  # ValueError: 32 bytes that are no point of the curve, or a lone surrogate
            return False
        return True


class Signer:
    """Signs notes with one Ed25519 key under one name."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        """`name` is the log's origin, such as tierline/acme. Raises BadKey for a name with spaces or a plus."""
        if not _is_key_name(name):
            raise BadKey
        self._key = key
        self.vkey = VerifierKey(name, key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note: text, an empty line, one signature line. `text` ends in a newline. Raises BadNote."""
        if not text.endswith("\n") or not _is_clean(text):
            raise BadNote
        signature = b64encode(self.vkey.id + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.vkey.name} {signature}\n"


def open_note(note: str, keys: Sequence[VerifierKey]) -> str:
    """The text of a note that at least one of `keys` signed. Raises BadNote, also when any signature of a known key is false."""
    text, gap, trailer = note.rpartition("\n\n")
    lines = trailer.split("\n")
    if (
        len(note) > MAX_NOTE_CHARS
        or not gap
        or not text
        or not _is_clean(note)
        or lines.pop() != ""
        or not 0 < len(lines) <= MAX_SIGNATURES
    ):
        raise BadNote
    text += "\n"
    signed = False
    for line in lines:
        name, blob = _signature(line)
        for key in keys:
            if (name, blob[:4]) == (key.name, key.id):
                if not key.verifies(blob[4:], text):
                    raise BadNote
                signed = True
    if not signed:
        raise BadNote
    return text


def _signature(line: str) -> tuple[str, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not _is_key_name(parts[1]):
        raise BadNote
    try:
        blob = decode_base64(parts[2])
    except ValueError as problem:
        raise BadNote from problem
    if len(blob) < 5:
        raise BadNote
    return parts[1], blob


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and name.split() == [name] and _is_clean(name)


def _is_clean(text: str) -> bool:
    """UTF-8 can hold it and it has no ASCII control characters but newline (C2SP signed-note, "Format")."""
    return not any((char < " " and char != "\n") or "\ud800" <= char <= "\udfff" for char in text)
