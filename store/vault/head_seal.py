"""The seal of the log's head: what shows that the row by which everything is written was left so by a process that holds the vault key.

Owns what the seal covers, format v1: where the log ends, the policy in force, and the governance. Without it, somebody who can write to
the database but holds no key could add events of their own, and they would be signed. It never reads or writes a row.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256

_PURPOSE = b"tierline head seal v1"


@dataclass(frozen=True, slots=True)
class Head:
    """The columns of the head that the seal covers, and the hex SHA-256 of the governance as it stands in its row."""

    size: int
    frontier: bytes
    last_time: int
    last_outbox: int
    policy: str
    governance: int
    governance_sha256: str


class HeadSeal:
    """Makes and compares seals."""

    def __init__(self, vault_key: bytes) -> None:
        """The key is derived from the vault key, which every process that writes has."""
        self._key = hmac.digest(vault_key, _PURPOSE, "sha256")

    def of(self, head: Head) -> bytes:
        """The 32 bytes of the seal."""
        numbers = (head.size, head.last_time, head.last_outbox, head.governance)
        parts = (*(str(number).encode() for number in numbers), head.frontier, head.policy.encode(), head.governance_sha256.encode())
        return hmac.digest(self._key, b"".join(len(part).to_bytes(8, "big") + part for part in parts), "sha256")

    def holds(self, head: Head, seal: object) -> bool:
        """Whether this is the head's seal."""
        stored: object = head.frontier  # somebody may have put anything there
        return isinstance(stored, bytes) and isinstance(seal, bytes) and hmac.compare_digest(self.of(head), seal)


def text_sha256(text: str) -> str:
    """Hex SHA-256 of a row's text as it stands in the database."""
    return sha256(text.encode()).hexdigest()
