"""Salted commitments: how a leaf binds content that lives only in the vault, and how a holder of the content proves it.

Owns the frozen v1 format hex SHA-256(len || salt || value) and its opening {"salt": base64, "value": json}. It never draws salts and
never sees keys. Standard library alone, because offline verification depends on it.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from store.audit.canonical import NotCanonical, decode_base64, encode

SALT_SIZE = 32


class MalformedOpening(ValueError):
    """The opening is not {"salt": base64 of 32 bytes, "value": JSON}."""


def commit(salt: bytes, value: bytes) -> str:
    """Hex SHA-256(len || salt || value): `value` the RFC 8785 bytes, `len` their number in 8 bytes big-endian, `salt` 32 random bytes.

    The length in front keeps salt and value from being cut at another place. Raises ValueError for a salt of another length.
    """
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt has {SALT_SIZE} bytes")
    return sha256(len(value).to_bytes(8, "big") + salt + value).hexdigest()


@dataclass(frozen=True, slots=True)
class Opening:
    """What shows that a commitment is about this value: its salt and the JSON value."""

    salt: bytes
    value: object

    def commitment(self) -> str:
        """The commitment this opens. Raises NotCanonical for a value without canonical form."""
        return commit(self.salt, encode(self.value))

    def opens(self, commitment: object) -> bool:
        """Whether this is the opening of `commitment`. Never raises."""
        try:
            return isinstance(commitment, str) and commitment.isascii() and compare_digest(commitment, self.commitment())
        except NotCanonical:
            return False

    def to_json(self) -> dict[str, object]:
        """{"salt": base64, "value": json}."""
        return {"salt": b64encode(self.salt).decode(), "value": self.value}

    @classmethod
    def from_json(cls, data: object) -> "Opening":
        """Read back `to_json`. Raises MalformedOpening."""
        if not isinstance(data, Mapping) or set(data) != {"salt", "value"} or not isinstance(data["salt"], str):
            raise MalformedOpening
        try:
            salt = decode_base64(data["salt"])
        except NotCanonical as problem:
            raise MalformedOpening from problem
        if len(salt) != SALT_SIZE:
            raise MalformedOpening
        return cls(salt, data["value"])
