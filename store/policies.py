"""Policies in memory by hash, compiled once, from bytes that the database keeps for ever. Owns no rule about which one is active:
the head of the log names it.
"""

import hashlib
from collections.abc import Callable

from routing.errors import PolicyError, Problem
from routing.policy.policy import Policy

ALTERED = "its text in the database is not the one whose hash it is stored under; restore the database from a backup"


class Policies:
    """Compiled policies by the SHA-256 of their bytes."""

    def __init__(self, load: Callable[[bytes], Policy]) -> None:
        """`load` compiles a policy's bytes and raises PolicyError."""
        self._load = load
        self._bodies: dict[str, bytes] = {}
        self._compiled: dict[str, Policy] = {}
        self._broken: dict[str, PolicyError] = {}

    def knows(self, sha256: str) -> bool:
        """Whether `get` needs nothing from the database."""
        return sha256 in self._compiled or sha256 in self._bodies

    def remember(self, sha256: str, body: bytes) -> None:
        """Keep the bytes read from the database; they are compiled when first asked for."""
        self._bodies[sha256] = body

    def from_database(self, sha256: str, body: bytes) -> None:
        """Keep bytes that the database has under this hash; `get` refuses them if they have another."""
        self.remember(sha256, body)
        if hashlib.sha256(body).hexdigest() != sha256:
            self._broken[sha256] = PolicyError([Problem("", ALTERED)])

    def get(self, sha256: str) -> Policy:
        """The policy with this hash. Raises KeyError when its bytes were never remembered, PolicyError when they no longer compile."""
        if sha256 in self._compiled:
            return self._compiled[sha256]
        if sha256 in self._broken:  # neither bytes nor environment change: trying again for each case would hold up all of them
            raise self._broken[sha256].with_traceback(None)
        try:
            self._compiled[sha256] = self._load(self._bodies[sha256])
        except PolicyError as error:
            self._broken[sha256] = error
            raise
        return self._compiled[sha256]

    def compiled(self, sha256: str) -> Policy | None:
        """The policy with this hash if it was compiled already."""
        return self._compiled.get(sha256)

    def add(self, policy: Policy) -> None:
        """Keep a policy that is compiled already."""
        self._compiled[policy.sha256] = policy
