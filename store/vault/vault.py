"""The cryptography of the vault: content encrypted under a key of its case, and that key wrapped by the vault key.

Owns the sealed formats, v1 and frozen, and the salted commitments of `store.audit.commitment`. Pure but for the randomness of keys,
salts and nonces: it never stores anything. Erasing a case is deleting its wrapped key and its salts; no copy of either lives here.
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.audit.commitment import SALT_SIZE
from store.vault.head_seal import HeadSeal

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12
VERSION: Final = b"\x01"


class CannotOpen(ValueError):
    """The sealed bytes do not open: another key, another case or field, or altered bytes."""


def new_salt() -> bytes:
    """A salt for one commitment: without it, short values could be guessed from their commitment."""
    return secrets.token_bytes(SALT_SIZE)


class Vault:
    """Makes and opens the keys of cases, by the vault key."""

    def __init__(self, key: bytes) -> None:
        """`key` is the 32 bytes of the vault key file. Raises ValueError for another length."""
        if len(key) != KEY_SIZE:
            raise ValueError(f"a vault key has {KEY_SIZE} bytes")
        self._cipher = AESGCM(key)
        self.head_seal = HeadSeal(key)

    def new_case(self, case_id: str) -> tuple["CaseVault", bytes]:
        """A new random case key: ready to use, and wrapped for storing beside the case."""
        key = secrets.token_bytes(KEY_SIZE)
        return CaseVault(case_id, key), _seal(self._cipher, key, "case key", case_id)

    def open_case(self, case_id: str, wrapped: bytes) -> "CaseVault":
        """The case's key from its wrapped form. Raises CannotOpen."""
        return CaseVault(case_id, _open(self._cipher, wrapped, "case key", case_id))


class CaseVault:
    """Seals and opens the contents of one case."""

    def __init__(self, case_id: str, key: bytes) -> None:
        """`key` is the unwrapped 32-byte case key."""
        self._case_id = case_id
        self._cipher = AESGCM(key)

    def seal(self, field: str, value: bytes) -> bytes:
        """The value encrypted so that it opens only as this field of this case."""
        return _seal(self._cipher, value, "field", self._case_id, field)

    def open(self, field: str, sealed: bytes) -> bytes:
        """The value that was sealed as this field of this case. Raises CannotOpen."""
        return _open(self._cipher, sealed, "field", self._case_id, field)


def _seal(cipher: AESGCM, value: bytes, *binding: str) -> bytes:
    """Version || nonce || AES-256-GCM ciphertext and tag (NIST SP 800-38D).

    A random 96-bit nonce is safe for 2**32 messages under one key (section 8.3): cases for the vault key, fields for a case key.
    """
    nonce = secrets.token_bytes(NONCE_SIZE)
    return VERSION + nonce + cipher.encrypt(nonce, value, _bind(binding))


def _open(cipher: AESGCM, sealed: bytes, *binding: str) -> bytes:
    nonce, body = sealed[1 : 1 + NONCE_SIZE], sealed[1 + NONCE_SIZE :]
    if sealed[:1] != VERSION or len(nonce) != NONCE_SIZE:
        raise CannotOpen
    try:
        return cipher.decrypt(nonce, body, _bind(binding))
    except InvalidTag as problem:
        raise CannotOpen from problem


def _bind(binding: tuple[str, ...]) -> bytes:
    """Associated data: each part after its length, so that no two bindings share their bytes."""
    parts = [part.encode() for part in ("tierline vault v1", *binding)]
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)
